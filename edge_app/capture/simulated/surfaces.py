"""Flat textures of the simulated store: floors, walls, shelves full of goods, the street."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from edge_app.capture.simulated.cloth import Floats, UInt8, noise, to_texture

SIZE = 512
"""Side of a surface texture in px."""


def _endless(rng: np.random.Generator, cells: int) -> Floats:
    """Noise that closes in both directions."""
    one = noise(rng, (SIZE, SIZE), (cells, cells))
    return np.asarray((one + one[::-1]) * 0.75, np.float32)


def _muted(rng: np.random.Generator) -> Floats:
    """A colour as goods and pictures have it: seldom pure."""
    grey = rng.uniform(25, 230)
    return np.asarray(grey + (rng.uniform(20, 235, 3) - grey) * rng.uniform(0.1, 0.75), np.float32)


def floor_texture(rng: np.random.Generator) -> tuple[UInt8, float]:
    """A floor that repeats seamlessly, and how many metres it covers."""
    kind = str(rng.choice(["planks", "tiles", "concrete", "carpet", "herringbone"]))
    base = np.array(
        {
            "planks": (60, 95, 140),
            "tiles": (190, 196, 200),
            "concrete": (140, 142, 144),
            "carpet": (100, 90, 96),
            "herringbone": (80, 115, 155),
        }[kind],
        np.float32,
    ) * rng.uniform(0.55, 1.15) + rng.normal(0, 5, 3)
    sheet = np.empty((SIZE, SIZE, 3), np.float32)
    sheet[:] = base
    sheet *= (1 + 0.035 * _endless(rng, 5))[:, :, None]
    if kind in ("planks", "herringbone"):
        _planks(rng, sheet)
    elif kind == "tiles":
        count = int(rng.integers(4, 9))
        _tiles(rng, sheet, count, 0.8 if rng.random() < 0.6 else 1.12)
    else:
        sheet *= (
            1 + (0.05 if kind == "carpet" else 0.025) * rng.normal(0, 1, (SIZE, SIZE, 1))
        ).astype(np.float32)
        sheet *= (1 + 0.03 * _endless(rng, 24))[:, :, None]
    return to_texture(sheet), float(rng.uniform(2.2, 4.0))


def _planks(rng: np.random.Generator, sheet: Floats) -> None:
    count = int(rng.integers(12, 26))
    edges = np.linspace(0, SIZE, count + 1).astype(int)
    for first, last in itertools.pairwise(edges):
        cut = int(rng.integers(SIZE))
        sheet[:cut, first:last] *= rng.uniform(0.78, 1.2)
        sheet[cut:, first:last] *= rng.uniform(0.78, 1.2)
        sheet[:, first:last] *= (1 + 0.05 * rng.normal(0, 1, (1, last - first, 1))).astype(
            np.float32
        )
        sheet[cut - 1 : cut + 1, first:last] *= 0.7
        sheet[:, first : first + 1] *= 0.66


def _tiles(rng: np.random.Generator, sheet: Floats, count: int, joint: float) -> None:
    edges = np.linspace(0, SIZE, count + 1).astype(int)
    for top, bottom in itertools.pairwise(edges):
        for left, right in itertools.pairwise(edges):
            sheet[top:bottom, left:right] *= rng.uniform(0.93, 1.05)
    for edge in edges[:-1]:
        sheet[edge : edge + 3] *= joint
        sheet[:, edge : edge + 3] *= joint


def wall_texture(rng: np.random.Generator) -> UInt8:
    """A wall 4 m wide and high: paint, panels or bricks."""
    sheet = np.empty((SIZE, SIZE, 3), np.float32)
    sheet[:] = np.clip(rng.choice([205, 180, 120, 225, 90]) + rng.normal(0, 9, 3), 20, 245)
    sheet *= (1 + 0.03 * noise(rng, (SIZE, SIZE), (4, 4)))[:, :, None]
    kind = rng.random()
    if kind < 0.3:
        for edge in range(0, SIZE, int(rng.integers(60, 130))):
            sheet[:, edge : edge + 3] *= 0.82
    elif kind < 0.45:
        for count, top in enumerate(range(0, SIZE, 16)):
            sheet[top : top + 2] *= 0.82
            for left in range(8 * (count % 2), SIZE, 32):
                sheet[top : top + 16, left : left + 2] *= 0.82
                sheet[top : top + 16, left : left + 32] *= rng.uniform(0.92, 1.06)
    sheet[-14:] *= 0.5
    for _ in range(int(rng.integers(0, 4))):
        left, top = (int(value) for value in rng.integers(0, SIZE - 130, 2))
        wide, high = (int(value) for value in rng.integers(40, 120, 2))
        picture = _muted(rng) * (1 + 0.4 * noise(rng, (high, wide), (5, 4)))[:, :, None]
        sheet[top : top + high, left : left + wide] = picture
        cv2.rectangle(
            sheet, (left, top), (left + wide, top + high), [float(rng.choice([25, 60, 200]))] * 3, 3
        )
    return to_texture(sheet)


def shelf_texture(rng: np.random.Generator) -> UInt8:
    """Shelves with boxes, bottles and folded clothes, 2 m wide and high."""
    sheet = np.empty((SIZE, SIZE, 3), np.float32)
    frame = float(rng.uniform(30, 225))
    sheet[:] = frame * 0.35
    boards = int(rng.integers(4, 7))
    edges = np.linspace(0, SIZE, boards + 1).astype(int)
    pastel = rng.random() < 0.4
    for top, bottom in itertools.pairwise(edges):
        left = 0
        theme = _muted(rng)
        while left < SIZE:
            wide = int(rng.integers(10, 46))
            high = int((bottom - top) * rng.uniform(0.45, 0.92))
            own = theme if rng.random() < 0.5 else _muted(rng)
            colour = own * 0.4 + 140 if pastel else own
            item = sheet[bottom - high : bottom, left : left + wide - 2]
            item[:] = colour
            item *= np.linspace(0.75, 1.1, max(item.shape[1], 1), dtype=np.float32)[None, :, None]
            if high > 12 and rng.random() < 0.5:
                item[high // 3 : high // 3 + max(high // 5, 2)] = np.clip(
                    colour * 0.4 + 100, 0, 255
                )
            left += wide
        sheet[bottom - 7 : bottom] = frame
        sheet[top : top + 10] *= 0.55
    return to_texture(sheet)


def rail_texture(rng: np.random.Generator) -> UInt8:
    """Clothes hanging side by side on rails, 2 m wide and high."""
    sheet = np.empty((SIZE, SIZE, 3), np.float32)
    sheet[:] = rng.uniform(25, 90)
    rails = int(rng.integers(1, 3))
    for rail in range(rails):
        top = int((rail + 0.08) * SIZE / rails)
        left = 0
        own = _muted(rng)
        while left < SIZE:
            wide = int(rng.integers(7, 26))
            long = int(SIZE / rails * rng.uniform(0.55, 0.86))
            if rng.random() < 0.6:
                own = _muted(rng)
            item = sheet[top : top + long, left : left + wide]
            item[:] = own
            item *= np.linspace(0.6, 1.1, item.shape[1], dtype=np.float32)[None, :, None]
            item[:10] *= 0.8
            left += wide
        sheet[top - 8 : top - 3] = 190
    return to_texture(sheet)


def box_texture(rng: np.random.Generator) -> UInt8:
    """A counter, table or pillar."""
    sheet = np.empty((SIZE, SIZE, 3), np.float32)
    sheet[:] = np.clip(rng.uniform(40, 220) + rng.normal(0, 18, 3), 15, 245)
    sheet *= (1 + 0.04 * noise(rng, (SIZE, SIZE), (6, 6)))[:, :, None]
    sheet *= np.linspace(1.05, 0.9, SIZE, dtype=np.float32)[:, None, None]
    return to_texture(sheet)


def street_texture(rng: np.random.Generator) -> UInt8:
    """What is seen through the door: bright and out of focus."""
    sheet = np.empty((SIZE, SIZE, 3), np.float32)
    sheet[:] = rng.uniform(90, 215)
    sheet *= (1 + 0.25 * noise(rng, (SIZE, SIZE), (5, 9)))[:, :, None]
    sheet += 18 * rng.normal(0, 1, 3) * noise(rng, (SIZE, SIZE), (8, 14))[:, :, None]
    sheet[int(SIZE * 0.62) :] *= 0.75
    return to_texture(cv2.GaussianBlur(sheet, (0, 0), 5))
