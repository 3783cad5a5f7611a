"""One simulated person: built once from a seed, then posed and drawn in any frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge_app.capture.simulated.body import (
    Body,
    draw_body,
    hair_texture,
    head_texture,
    skin_texture,
)
from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.cloth import Floats, UInt8, pick_shade
from edge_app.capture.simulated.garments import (
    Cut,
    cut_of,
    hip_texture,
    leg_texture,
    skirt_texture,
    sleeve_texture,
    trunk_texture,
)
from edge_app.capture.simulated.pose import Joints, pose_joints
from edge_app.capture.simulated.solids import (
    STEPS,
    Canvas,
    Light,
    Skin,
    Tube,
    draw_ellipsoid,
    draw_tube,
)
from edge_app.capture.simulated.walk import Place
from edge_app.capture.simulated.wardrobe import Outfit, draw_outfit
from edge_app.vocabulary import REGIONS

BODY_LABEL = 4
"""Label of skin, hair, shoes and bags; garments have 1 + the index of their region."""
NECK = 0.86
_WAIST = 0.62


def region_label(region: str) -> int:
    """The label that a region's surfaces carry in a canvas."""
    return 1 + REGIONS.index(region)


@dataclass(frozen=True, eq=False)
class Parts:
    """A person's solids that do not depend on the pose; None where there is nothing."""

    trunk: Tube
    hips: Tube | None
    hips_over: bool
    collar: Tube | None
    neck: Tube
    arm: tuple[Tube, Tube]
    sleeve: tuple[Tube | None, Tube | None]
    leg: tuple[Tube, Tube]
    trouser: tuple[Tube | None, Tube | None]
    shoe: Tube
    hand: Skin
    head: Skin
    hair: Skin | None
    hood: Skin | None
    bag: Skin | None


