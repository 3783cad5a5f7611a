"""Light, lens, sensor and encoder: what turns clean colours into a camera's picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.capture.simulated.cloth import Floats, UInt8, noise, to_texture
from edge_app.capture.simulated.layout import Layout
from edge_app.capture.simulated.solids import Light


@dataclass(frozen=True)
class Look:
    """What a camera and its store's lights do to every frame.

    Attributes:
        direction: where the light comes from, float32 [3], unit, world.
        ambient: light that reaches everything, 0..1.
        tint_bgr: colour of the light.
        gain: exposure.
        gamma: of the tone curve; above 1 darkens the middle.
        contrast: about mid grey, 1 leaves it.
        haze: share of a veil over everything, more with distance.
        veil_bgr: colour of the haze.
        flicker: amplitude of brightness changes from frame to frame.
        noise_level: standard deviation of the sensor's noise, 0..255.
        blur_px: standard deviation of the lens blur.
        jpeg_quality: of the encoder; None for none.
        gradient: brightness change from one side of the picture to the other.
        saturation: 1 leaves it, 0 is grey.
        shadow: darkness of the shadows under people, 0..1.
    """

    direction: Floats
    ambient: float
    tint_bgr: tuple[float, float, float]
    gain: float
    gamma: float
    contrast: float
    haze: float
    veil_bgr: tuple[float, float, float]
    flicker: float
    noise_level: float
    blur_px: float
    jpeg_quality: int | None
    gradient: tuple[float, float]
    saturation: float
    shadow: float


def draw_look(rng: np.random.Generator, style: float, height: int) -> Look:
    """Draw lights and camera faults; ``style`` scales how strong they are."""
    direction = np.array([rng.normal(0, 0.4), 1.0, -abs(rng.normal(0.3, 0.4))])
    warm = rng.normal(0, 0.05) * style
    hazy = rng.random() < 0.25
    compressed = rng.random() < 0.45 * min(style, 1.0)
    quality = int(np.clip(rng.uniform(45, 88) + (1 - style) * 25, 25, 95))
    veil = float(rng.uniform(110, 200))
    return Look(
        direction=(direction / np.linalg.norm(direction)).astype(np.float32),
        ambient=float(rng.uniform(0.45, 0.68)),
        tint_bgr=(1 - warm, 1.0, 1 + warm),
        gain=float(np.exp(rng.normal(0.0, 0.16) * style)),
        gamma=float(np.exp(rng.normal(0.0, 0.14) * style)),
        contrast=float(np.clip(1 + rng.normal(0.0, 0.12) * style, 0.55, 1.5)),
        haze=float(rng.uniform(0.05, 0.3) * style) if hazy else 0.0,
        veil_bgr=(veil, veil, veil),
        flicker=float(rng.uniform(0, 0.025) * style) if rng.random() < 0.5 else 0.0,
        noise_level=float(abs(rng.normal(2.2, 2.0)) * style),
        blur_px=float(rng.uniform(0.45, 0.75) * height / 360 + rng.exponential(0.16) * style),
        jpeg_quality=quality if compressed else None,
        gradient=(float(rng.normal(0, 0.14) * style), float(rng.normal(0, 0.1) * style)),
        saturation=float(np.clip(rng.normal(0.95, 0.15 * style), 0.0, 1.3)),
        shadow=float(rng.uniform(0.25, 0.6)),
    )


class Optics:
    """Applies a :class:`Look` to a whole run's frames."""

    def __init__(self, look: Look, layout: Layout, rng: np.random.Generator, seed: int) -> None:
        self.look = look
        self._layout = layout
        self._seed = seed
        camera = layout.camera
        self._size = (camera.height, camera.width)
        self._field = self._light_field(rng)
        self._noise = self._noise_sheet(rng)

    def _light_field(self, rng: np.random.Generator) -> Floats:
        """Brightness over the picture: a slope, a vignette and soft pools of light."""
        height, width = self._size
        across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        field = 1 + self.look.gradient[0] * across + self.look.gradient[1] * down
        field = field * (1 - 0.13 * (across**2 + down**2) * float(rng.random()))
        field = field * (1 + 0.05 * noise(rng, self._size, (3, 4)))
        return np.asarray(np.clip(field, 0.35, 1.7), np.float32)

    def _noise_sheet(self, rng: np.random.Generator) -> UInt8:
        height, width = self._size
        shape = (height + 61, width + 67, 3)
        grain = rng.normal(0, 1, shape).astype(np.float32)
        grain = 0.75 * grain + 0.6 * cv2.GaussianBlur(grain, (3, 3), 0.8) * 1.6
        return to_texture(128 + self.look.noise_level * grain)

    def light_scene(self, colours: Floats) -> Floats:
        """Light the empty scene; float32 [H, W, 3] in and out."""
        lit = colours * self._field[:, :, None] * np.array(self.look.tint_bgr, np.float32)
        haze = np.float32(self.look.haze)
        lit = lit * (1 - haze) + np.array(self.look.veil_bgr, np.float32) * haze
        return np.asarray(lit, np.float32)

    def light_at(self, x_px: float, y_px: float, depth_m: float) -> Light:
        """The light on a person at a place in the picture."""
        height, width = self._size
        row = int(np.clip(y_px, 0, height - 1))
        column = int(np.clip(x_px, 0, width - 1))
        haze = min(self.look.haze * (0.6 + depth_m / 12.0), 0.75)
        gain = self._field[row, column] * (1 - haze) * 1.12
        return Light(
            self.look.direction,
            self.look.ambient,
            np.array(self.look.tint_bgr, np.float32) * np.float32(gain),
            np.array(self.look.veil_bgr, np.float32) * np.float32(haze),
        )

    def expose(self, scene_bgr: UInt8, index: int) -> UInt8:
        """Lens, sensor and encoder; uint8 [H, W, 3] in and out. Depends on the frame's number."""
        look = self.look
        rng = np.random.default_rng([self._seed, 13, index])
        frame: cv2.typing.MatLike = scene_bgr
        if look.blur_px > 0.3:
            reach = 3 if look.blur_px < 0.9 else 5
            frame = cv2.GaussianBlur(frame, (reach, reach), look.blur_px)
        frame = cv2.LUT(frame, self._tone(rng))
        if look.saturation < 0.97 or look.saturation > 1.03:
            keep, rest = look.saturation, 1 - look.saturation
            mix = np.full((3, 3), rest) * np.array([[0.114, 0.587, 0.299]]) + np.eye(3) * keep
            frame = cv2.transform(frame, mix.astype(np.float32))
        if look.noise_level > 0.3:
            top, left = int(rng.integers(60)), int(rng.integers(66))
            height, width = self._size
            sheet = self._noise[top : top + height, left : left + width]
            frame = cv2.addWeighted(frame, 1.0, sheet, 1.0, -128.0)
        if look.jpeg_quality is not None:
            encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, look.jpeg_quality])[1]
            decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
            frame = frame if decoded is None else decoded
        return np.asarray(frame, np.uint8)

    def _tone(self, rng: np.random.Generator) -> UInt8:
        look = self.look
        gain = look.gain * (1 + look.flicker * math.sin(float(rng.uniform(0, 2 * math.pi))))
        level = np.clip(np.arange(256) / 255.0 * gain, 0, None) ** look.gamma
        level = (level - 0.45) * look.contrast + 0.45
        return np.clip(level * 255, 0, 255).astype(np.uint8)
