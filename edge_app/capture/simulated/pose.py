"""Where a walking person's joints are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge_app.capture.simulated.body import Body
from edge_app.capture.simulated.cloth import Floats
from edge_app.capture.simulated.walk import Place

THIGH, SHIN = 0.242, 0.236
UPPER_ARM, FOREARM, HAND = 0.172, 0.15, 0.035


@dataclass(frozen=True, eq=False)
class Joints:
    """A pose in world metres.

    Attributes:
        origin: float32 [3], the ground point, raised or lowered so that a foot touches the floor.
        basis: float32 [3, 3], unit rows: the person's right, up and front.
        height_m: standing height.
        legs: two of float32 [5, 3]: hip, knee, ankle, heel, toe.
        arms: two of float32 [4, 3]: shoulder, elbow, wrist, hand.
    """

    origin: Floats
    basis: Floats
    height_m: float
    legs: tuple[Floats, Floats]
    arms: tuple[Floats, Floats]


def pose_joints(body: Body, place: Place, raised: bool) -> Joints:
    """Pose a body that has walked some distance.

    Args:
        body: proportions and habits.
        place: where the person is.
        raised: whether the right hand holds an umbrella up.
    """
    x_m, z_m, heading = place.x_m, place.z_m, place.heading_rad
    gone, speed = place.gone_m, place.speed_m_s
    cos_h, sin_h = math.cos(heading), math.sin(heading)
    basis = np.array([[cos_h, 0, -sin_h], [0, 1, 0], [sin_h, 0, cos_h]], np.float32)
    swing = min(speed / 1.3, 1.15) * 0.42 * body.stride
    phase = 2 * math.pi * gone / (0.83 * body.height_m * body.stride)
    local = [_leg(side, swing, phase + (math.pi if side > 0 else 0.0)) for side in (-1, 1)]
    lowest = min(float(leg[3:, 1].min()) for leg in local) - 0.02
    arms = [
        _arm(body, side, swing, phase + (0.0 if side > 0 else math.pi), raised) for side in (-1, 1)
    ]
    tall = np.float32(body.height_m)
    origin = np.array([x_m, -lowest * body.height_m, z_m], np.float32)
    legs = [origin + (leg * tall) @ basis for leg in local]
    arms = [origin + (arm * tall) @ basis for arm in arms]
    return Joints(origin, basis, body.height_m, (legs[0], legs[1]), (arms[0], arms[1]))


def _leg(side: int, swing: float, phase: float) -> Floats:
    """Hip, knee, ankle, heel and toe in shares of the height, right-up-front."""
    forward = swing * math.sin(phase) + 0.04 * swing
    bend = 0.06 + 1.9 * swing * max(0.0, math.cos(phase)) ** 1.5
    lower = forward - bend
    hip = (side * 0.046, 0.5, 0.0)
    knee = (side * 0.047, hip[1] - THIGH * math.cos(forward), THIGH * math.sin(forward))
    ankle = (side * 0.05, knee[1] - SHIN * math.cos(lower), knee[2] + SHIN * math.sin(lower))
    pitch = min(lower, 0.0) * 0.7 + max(forward, 0) * 0.35
    along, up = math.cos(pitch), math.sin(pitch)
    heel = (side * 0.05, ankle[1] - 0.018, ankle[2] - 0.012)
    toe = (side * 0.058, heel[1] + 0.105 * up, heel[2] + 0.105 * along)
    return np.array([hip, knee, ankle, heel, toe], np.float32)


def _arm(body: Body, side: int, swing: float, phase: float, raised: bool) -> Floats:
    """Shoulder, elbow, wrist and hand in shares of the height, right-up-front."""
    forward = 0.75 * swing * math.sin(phase) + 0.02
    bend = body.arm_bend_rad * (0.5 + swing)
    inward = 0.05
    holds = body.holding == "both" or body.holding == ("right" if side > 0 else "left")
    if raised and side > 0:
        forward, bend, inward = 0.5, 2.0, 0.1
    elif holds:
        forward, bend, inward = 0.12 + 0.2 * forward, 1.45, 0.45
    out = 0.13 + 0.08 * (body.girth - 1)
    wide = (0.087 if body.feminine else 0.1) * (0.6 + 0.4 * body.girth)
    shoulder = np.array([side * wide, 0.789, 0.0])
    elbow = shoulder + UPPER_ARM * np.array(
        [side * math.sin(out), -math.cos(forward) * math.cos(out), math.sin(forward)]
    )
    angle = forward + bend
    low = np.array([-side * math.sin(inward), -math.cos(angle), math.sin(angle)])
    low /= np.linalg.norm(low)
    wrist = elbow + FOREARM * low
    return np.array([shoulder, elbow, wrist, wrist + HAND * low], np.float32)