class Person:
    """A body with clothes.

    Attributes:
        body: proportions, skin and hair.
        outfit: what the person wears.
    """

    def __init__(self, look_seed: tuple[int, ...], upper: str | None = None) -> None:
        rng = np.random.default_rng(look_seed)
        self.outfit: Outfit = draw_outfit(rng, upper)
        self.body: Body = draw_body(rng, self.outfit.feminine)
        self.umbrella_draw = float(rng.random())
        self.trolley_draw = float(rng.random())
        self.cut: Cut = cut_of(self.outfit)
        self.umbrella = Skin(
            hair_texture(
                rng, pick_shade(rng, str(rng.choice(["black", "blue", "red", "green", "grey"])))
            ),
            BODY_LABEL,
        )
        self.parts = build_parts(rng, self.outfit, self.body, self.cut)
        self._bag_place = str(rng.choice(["back", "side"]))

    def draw(
        self, canvas: Canvas, camera: Camera, light: Light, place: Place, umbrella: bool
    ) -> None:
        """Draw the person.

        Args:
            canvas: what to draw on.
            camera: the camera.
            light: how the person is lit.
            place: where the person is.
            umbrella: whether the open umbrella is carried.
        """
        joints = pose_joints(self.body, place, umbrella)
        view = camera.position - joints.origin
        level = np.array([view[0], 0.0, view[2]], np.float32)
        level /= max(float(np.linalg.norm(level)), 1e-6)
        from_front = float(level @ joints.basis[2])
        drawing = _Drawing(canvas, camera, light, joints, level)
        self._behind(drawing, from_front)
        self._legs(drawing)
        parts = self.parts
        if parts.hips is not None and not parts.hips_over:
            self._hips(drawing, parts.hips)
        drawing.tube(parts.trunk, (0, NECK, 0.012), (0, self.cut.hem, 0))
        if parts.hips is not None and parts.hips_over:
            self._hips(drawing, parts.hips)
        if parts.collar is not None:
            drawing.tube(
                parts.collar, (0, 0.865 + self.cut.collar_m * 0.35, 0.004), (0, 0.828, 0.006)
            )
        drawing.tube(parts.neck, (0, 0.9, 0.014), (0, 0.845 + 0.3 * self.cut.collar_m, 0.006))
        for arm in drawing.arms(near=True):
            self._arm(drawing, arm)
        self._head(drawing, from_front)
        if umbrella:
            self._umbrella(drawing)

    def _hips(self, drawing: _Drawing, hips: Tube) -> None:
        bottom = 0.445 if self.outfit.lower != "skirt" else skirt_hem(self.outfit)
        drawing.tube(hips, (0, _WAIST, 0.004), (0, bottom, 0))

    def _behind(self, drawing: _Drawing, from_front: float) -> None:
        """What the trunk hides: the far arm, and what hangs on the back when seen in front."""
        if from_front > 0.1:
            self._long_hair(drawing)
            self._on_back(drawing)
        for arm in drawing.arms(near=False):
            self._arm(drawing, arm)

    def _on_back(self, drawing: _Drawing) -> None:
        height = self.body.height_m
        if self.parts.hood is not None:
            drawing.ellipsoid(self.parts.hood, (0, 0.845, -0.042), (0.07, 0.042, 0.04))
        if self.parts.bag is not None and self._bag_place == "back":
            drawing.ellipsoid(self.parts.bag, (0, 0.7, -0.11), (0.09, 0.135, 0.06))
        elif self.parts.bag is not None:
            side = 0.16 + 0.05 * (height > 1.7)
            drawing.ellipsoid(self.parts.bag, (side, 0.5, 0), (0.035, 0.07, 0.09))

    def _long_hair(self, drawing: _Drawing) -> None:
        hair, style = self.parts.hair, self.body.style
        if hair is None:
            return
        if style == "long":
            drawing.ellipsoid(hair, (0, 0.872, -0.036), (0.052, 0.098, 0.034))
        elif style == "ponytail":
            drawing.ellipsoid(hair, (0, 0.885, -0.066), (0.018, 0.07, 0.02))
        elif style == "bun":
            drawing.ellipsoid(hair, (0, 0.97, -0.06), (0.026, 0.024, 0.024))

    def _legs(self, drawing: _Drawing) -> None:
        for leg in drawing.legs():
            hip, knee, ankle, heel, toe = leg
            parts = self.parts
            drawing.world(parts.shoe, heel, toe, upright=False)
            bare = self.outfit.lower in ("skirt", "shorts") or self.outfit.upper == "dress"
            if bare:
                drawing.world(parts.leg[1], knee, ankle)
                drawing.world(parts.leg[0], hip, knee)
            if parts.trouser[1] is not None:
                drawing.world(parts.trouser[1], knee, ankle)
            if parts.trouser[0] is not None:
                end = knee
                if self.outfit.lower == "shorts":
                    end = hip + (knee - hip) * np.float32(0.55 + 0.42 * self.outfit.cut)
                drawing.world(parts.trouser[0], hip, end)

    def _arm(self, drawing: _Drawing, arm: Floats) -> None:
        shoulder, elbow, wrist, hand = arm
        parts, sleeve = self.parts, self.outfit.sleeve
        drawing.ball(parts.hand, hand, (0.02, 0.036, 0.026))
        if sleeve < 0.9:
            drawing.world(parts.arm[1], elbow, wrist)
            drawing.world(parts.arm[0], shoulder, elbow)
        if parts.sleeve[1] is not None:
            part = np.float32(min(max(sleeve * 2 - 1, 0.0), 1.0))
            drawing.world(parts.sleeve[1], elbow, elbow + (wrist - elbow) * part)
        if parts.sleeve[0] is not None:
            part = np.float32(min(sleeve * 2, 1.0))
            drawing.world(parts.sleeve[0], shoulder, shoulder + (elbow - shoulder) * part)

    def _head(self, drawing: _Drawing, from_front: float) -> None:
        parts = self.parts
        if from_front <= 0.1 and parts.hood is not None:
            self._on_back(drawing)
        crown = parts.hair if self.body.style in ("bob", "long", "ponytail", "bun") else None
        low = 0.07 if self.body.style in ("bob", "long") else 0.052
        if crown is not None and from_front > 0:
            drawing.ellipsoid(crown, (0, 0.935, -0.012), (0.052, low, 0.056))
        drawing.ellipsoid(parts.head, (0, 0.934, 0.012), (0.044, 0.066, 0.056))
        if from_front <= 0.1:
            if parts.hood is None:
                self._on_back(drawing)
            if crown is not None and from_front <= 0:
                drawing.ellipsoid(crown, (0, 0.938, -0.008), (0.051, low, 0.058))
            self._long_hair(drawing)

    def _umbrella(self, drawing: _Drawing) -> None:
        drawing.ellipsoid(self.umbrella, (0.05, 1.03, 0.1), (0.29, 0.12, 0.29), lowest=0.02)


