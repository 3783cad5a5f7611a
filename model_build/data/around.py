"""What is cut out around a box: so much on each side, or a random crop that holds it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_GROWTH, MOST_GROWTH = 1.1, 1.3


def widened(box_xyxy: ArrayLike, margins: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """A box with its sides moved outwards, float64 `[4]`.

    Args:
        box_xyxy: `[4]`.
        margins: of left, top, right and bottom, or of all, as shares of the width or height.
    """
    box = np.asarray(box_xyxy, np.float64)
    sides = box[2:] - box[:2]
    return box + margins * np.concatenate((-sides, sides))


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
