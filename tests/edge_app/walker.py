"""Somebody who walks as told, and the picture in which they are found."""

from __future__ import annotations

import numpy as np

from edge_app.flow import Batch, Float32

WIDTH_PX, HEIGHT_PX = 640, 320
NETWORK_PX = WIDTH_PX // 128
"""Of the picture, to one of the tiny detector's."""

_NOISE = np.random.default_rng(0).integers(-25, 25, (HEIGHT_PX, WIDTH_PX, 3))
DRESS = (np.array([60, 90, 230]) + _NOISE).astype(np.uint8)
"""In red, the tiny networks see a dress; in blue, a shirt and jeans."""


class Walker:
    """An engine that finds one person, whose feet are where they are set."""

    def __init__(self) -> None:
        self.x_px, self.feet_px = 300.0, 0.0

    def infer(self, batch: Batch) -> dict[str, Float32]:
        feet_px = min(self.feet_px, HEIGHT_PX)
        box = np.array([self.x_px, self.feet_px - 150.0, self.x_px + 60.0, feet_px]) / NETWORK_PX
        is_seen = self.feet_px - 150.0 < HEIGHT_PX - 20.0
        return {
            "boxes": np.tile(box.astype(np.float32), (len(batch), 1, 1)),
            "scores": np.full((len(batch), 1, 1), 0.9 * is_seen, np.float32),
        }

    def close(self) -> None:
        pass
