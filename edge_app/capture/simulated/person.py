"""One simulated person: built once from a seed, then posed and drawn in any frame."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from edge_app.capture.simulated.body import Body, draw_body, hair_texture
from edge_app.capture.simulated.camera import Camera
from edge_app.capture.simulated.cloth import Floats, pick_shade
from edge_app.capture.simulated.ellipsoid import draw_ellipsoid
from edge_app.capture.simulated.garments import Cut, cut_of
from edge_app.capture.simulated.parts import (
    COVER_LABEL,
    NECK,
    WAIST,
    Parts,
    build_parts,
    skirt_hem,
)
from edge_app.capture.simulated.pose import Joints, pose_joints
from edge_app.capture.simulated.solids import Canvas, Light, Skin, Tube, Vector
from edge_app.capture.simulated.tube import draw_tube
from edge_app.capture.simulated.walk import Place
from edge_app.capture.simulated.wardrobe import Outfit, draw_outfit


class Person:
    """A body with clothes.

    Attributes:
        body: proportions, skin and hair.
        outfit: what the person wears.
        umbrella_draw: 0 to 1, even; below the share of people with umbrellas they carry one.
        trolley_draw: the same for trolleys.
        cut: geometry of the garment on the trunk.
    """

    def __init__(self, look_seed: tuple[int, ...]) -> None:
        rng = np.random.default_rng(look_seed)
        self.outfit: Outfit = draw_outfit(rng)
        self.body: Body = draw_body(rng, self.outfit.feminine)
        self.umbrella_draw = float(rng.random())
        self.trolley_draw = float(rng.random())
        self.cut: Cut = cut_of(self.outfit)
        self._bag_on_back = bool(rng.random() < 0.5)
        self._look_seed = look_seed

    @cached_property
    def parts(self) -> Parts:
        """The solids, made when first drawn: the truth of a run needs none."""
        rng = np.random.default_rng([*self._look_seed, 1])
        return build_parts(rng, self.outfit, self.body, self.cut)

    @cached_property
    def _umbrella_skin(self) -> Skin:
        rng = np.random.default_rng([*self._look_seed, 2])
        colours = ("black", "blue", "red", "green", "grey")
        shade = pick_shade(rng, colours[int(rng.integers(len(colours)))])
        return Skin(hair_texture(rng, shade), COVER_LABEL)

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
        drawing.tube(hips, (0, WAIST, 0.004), (0, bottom, 0))

    def _behind(self, drawing: _Drawing, from_front: float) -> None:
        """What the trunk hides: the far arm, and what hangs on the back when seen in front."""
        if from_front > 0.1:
            self._long_hair(drawing)
            self._on_back(drawing)
        for arm in drawing.arms(near=False):
            self._arm(drawing, arm)

    def _on_back(self, drawing: _Drawing) -> None:
        if self.parts.hood is not None:
            drawing.ellipsoid(self.parts.hood, (0, 0.845, -0.042), (0.07, 0.042, 0.04))
        if self.parts.bag is not None and self._bag_on_back:
            drawing.ellipsoid(self.parts.bag, (0, 0.715, -0.095), (0.075, 0.115, 0.048))
        elif self.parts.bag is not None:
            side = 0.125 + 0.04 * (self.body.girth - 1)
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
        drawing.ellipsoid(self._umbrella_skin, (0.05, 1.03, 0.1), (0.29, 0.12, 0.29), lowest=0.02)


class _Drawing:
    """One person's pose in one frame, with short names for drawing in shares of the height."""

    def __init__(
        self, canvas: Canvas, camera: Camera, light: Light, joints: Joints, level: Floats
    ) -> None:
        self._canvas, self._camera, self._light = canvas, camera, light
        self._joints, self._level = joints, level
        right, up, front = (_numbers(row) for row in joints.basis)
        self._axes = (right, front)
        self._lying_axes = (right, up)

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
            (_numbers(first), _numbers(last)),
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


def _numbers(point: Floats) -> Vector:
    x, y, z = point.tolist()
    return x, y, z
