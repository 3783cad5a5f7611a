"""A shopping trolley in front of a person."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.solids import Canvas, Light
from edge_app.capture.simulated.walk import Place

_BASKET = np.array(
    [(side, up, along) for up in (0.45, 0.95) for along in (0.35, 1.05) for side in (-0.24, 0.24)]
)
_WIRES = 6


def draw_trolley(canvas: Canvas, camera: Camera, light: Light, place: Place) -> None:
    """Draw a wire basket on wheels ahead of a person; see-through, and without a label."""
    cos_h, sin_h = math.cos(place.heading_rad), math.sin(place.heading_rad)
    basis = np.array([[cos_h, 0, -sin_h], [0, 1, 0], [sin_h, 0, cos_h]])
    ground = np.array([place.x_m, 0.0, place.z_m])
    corners = _BASKET.copy()
    corners[:4, [0, 2]] *= (0.8, 0.93)
    flat = camera.project(ground + corners @ basis)
    wheels = camera.project(ground + (corners[:4] * (1, 0, 1) + (0, 0.04, 0)) @ basis)
    if min(flat[:, 2].min(), wheels[:, 2].min()) < 0.4:
        return
    points = flat[:, :2] - (canvas.left, canvas.top)
    feet = wheels[:, :2] - (canvas.left, canvas.top)
    colour = (np.array([170, 172, 175]) * light.gain_bgr * 0.85 + light.veil_bgr).tolist()
    dark = (np.array([45, 45, 48]) * light.gain_bgr + light.veil_bgr).tolist()
    thick = max(round(0.012 * camera.focal_px / float(flat[:, 2].mean())), 1)

    def line(start: np.ndarray, end: np.ndarray, wide: int = 1) -> None:
        cv2.line(
            canvas.colours,
            start.astype(int).tolist(),
            end.astype(int).tolist(),
            colour,
            wide,
            cv2.LINE_AA,
        )

    for base, wheel in zip(points[:4], feet, strict=True):
        line(base, wheel, thick)
        cv2.circle(canvas.colours, wheel.astype(int).tolist(), thick + 1, dark, -1, cv2.LINE_AA)
    for low, high in ((0, 1), (2, 3), (0, 2), (1, 3)):
        line(points[low], points[high], thick)
        line(points[low + 4], points[high + 4], thick + 1)
        for part in np.linspace(0, 1, _WIRES):
            line(
                points[low] * (1 - part) + points[high] * part,
                points[low + 4] * (1 - part) + points[high + 4] * part,
            )
            line(
                points[low] * (1 - part) + points[low + 4] * part,
                points[high] * (1 - part) + points[high + 4] * part,
            )
