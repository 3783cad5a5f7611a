"""People cut out of street photos by their label maps, bent and put before another place."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from model_build.data.degrade import recolour
from model_build.data.rendered import LEAST_UNHIDDEN
from model_build.data.staging import turn_around

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]

HAIR, SKIN = 19, 41  # indices in CCP's label list
_LEAST_VISIBLE = 0.05  # of the whole person: a head and shoulders


@dataclass(frozen=True)
class Placement:
    """Where a person stands and how they are seen; pixels of the picture.

    Attributes:
        x: middle of the person.
        foot_y: of the feet, below the picture's lower edge where it cuts the person off.
        height_px: of the whole person.
        narrowing: width at the feet as a share of the width at the head: less when seen from above.
        squash: height as a share of that seen from the front.
        lean_rad: rotation.
        is_from_behind: the face is covered by hair.
    """

    x: float
    foot_y: float
    height_px: float
    narrowing: float
    squash: float
    lean_rad: float
    is_from_behind: bool


@dataclass(frozen=True)
class Cutout:
    """A prepared person: `picture` uint8 `[h,w,3]` BGR and `alpha` float32 `[h,w]`, 0..1."""

    picture: Picture
    alpha: Float32


@dataclass
class Pasted:
    """Who owns each pixel of a picture, and how large each person is as a whole.

    Attributes:
        owner: uint8 `[H,W]`, 0 for nobody, else the number of the person, from 1.
        whole_px: per person, pixels of the whole cut-out, also those outside the picture.
        inside_px: per person, pixels inside the picture, hidden or not.
        bounds: per person, the box of those inside the picture, xyxy.
    """

    owner: NDArray[np.uint8]
    whole_px: list[int] = field(default_factory=list)
    inside_px: list[int] = field(default_factory=list)
    bounds: list[tuple[float, float, float, float]] = field(default_factory=list)

    @classmethod
    def nobody(cls, size_hw: tuple[int, int]) -> Pasted:
        """An empty picture."""
        return cls(np.zeros(size_hw, np.uint8))

    def boxes(self) -> tuple[Float32, NDArray[np.bool_]]:
        """Boxes of whoever can be seen, float32 `[G,4]`, and whether too little of them can."""
        boxes, is_ignored = [], []
        for i, (whole, inside) in enumerate(zip(self.whole_px, self.inside_px, strict=True)):
            visible = int((self.owner == i + 1).sum())
            if visible > 0:
                boxes.append(self.bounds[i])
                hidden = visible < LEAST_UNHIDDEN * inside
                is_ignored.append(hidden or visible < _LEAST_VISIBLE * whole)
        return np.array(boxes, np.float32).reshape(-1, 4), np.array(is_ignored, bool)


def draw_party(size_hw: tuple[int, int], rng: np.random.Generator) -> list[Placement]:
    """One to five people close to each other, some behind others, all seen from one side."""
    height, width = size_hw
    count = int(rng.choice((1, 2, 3, 4, 5), p=(0.4, 0.2, 0.2, 0.12, 0.08)))
    is_near = rng.random() < 0.5
    low, high = (170, 620) if is_near else (32, 300)
    tall = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if rng.random() < (0.6 if is_near else 0.1):
        foot_y = height + tall * rng.uniform(0.02, 0.88)
    elif rng.random() < 0.1:
        foot_y = tall * rng.uniform(0.25, 0.95)  # cut off by the upper edge
    else:
        foot_y = rng.uniform(min(tall * 0.9, height * 0.9), height)
    is_from_above = rng.random() < (0.6 if is_near else 0.35)
    middle = rng.uniform(-0.02, 1.02) * width
    spacing = tall * rng.uniform(0.12, 0.45)
    is_from_behind = rng.random() < 0.5
    return [
        Placement(
            x=middle + (i - (count - 1) / 2) * spacing + rng.normal(0, 0.03) * tall,
            foot_y=foot_y + rng.normal(0, 0.09) * tall,
            height_px=tall * rng.uniform(0.88, 1.1),
            narrowing=rng.uniform(0.45, 0.95) if is_from_above else rng.uniform(0.9, 1.1),
            squash=rng.uniform(0.55, 0.95) if is_from_above else rng.uniform(0.92, 1.05),
            lean_rad=rng.normal(0, 0.07 if is_from_above else 0.04),
            is_from_behind=is_from_behind if rng.random() < 0.8 else not is_from_behind,
        )
        for i in range(count)
    ]


def prepare_cutout(
    picture: Picture,
    labels: NDArray[np.uint8],
    placement: Placement,
    rng: np.random.Generator,
) -> Cutout:
    """Dye, turn and bend a person of a label map; light them anew."""
    if rng.random() < 0.5:
        picture, labels = picture[:, ::-1], labels[:, ::-1]
    picture, labels = np.ascontiguousarray(picture), np.ascontiguousarray(labels)
    if rng.random() < 0.3:
        worn = [int(label) for label in np.unique(labels) if label not in (0, HAIR, SKIN)]
        if worn:
            picture = recolour(picture, labels == worn[int(rng.integers(len(worn)))], rng)
    if placement.is_from_behind:
        picture = turn_around(picture, labels, HAIR, SKIN, rng)
    height, width = labels.shape
    tall = max(placement.height_px * placement.squash, 8.0)
    wide = max(placement.height_px * width / height, 4.0)
    margin = 0.15 * max(tall, wide)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    foot = placement.narrowing
    bent = np.array([[-1, -1], [1, -1], [foot, 0], [-foot, 0]]) * [wide / 2, tall]
    turn = np.array(
        [
            [np.cos(placement.lean_rad), -np.sin(placement.lean_rad)],
            [np.sin(placement.lean_rad), np.cos(placement.lean_rad)],
        ]
    )
    bent = bent @ turn.T + [wide / 2 + margin, tall + margin]
    matrix = cv2.getPerspectiveTransform(corners, bent.astype(np.float32))
    size = (int(wide + 2 * margin), int(tall + 2 * margin))
    step = max(1, int(height / tall))
    if step > 1:  # fewer pixels first, or the warp would skip them
        picture = np.asarray(cv2.blur(picture, (step, step)), np.uint8)
    warped = cv2.warpPerspective(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mask = (labels > 0).astype(np.float32)
    alpha = cv2.warpPerspective(cv2.blur(mask, (step + 1, step + 1)), matrix, size)
    gain = np.exp(rng.normal(-0.1, 0.25) + rng.normal(0, 0.05, 3))
    lit = np.clip(warped * gain, 0, 255).astype(np.uint8)
    return Cutout(lit, np.asarray(alpha, np.float32))


def paste(canvas: Picture, pasted: Pasted, cutout: Cutout, placement: Placement) -> None:
    """Put a person on the canvas, in front of everybody already there; changes both arguments."""
    height, width = canvas.shape[:2]
    tall, wide = cutout.alpha.shape
    margin = 0.15 * max(tall, wide) / 1.3
    left = round(placement.x - wide / 2)
    top = round(placement.foot_y - tall + margin)
    pasted.whole_px.append(int((cutout.alpha > 0.5).sum()))
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + wide), min(height, top + tall)
    if x1 <= x0 or y1 <= y0:
        pasted.inside_px.append(0)
        pasted.bounds.append((0.0, 0.0, 0.0, 0.0))
        return
    cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    alpha = cutout.alpha[cut][..., None]
    here = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = (cutout.picture[cut] * alpha + here * (1 - alpha)).astype(np.uint8)
    mask = cutout.alpha[cut] > 0.5
    pasted.owner[y0:y1, x0:x1][mask] = len(pasted.whole_px)
    pasted.inside_px.append(int(mask.sum()))
    column, row, columns, rows = cv2.boundingRect(mask.astype(np.uint8))
    box = (x0 + column, y0 + row, x0 + column + columns, y0 + row + rows)
    pasted.bounds.append((float(box[0]), float(box[1]), float(box[2]), float(box[3])))