class _Drawing:
    """One person's pose in one frame, with short names for drawing in shares of the height."""

    def __init__(
        self, canvas: Canvas, camera: Camera, light: Light, joints: Joints, level: Floats
    ) -> None:
        self._canvas, self._camera, self._light = canvas, camera, light
        self._joints, self._level = joints, level
        self._axes = joints.basis[[0, 2]]
        self._lying_axes = joints.basis[[0, 1]]

    def place(self, point: tuple[float, float, float]) -> Floats:
        """World place of a point right, up and forward in shares of the height."""
        height = np.float32(self._joints.height_m)
        found: Floats = (
            self._joints.origin + (np.array(point, np.float32) * height) @ self._joints.basis
        )
        return found

    def tube(
        self, tube: Tube, first: tuple[float, float, float], last: tuple[float, float, float]
    ) -> None:
        self.world(tube, self.place(first), self.place(last))

    def world(self, tube: Tube, first: Floats, last: Floats, upright: bool = True) -> None:
        draw_tube(
            self._canvas,
            self._camera,
            self._light,
            tube,
            np.stack([first, last]),
            self._axes if upright else self._lying_axes,
        )

    def ellipsoid(
        self,
        skin: Skin,
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        lowest: float = -1.0,
    ) -> None:
        self.ball(skin, self.place(centre), radii, lowest)

    def ball(
        self, skin: Skin, centre: Floats, radii: tuple[float, float, float], lowest: float = -1.0
    ) -> None:
        sizes = np.array(radii, np.float32) * np.float32(self._joints.height_m)
        draw_ellipsoid(
            self._canvas,
            self._camera,
            self._light,
            skin,
            centre,
            self._joints.basis * sizes[:, None],
            lowest,
        )

    def legs(self) -> list[Floats]:
        """Both legs, the farther first."""
        return sorted(self._joints.legs, key=lambda leg: float((leg[1] + leg[2]) @ self._level))

    def arms(self, near: bool) -> list[Floats]:
        """The arms in front of the trunk or those behind it, the farther first."""
        middle = float(self._joints.origin @ self._level)
        found = []
        for arm in self._joints.arms:
            ahead = float((arm[0] + arm[1]) @ self._level) / 2 - middle
            hand_ahead = float(arm[3] @ self._level) - middle
            if ((ahead > -0.07 and hand_ahead > -0.3) or ahead > 0.1) == near:
                found.append(arm)
        return sorted(found, key=lambda arm: float(arm[1] @ self._level))


def skirt_hem(outfit: Outfit) -> float:
    """Height of a skirt's hem as a share of the body's."""
    return 0.4 - 0.19 * outfit.length


def _limb(
    height_m: float,
    shares: tuple[float, ...],
    skin: Skin,
    loose_m: float = 0.0,
    rows: tuple[float, float] = (0.0, 1.0),
    ends: tuple[float, float] = (0.8, 0.8),
) -> Tube:
    radii = np.interp(np.linspace(0, 1, STEPS), np.linspace(0, 1, len(shares)), shares)
    radii = (radii * height_m + loose_m).astype(np.float32)
    return Tube(radii, radii, skin, rows, ends)


def build_parts(rng: np.random.Generator, outfit: Outfit, body: Body, cut: Cut) -> Parts:
    """Make a person's solids."""
    tall, girth = body.height_m, math.sqrt(body.girth)
    upper = region_label(outfit.garments[0].region)
    lower = region_label("bottom") if outfit.lower is not None else upper
    skin = Skin(skin_texture(rng, body.skin), BODY_LABEL)
    hosiery = skin
    if outfit.tights and outfit.lower != "shorts":
        hosiery = Skin(skin_texture(rng, (32, 28, 30)), BODY_LABEL)
    trunk = _trunk_tube(outfit, body, cut, Skin(trunk_texture(rng, outfit, body, NECK, cut), upper))
    sleeve = Skin(sleeve_texture(rng, outfit), upper)
    leg = Skin(leg_texture(rng, outfit), lower)
    thigh = tuple(value * girth for value in (0.05, 0.05, 0.041, 0.034))
    shin = tuple(value * girth for value in (0.034, 0.034, 0.029, 0.021))
    arm_top = tuple(value * girth for value in (0.031, 0.029, 0.025, 0.023))
    arm_low = tuple(value * girth for value in (0.023, 0.023, 0.019, 0.015))
    trousers = outfit.lower in ("jeans", "trousers", "shorts") or outfit.upper in (
        "suit",
        "jumpsuit",
    )
    loose, stand = outfit.leg_loose_m, min(outfit.loose_m, 0.03) * 0.8 + 0.004
    collar = None
    if cut.collar_m > 0:
        collar = _limb(tall, (0.037, 0.04, 0.05), Skin(_collar(outfit), upper), 0.004, ends=(0, 0))
    shoe_colour = pick_shade(rng, str(rng.choice(["black", "black", "brown", "white", "grey"])))
    bag = None
    if rng.random() < 0.24:
        bag = Skin(
            skin_texture(
                rng,
                pick_shade(
                    rng, str(rng.choice(["black", "brown", "red", "blue", "beige", "grey"]))
                ),
            ),
            BODY_LABEL,
        )
    return Parts(
        trunk=trunk,
        hips=_hip_tube(rng, outfit, body, lower),
        hips_over=outfit.lower in ("skirt", "trousers", "jeans", "shorts")
        and outfit.upper in ("shirt", "top", "tshirt", "sweater")
        and outfit.length < 0.35
        and outfit.cut < 0.7,
        collar=collar,
        neck=_limb(tall, (0.03, 0.031, 0.034), skin, ends=(0, 0.4)),
        arm=(_limb(tall, arm_top, skin), _limb(tall, arm_low, skin)),
        sleeve=(
            _limb(tall, arm_top, sleeve, stand, (0, 0.5), (0.9, 0.25))
            if outfit.sleeve > 0
            else None,
            _limb(tall, arm_low, sleeve, stand, (0.5, 1), (0.8, 0.2))
            if outfit.sleeve > 0.5
            else None,
        ),
        leg=(_limb(tall, thigh, hosiery), _limb(tall, shin, hosiery)),
        trouser=(
            _limb(tall, thigh, leg, loose * 0.6 + 0.004, (0, 0.5), (0.4, 0.5))
            if trousers
            else None,
            _limb(tall, shin, leg, loose + 0.006, (0.5, 1), (0.6, 0.1))
            if trousers and outfit.lower != "shorts"
            else None,
        ),
        shoe=_limb(
            tall,
            (0.02, 0.024, 0.022, 0.017),
            Skin(skin_texture(rng, shoe_colour), BODY_LABEL),
            ends=(1, 1),
        ),
        hand=skin,
        head=Skin(head_texture(rng, body), BODY_LABEL),
        hair=Skin(hair_texture(rng, body.hair), BODY_LABEL)
        if body.style not in ("bald", "cap", "short")
        else None,
        hood=Skin(sleeve_texture(rng, outfit), upper) if outfit.upper == "hoodie" else None,
        bag=bag,
    )


