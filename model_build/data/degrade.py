"""What a cheap camera over a door does to a picture: haze, dim light, blur, few pixels, JPEG.

All functions take uint8 `[H,W,3]` BGR and a `numpy.random.Generator`, and return a new picture of
the same shape. Their strengths are drawn inside; `strength` (0..1) scales all of them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def degrade(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """A random chain of everything below, in the order in which a camera applies it."""
    picture = change_colours(picture, rng, strength)
    if rng.random() < 0.35 * strength:
        picture = add_haze(picture, rng)
    if rng.random() < 0.3 * strength:
        picture = blur(picture, rng)
    if rng.random() < 0.8 * strength:
        picture = lose_pixels(picture, rng)
    return picture


def change_colours(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """Contrast, brightness, gamma, saturation, white balance; now and then grey altogether."""
    levels = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    if rng.random() < 0.6:
        levels = levels ** np.float32(np.exp(rng.normal(0.0, 0.35 * strength)))
    contrast = np.exp(rng.normal(0.0, 0.25 * strength))
    brightness = rng.normal(0.0, 0.1 * strength)
    if rng.random() < 0.15 * strength:
        brightness -= rng.uniform(0.1, 0.3)
    levels = (levels - 0.5) * np.float32(contrast) + np.float32(0.5 + brightness)
    balance = np.exp(rng.normal(0.0, 0.08 * strength, 3)).astype(np.float32)
    table = np.clip(levels[:, None] * balance * 255.0, 0, 255).astype(np.uint8)
    changed = cv2.LUT(picture, table[None])
    grey_share = 1.0 if rng.random() < 0.06 else rng.uniform(0.0, 0.7) * strength
    if rng.random() < 0.5 or grey_share == 1.0:
        grey = cv2.cvtColor(changed, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, 2)
        changed = cv2.addWeighted(changed, 1.0 - grey_share, grey, grey_share, 0.0)
    return np.asarray(changed, np.uint8)


def add_haze(picture: Picture, rng: np.random.Generator) -> Picture:
    """A veil of one colour over everything: low contrast, lifted blacks."""
    veil = np.clip(rng.uniform(30, 200) + rng.normal(0, 12, 3), 0, 255)
    share = float(rng.uniform(0.15, 0.6))
    flat = np.broadcast_to(veil.astype(np.uint8), picture.shape)
    return np.asarray(cv2.addWeighted(picture, 1.0 - share, np.ascontiguousarray(flat), share, 0))


def blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """Out of focus, or moved in one direction."""
    height = picture.shape[0]
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), height / 256 * rng.uniform(0.5, 2.5)))
    length = max(3, int(height / 256 * rng.uniform(4, 12)))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle, reach = (length - 1) / 2, length / 2
    step = np.array([np.cos(angle), np.sin(angle)]) * reach
    start, end = np.round(middle - step).astype(int), np.round(middle + step).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / max(kernel.sum(), 1e-6)))


def lose_pixels(picture: Picture, rng: np.random.Generator) -> Picture:
    """Few pixels, sensor noise and JPEG blocks at that size, then scaled up again."""
    height, width = picture.shape[:2]
    tall = float(np.exp(rng.uniform(np.log(40), np.log(300))))
    scale = min(1.0, tall / max(height, 1))
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.5:
        noise = rng.normal(0.0, rng.uniform(1.0, 12.0), (*small.shape[:2], 1))
        if rng.random() < 0.5:
            noise = rng.normal(0.0, rng.uniform(1.0, 8.0), small.shape)
        small = np.clip(small + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        small = sharpen(small, rng)
    quality = int(rng.uniform(20, 90))
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
    return np.asarray(cv2.resize(decoded, (width, height), interpolation=way), np.uint8)


def sharpen(picture: Picture, rng: np.random.Generator) -> Picture:
    """The halo of a camera that sharpens."""
    soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
    amount = float(rng.uniform(0.3, 1.5))
    return np.asarray(cv2.addWeighted(picture, 1.0 + amount, soft, -amount, 0), np.uint8)


def recolour(picture: Picture, mask: NDArray[np.bool_], rng: np.random.Generator) -> Picture:
    """Dye what `mask` `[H,W]` covers: the folds stay, the colour is drawn anew."""
    return dye(picture, mask, draw_dye(rng))


def draw_dye(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour that clothes have, BGR: dark, light, grey, or anything."""
    kind = rng.random()
    if kind < 0.3:
        return rng.uniform(10, 60) + rng.normal(0, 6, 3)
    if kind < 0.5:
        return rng.uniform(170, 245) + rng.normal(0, 8, 3)
    if kind < 0.65:
        return rng.uniform(60, 170) + rng.normal(0, 10, 3)
    return rng.uniform(15, 235, 3)


def dye(picture: Picture, mask: NDArray[np.bool_], colour: NDArray[np.float64]) -> Picture:
    """Give what `mask` `[H,W]` covers the mean colour `colour`, BGR `[3]`; its folds stay."""
    if not mask.any():
        return picture
    dyed: Picture = picture.copy()
    grey = picture[mask].astype(np.float32).mean(1)
    light = np.clip(grey / max(float(grey.mean()), 8.0), 0.2, 2.2)
    dyed[mask] = np.clip(light[:, None] * colour, 0, 255).astype(np.uint8)
    return dyed
