"""Puts a person of a label map into another scene: dyed clothes, seen from behind, other places.

Street photos show people from the front before a street. A door camera sees their backs before
shelves and floors, and other people in front of them. All functions work on a picture uint8
`[h,w,3]` BGR and its label map uint8 `[h,w]` of the same size, and return new arrays.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from model_build.data.degrade import draw_dye, dye, recolour

Picture = NDArray[np.uint8]
Labels = NDArray[np.uint8]

STRANGER = 255
"""The label of whatever stands in front of the person."""


def dye_garments(
    picture: Picture, labels: Labels, garments: list[int], rng: np.random.Generator
) -> Picture:
    """Give one or all of the garments (label indices) another colour, or all the same.

    Black trousers under a black sweater are no suit, and a white blouse over a white skirt is no
    dress: what tells them apart must be the cut, not the colour.
    """
    kind = rng.random()
    if kind < 0.4:
        colour = draw_dye(rng)
        for label in garments:
            shade = np.clip(colour * rng.uniform(0.85, 1.15), 4, 250)
            picture = dye(picture, labels == label, shade)
        return picture
    chosen = garments if kind < 0.6 else [garments[int(rng.integers(len(garments)))]]
    for label in chosen:
        picture = recolour(picture, labels == label, rng)
    return picture


def turn_around(
    picture: Picture, labels: Labels, hair: int, skin: int, rng: np.random.Generator
) -> Picture:
    """Cover the face with hair, as seen from behind; long hair falls over the shoulders.

    The face is the skin in the person's upper sixth. Nothing changes where no hair is labelled.
    """
    rows, columns = np.nonzero(labels == hair)
    if len(rows) < 20:
        return picture
    occupied = np.flatnonzero((labels > 0).any(1))
    height = occupied[-1] - occupied[0]
    lowest = occupied[0] + height // 6
    face = labels == skin
    face[lowest:] = False
    head = (face | (labels == hair)).astype(np.uint8)
    mask: Picture = np.asarray(
        cv2.morphologyEx(head, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8
    )
    if rng.random() < 0.5:
        fall = int(height * rng.uniform(0.02, 0.14))
        kernel = np.ones((max(fall, 1), 1), np.uint8)
        mask = np.asarray(cv2.dilate(mask, kernel, anchor=(0, max(fall, 1) - 1)), np.uint8)
        mask[labels == 0] = 0
    covered = mask.astype(bool) & (labels != hair)
    turned: Picture = np.array(picture, np.uint8)
    drawn = rng.integers(len(rows), size=int(covered.sum()))
    turned[covered] = picture[rows[drawn], columns[drawn]]
    smooth: Picture = np.asarray(cv2.GaussianBlur(turned, (3, 9), 0), np.uint8)
    turned[covered] = smooth[covered]
    return turned


def close_back(
    picture: Picture, labels: Labels, outer: int, kept: list[int], rng: np.random.Generator
) -> tuple[Picture, Labels]:
    """Cover what shows between the two sides of an open garment with its own cloth.

    From behind, a coat or a cardigan is one piece, and nothing is seen of what is under it. In
    each row, everything of the person between the garment's first and last pixel becomes it.

    Args:
        picture: uint8 `[h,w,3]` BGR.
        labels: uint8 `[h,w]`.
        outer: label of the open garment.
        kept: labels that stay where they are (hair, a bag).
        rng: source of chance.
    """
    mask = labels == outer
    columns = np.arange(labels.shape[1])
    first, last = mask.argmax(1), labels.shape[1] - 1 - mask[:, ::-1].argmax(1)
    between = (columns >= first[:, None]) & (columns <= last[:, None]) & mask.any(1)[:, None]
    covered = between & (labels > 0) & ~mask & ~np.isin(labels, kept)
    if not covered.any():
        return picture, labels
    turned: Picture = np.array(picture, np.uint8)
    for row in np.flatnonzero(covered.any(1)):
        cloth = np.flatnonzero(mask[row])
        gap = np.flatnonzero(covered[row])
        turned[row, gap] = picture[row, cloth[rng.integers(len(cloth), size=len(gap))]]
    smooth: Picture = np.asarray(cv2.GaussianBlur(turned, (5, 5), 0), np.uint8)
    turned[covered] = smooth[covered]
    seen: Labels = np.where(covered, outer, labels).astype(np.uint8)
    return turned, seen


def place_before(
    picture: Picture, labels: Labels, background: Picture, rng: np.random.Generator
) -> Picture:
    """Replace everything that is not the person by `background` of the same size."""
    person = (labels > 0).astype(np.uint8)
    if rng.random() < 0.5:
        person = np.asarray(cv2.erode(person, np.ones((3, 3), np.uint8)), np.uint8)
    alpha = cv2.GaussianBlur(person.astype(np.float32), (0, 0), rng.uniform(0.6, 1.4))[..., None]
    mixed = picture * alpha + background * (1.0 - alpha)
    return np.asarray(mixed, np.uint8)


def add_stranger(
    picture: Picture,
    labels: Labels,
    stranger: tuple[Picture, Labels],
    rng: np.random.Generator,
) -> tuple[Picture, Labels]:
    """Another cut-out person beside, behind or in front, covering at most half of the person."""
    other, other_labels = stranger
    height, width = picture.shape[:2]
    scale = rng.uniform(0.75, 1.3)
    size = (max(2, round(other.shape[1] * scale)), max(2, round(other.shape[0] * scale)))
    other = np.asarray(cv2.resize(other, size), np.uint8)
    other_labels = np.asarray(
        cv2.resize(other_labels, size, interpolation=cv2.INTER_NEAREST), np.uint8
    )
    side = 1 if rng.random() < 0.5 else -1
    shift_x = int((width - size[0]) / 2 + side * width * rng.uniform(0.22, 0.5))
    shift_y = int((height - size[1]) / 2 + height * rng.normal(0.0, 0.12))
    if rng.random() < 0.15:
        shift_x, shift_y = int((width - size[0]) / 2), int(height * rng.uniform(0.4, 0.65))
    x0, y0 = max(0, shift_x), max(0, shift_y)
    x1, y1 = min(width, shift_x + size[0]), min(height, shift_y + size[1])
    if x1 <= x0 or y1 <= y0:
        return picture, labels
    cut = (slice(y0 - shift_y, y1 - shift_y), slice(x0 - shift_x, x1 - shift_x))
    mask = other_labels[cut] > 0
    here = labels[y0:y1, x0:x1]
    if rng.random() < 0.5:
        mask &= here == 0
    elif (mask & (here > 0)).sum() > 0.5 * max(1, (labels > 0).sum()):
        return picture, labels
    picture, labels = picture.copy(), labels.copy()
    picture[y0:y1, x0:x1][mask] = other[cut][mask]
    labels[y0:y1, x0:x1][mask & (here > 0)] = STRANGER
    return picture, labels


def draw_background(size: tuple[int, int], texture: Picture, rng: np.random.Generator) -> Picture:
    """A place to stand in, uint8 `[h,w,3]`: a wall over a floor, or a piece of a photo enlarged.

    Args:
        size: height and width.
        texture: any photo, from which a piece may be taken.
        rng: source of chance.
    """
    height, width = size
    if rng.random() < 0.45:
        share = rng.uniform(0.25, 0.8)
        rows, columns = max(2, int(texture.shape[0] * share)), max(2, int(texture.shape[1] * share))
        top = int(rng.integers(texture.shape[0] - rows + 1))
        left = int(rng.integers(texture.shape[1] - columns + 1))
        piece = cv2.resize(texture[top : top + rows, left : left + columns], (width, height))
        return np.asarray(cv2.GaussianBlur(piece, (0, 0), rng.uniform(0.3, 3.0)), np.uint8)
    canvas = np.empty((height, width, 3), np.float32)
    horizon = int(height * rng.uniform(-0.2, 0.9))
    for start, end in ((0, max(horizon, 0)), (max(horizon, 0), height)):
        base = rng.uniform(20, 235) + rng.normal(0, 18, 3)
        slope = np.linspace(0, rng.normal(0, 35), max(end - start, 0))[:, None, None]
        canvas[start:end] = base + slope
    _draw_stripes(canvas, rng)
    grain = rng.normal(0, rng.uniform(1, 10), (height, width, 1))
    return np.clip(canvas + grain, 0, 255).astype(np.uint8)


def _draw_stripes(canvas: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Planks, shelves, tiles, posts: lines of one direction, and a few boxes."""
    height, width = canvas.shape[:2]
    if rng.random() < 0.5:
        angle, step = rng.uniform(0, np.pi), rng.uniform(8, 60)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / step)
        lines = (wave > rng.uniform(0.2, 0.95)).astype(np.float32)
        canvas += lines[..., None] * rng.normal(0, 40, 3).astype(np.float32)
    for _ in range(int(rng.integers(0, 6))):
        left, top = int(rng.integers(-20, width)), int(rng.integers(-20, height))
        right = left + int(rng.integers(5, width))
        bottom = top + int(rng.integers(5, max(6, height // 2)))
        canvas[max(top, 0) : bottom, max(left, 0) : right] = rng.uniform(10, 245, 3)
