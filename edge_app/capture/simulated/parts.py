"""A person's solids: made once from outfit and body, then only posed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge_app.capture.simulated.body import Body, hair_texture, head_texture, skin_texture
from edge_app.capture.simulated.cloth import UInt8, pick_shade
from edge_app.capture.simulated.garments import (
    Cut,
    hip_texture,
    leg_texture,
    skirt_texture,
    sleeve_texture,
    trunk_texture,
)
from edge_app.capture.simulated.solids import STEPS, Skin, Tube
from edge_app.capture.simulated.wardrobe import Outfit
from edge_app.vocabulary import REGIONS

BODY_LABEL = 4
"""Label of skin, hair, shoes and bags; garments have 1 + the index of their region."""
COVER_LABEL = 7
"""Label of an umbrella: no part of anybody, but whoever is behind it is hidden."""
NECK = 0.86
"""Height at which trunk garments begin, as a share of the body's."""
WAIST = 0.62
"""Height at which trousers and skirts begin."""
_BAG_SHARE = 0.17
# Radii along the limbs as shares of the height.
_THIGH, _SHIN = (0.05, 0.05, 0.041, 0.034), (0.034, 0.034, 0.029, 0.021)
_ARM_TOP, _ARM_LOW = (0.026, 0.031, 0.029, 0.026, 0.024, 0.023), (0.023, 0.023, 0.019, 0.015)


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
    found = np.interp(np.linspace(0, 1, STEPS), np.linspace(0, 1, len(shares)), shares)
    # Cloth lies closer where it hangs from the shoulder or the hip.
    stands = loose_m * np.interp(np.linspace(0, 1, STEPS), [0.0, 0.35], [0.3, 1.0])
    radii = np.asarray(found * height_m + stands, np.float32)
    return Tube(radii, radii, skin, rows, ends)


def build_parts(rng: np.random.Generator, outfit: Outfit, body: Body, cut: Cut) -> Parts:
    """Make a person's solids."""
    tall = body.height_m
    upper = region_label(outfit.garments[0].region)
    lower = region_label("bottom") if outfit.lower is not None else upper
    skin = Skin(skin_texture(rng, body.skin), BODY_LABEL)
    trunk = Skin(trunk_texture(rng, outfit, body, NECK, cut), upper)
    collar = None
    if cut.collar_m > 0:
        collar = _limb(tall, (0.037, 0.04, 0.05), Skin(_collar(outfit), upper), 0.004, ends=(0, 0))
    has_loose_hair = body.style not in ("bald", "cap", "short")
    return Parts(
        trunk=_trunk_tube(outfit, body, cut, trunk),
        hips=_hip_tube(rng, outfit, body, lower),
        hips_over=outfit.lower is not None
        and outfit.upper in ("shirt", "top", "tshirt", "sweater")
        and outfit.length < 0.35
        and outfit.cut < 0.7,
        collar=collar,
        neck=_limb(tall, (0.03, 0.031, 0.034), skin, ends=(0, 0.4)),
        arm=(_limb(tall, _ARM_TOP, skin), _limb(tall, _ARM_LOW, skin)),
        sleeve=_sleeves(tall, outfit, Skin(sleeve_texture(rng, outfit), upper)),
        leg=_legs(rng, body, outfit, skin),
        trouser=_trousers(body, outfit, Skin(leg_texture(rng, outfit), lower)),
        shoe=_limb(
            tall,
            (0.02, 0.024, 0.022, 0.017),
            _leather(rng, ("black", "black", "brown", "white", "grey")),
            ends=(1, 1),
        ),
        hand=skin,
        head=Skin(head_texture(rng, body), BODY_LABEL),
        hair=Skin(hair_texture(rng, body.hair), BODY_LABEL) if has_loose_hair else None,
        hood=Skin(sleeve_texture(rng, outfit), upper) if outfit.upper == "hoodie" else None,
        bag=_leather(rng, ("black", "black", "brown", "grey", "blue"))
        if rng.random() < _BAG_SHARE
        else None,
    )


def _leather(rng: np.random.Generator, colours: tuple[str, ...]) -> Skin:
    colour = pick_shade(rng, colours[int(rng.integers(len(colours)))])
    return Skin(skin_texture(rng, colour), BODY_LABEL)


def _sleeves(tall_m: float, outfit: Outfit, skin: Skin) -> tuple[Tube | None, Tube | None]:
    stand_m = min(outfit.loose_m, 0.03) * 0.8 + 0.004
    top = _limb(tall_m, _ARM_TOP, skin, stand_m, (0, 0.5), (0.6, 0.25))
    low = _limb(tall_m, _ARM_LOW, skin, stand_m, (0.5, 1), (0.8, 0.2))
    return top if outfit.sleeve > 0 else None, low if outfit.sleeve > 0.5 else None


def _legs(rng: np.random.Generator, body: Body, outfit: Outfit, skin: Skin) -> tuple[Tube, Tube]:
    if outfit.tights and outfit.lower != "shorts":
        skin = Skin(skin_texture(rng, (32, 28, 30)), BODY_LABEL)
    girth = math.sqrt(body.girth)
    return _limb(body.height_m * girth, _THIGH, skin), _limb(body.height_m * girth, _SHIN, skin)


def _trousers(body: Body, outfit: Outfit, skin: Skin) -> tuple[Tube | None, Tube | None]:
    if outfit.lower == "skirt" or outfit.upper == "dress":
        return None, None
    tall_m, loose_m = body.height_m * math.sqrt(body.girth), outfit.leg_loose_m
    thigh = _limb(tall_m, _THIGH, skin, loose_m * 0.6 + 0.004, (0, 0.5), (0.4, 0.5))
    shin = _limb(tall_m, _SHIN, skin, loose_m + 0.006, (0.5, 1), (0.6, 0.1))
    return thigh, None if outfit.lower == "shorts" else shin


def _collar(outfit: Outfit) -> UInt8:
    cloth = outfit.cloth if outfit.upper not in ("blazer", "suit") else outfit.inner_cloth
    sheet = np.empty((16, 32, 3), np.uint8)
    sheet[:] = np.clip(np.array(cloth.bgr) * 0.92, 0, 255).astype(np.uint8)
    sheet[:3] = (sheet[:3] * 0.6).astype(np.uint8)
    if outfit.upper != "sweater":
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
    heights = np.linspace(WAIST, hem, STEPS)
    side, front = body.trunk_m(np.maximum(heights, 0.47))
    grown = np.full(STEPS, 0.008, np.float32)
    if outfit.lower == "skirt":
        flare = 0.0 if outfit.cut < 0.3 else 0.05 + 0.14 * outfit.cut
        grown += (np.clip((0.56 - heights) / (0.56 - hem), 0, 1) * flare).astype(np.float32)
        texture = skirt_texture(rng, outfit, (WAIST - hem) * body.height_m)
        return Tube(side + grown, front + grown, Skin(texture, label), is_open=True)
    shrink = np.clip((0.485 - heights) / 0.05, 0, 1) * 0.2
    factor = (1 - shrink).astype(np.float32)
    return Tube(
        (side + grown) * factor,
        (front + grown) * factor,
        Skin(hip_texture(rng, outfit), label),
        (0, 1),
        (0, 0.5),
        is_open=True,
    )