def _collar(outfit: Outfit) -> UInt8:
    cloth = outfit.cloth if outfit.upper not in ("blazer", "suit") else outfit.inner_cloth
    sheet = np.empty((16, 32, 3), np.uint8)
    sheet[:] = np.clip(np.array(cloth.bgr) * 0.92, 0, 255).astype(np.uint8)
    sheet[:3] = (sheet[:3] * 0.6).astype(np.uint8)
    if outfit.upper not in ("sweater",):
        sheet[:, 14:18] = (sheet[:, 14:18] * 0.7).astype(np.uint8)
    return sheet


def _trunk_tube(outfit: Outfit, body: Body, cut: Cut, skin: Skin) -> Tube:
    heights = np.linspace(NECK, cut.hem, STEPS)
    side, front = body.trunk_m(np.maximum(heights, 0.5))
    stands = np.clip((0.845 - heights) / 0.06, 0, 1) * outfit.loose_m
    below = np.clip((0.6 - heights) / max(0.6 - cut.hem, 0.02), 0, 1) * cut.flare_m
    if outfit.upper in ("hoodie", "jacket", "sweater"):
        # A ribbed hem pulls in what hangs over it.
        stands = stands - np.clip((cut.hem + 0.03 - heights) / 0.03, 0, 1) * outfit.loose_m * 0.5
    if outfit.upper not in ("dress", "top", "jumpsuit"):
        # Outer clothes do not follow the waist.
        waist = np.exp(-(((heights - 0.63) / 0.06) ** 2))
        stands = stands + waist * (0.02 if body.feminine else 0.006)
    grown = (stands + below).astype(np.float32)
    return Tube(side + grown, front + grown * np.float32(0.9), skin, (0, 1), (0.1, 0.0))


def _hip_tube(rng: np.random.Generator, outfit: Outfit, body: Body, label: int) -> Tube | None:
    if outfit.lower is None and outfit.upper not in ("suit", "jumpsuit"):
        return None
    hem = skirt_hem(outfit) if outfit.lower == "skirt" else 0.445
    heights = np.linspace(_WAIST, hem, STEPS)
    side, front = body.trunk_m(np.maximum(heights, 0.47))
    grown = np.full(STEPS, 0.008, np.float32)
    if outfit.lower == "skirt":
        flare = 0.0 if outfit.cut < 0.3 else 0.05 + 0.14 * outfit.cut
        grown += (np.clip((0.56 - heights) / (0.56 - hem), 0, 1) * flare).astype(np.float32)
        texture = skirt_texture(rng, outfit, (_WAIST - hem) * body.height_m)
        return Tube(side + grown, front + grown, Skin(texture, label))
    shrink = np.clip((0.485 - heights) / 0.05, 0, 1) * 0.2
    factor = (1 - shrink).astype(np.float32)
    return Tube(
        (side + grown) * factor,
        (front + grown) * factor,
        Skin(hip_texture(rng, outfit), label),
        (0, 1),
        (0, 0.5),
    )
