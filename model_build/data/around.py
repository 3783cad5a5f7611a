"""A random crop around a garment's box: how pictures with a single box are trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_GROWTH, MOST_GROWTH = 1.1, 1.3


def view_around(
    box_xyxy: NDArray[np.float32], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """A rectangle 10 to 30 % wider and taller than a box, which lies anywhere inside it.

    DeepFashion names one garment of a photo, and its photos show others: most of a crop so close
    to the box is that garment, and the network cannot learn that it always sits in the middle.

    Args:
        box_xyxy: `[4]`, inside the picture.
        size: width and height of the picture; the rectangle is moved inside, and cut where it
            is larger than the picture.
        rng: source of chance.

    Returns:
        The rectangle, xyxy, float64 `[4]`.
    """
    low, high = np.asarray(box_xyxy[:2], np.float64), np.asarray(box_xyxy[2:], np.float64)
    sides = (high - low) * rng.uniform(LEAST_GROWTH, MOST_GROWTH, 2)
    start = low - (sides - (high - low)) * rng.uniform(0.0, 1.0, 2)
    start = np.clip(start, 0.0, np.maximum(np.array(size) - sides, 0.0))
    return np.concatenate((start, np.minimum(start + sides, size)))
