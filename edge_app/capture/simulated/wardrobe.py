"""Who wears what: consistent outfits in the fifteen categories."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge_app.capture.simulated.cloth import Cloth, pick_cloth
from edge_app.vocabulary import REGION_OF

ANY = (
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "blue",
    "purple",
    "pink",
    "brown",
    "beige",
)
SOBER = ("black", "black", "grey", "grey", "blue", "blue", "brown", "beige")
COAT = ("black", "black", "grey", "blue", "brown", "beige", "beige", "green", "red")

_UPPER_WEIGHTS = {
    "tshirt": 1.0,
    "shirt": 1.0,
    "top": 0.9,
    "sweater": 1.0,
    "hoodie": 0.9,
    "blazer": 0.9,
    "jacket": 1.0,
    "coat": 0.95,
    "suit": 0.85,
    "dress": 1.15,
    "jumpsuit": 0.75,
}
_BOTTOM_WEIGHTS = {
    "tshirt": (0.34, 0.24, 0.24, 0.18),
    "shirt": (0.3, 0.34, 0.1, 0.26),
    "top": (0.28, 0.22, 0.24, 0.26),
    "sweater": (0.36, 0.38, 0.04, 0.22),
    "hoodie": (0.46, 0.34, 0.14, 0.06),
    "blazer": (0.34, 0.4, 0.0, 0.26),
    "jacket": (0.44, 0.38, 0.02, 0.16),
    "coat": (0.42, 0.58, 0.0, 0.0),
}
_LEAST_CONTRAST = 40.0
_BOTTOMS = ("jeans", "trousers", "shorts", "skirt")


@dataclass(frozen=True)
class Garment:
    """One garment as the truth names it.

    Attributes:
        region: top, bottom or long.
        category: one of the fifteen.
        colour: name of its main colour.
    """

    region: str
    category: str
    colour: str


@dataclass(frozen=True)
class Outfit:
    """What one person wears, and how it is cut.

    Attributes:
        upper: category of the outer garment on the trunk (top or long).
        lower: category of the bottom, or None under a dress, suit or jumpsuit.
        cloth: of the upper garment.
        lower_cloth: of the bottom; a suit's trousers are of the suit's cloth.
        inner: category worn under an open blazer, jacket, coat or suit, or None. It is visible
            from the front only and not in the truth's regions.
        inner_cloth: of the inner garment.
        cut: what varies within the category, 0 to 1 (neckline, length, closure).
        length: 0 (shortest of the category) to 1 (longest).
        sleeve: share of the arm that is covered, 0 to 1.
        loose_m: how far the upper garment stands off the body.
        leg_loose_m: how far the trousers stand off the leg.
        tights: legs under a skirt or dress are covered.
        feminine: cut and body for a woman.
        garments: what the truth says.
    """

    upper: str
    lower: str | None
    cloth: Cloth
    lower_cloth: Cloth
    inner: str | None
    inner_cloth: Cloth
    cut: float
    length: float
    sleeve: float
    loose_m: float
    leg_loose_m: float
    tights: bool
    feminine: bool
    garments: tuple[Garment, ...]

    @property
    def wears(self) -> frozenset[str]:
        """The categories that the truth names."""
        return frozenset(garment.category for garment in self.garments)


def draw_outfit(rng: np.random.Generator, upper: str | None = None) -> Outfit:
    """Draw an outfit, with a given category on the trunk or a drawn one."""
    if upper is None:
        weights = np.array(list(_UPPER_WEIGHTS.values()))
        upper = str(rng.choice(list(_UPPER_WEIGHTS), p=weights / weights.sum()))
    lower = None
    if upper in _BOTTOM_WEIGHTS:
        lower = str(rng.choice(_BOTTOMS, p=_BOTTOM_WEIGHTS[upper]))
    likely = {"dress": 1.0, "top": 0.85, "suit": 0.2, "jumpsuit": 0.8, "hoodie": 0.35}
    chance = 1.0 if lower == "skirt" else likely.get(upper, 0.5)
    feminine = bool(rng.random() < chance)
    cloth = _upper_cloth(rng, upper)
    lower_cloth = cloth if upper in ("suit", "jumpsuit") else _lower_cloth(rng, lower)
    while upper == "blazer" and lower in ("jeans", "trousers") and _is_alike(cloth, lower_cloth):
        lower_cloth = _lower_cloth(rng, lower)
    inner = _inner(rng, upper)
    inner_cloth = pick_cloth(
        rng,
        ("white", "white", "blue", "grey", "black", "pink"),
        ("plain", "plain", "upright", "across"),
    )
    named = [Garment(REGION_OF[upper], upper, cloth.name)]
    if lower is not None:
        named.append(Garment("bottom", lower, lower_cloth.name))
    return Outfit(
        upper=upper,
        lower=lower,
        cloth=cloth,
        lower_cloth=lower_cloth,
        inner=inner,
        inner_cloth=inner_cloth,
        cut=float(rng.random()),
        length=float(rng.random()),
        sleeve=_sleeve(rng, upper),
        loose_m=_loose(rng, upper),
        leg_loose_m=_leg_loose(rng, upper, lower),
        tights=bool(rng.random() < 0.3),
        feminine=feminine,
        garments=tuple(named),
    )


def _is_alike(cloth: Cloth, other: Cloth) -> bool:
    """Whether two cloths look like one: a blazer with trousers of the same cloth is a suit."""
    pairs = zip(cloth.bgr, other.bgr, strict=True)
    return cloth.name == other.name or max(abs(a - b) for a, b in pairs) < _LEAST_CONTRAST


def _upper_cloth(rng: np.random.Generator, upper: str) -> Cloth:
    prints = ("plain", "plain", "plain", "across", "dots", "floral")
    choices: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "tshirt": (ANY, ("plain", "plain", "plain", "across", "melange")),
        "shirt": (
            ("white", "white", "blue", "blue", "grey", "black", "pink", "red", "green"),
            ("plain", "plain", "upright", "check", "check", "dots"),
        ),
        "top": (ANY, prints),
        "sweater": (ANY, ("knit", "knit", "melange", "plain", "across")),
        "hoodie": (
            ("grey", "grey", "black", "blue", "red", "green", "purple", "white", "yellow"),
            ("plain", "plain", "melange"),
        ),
        "blazer": (SOBER, ("plain", "plain", "tweed", "upright")),
        "jacket": (
            ("black", "brown", "green", "blue", "grey", "red", "beige", "orange"),
            ("plain", "leather", "quilt", "denim", "plain"),
        ),
        "coat": (COAT, ("plain", "plain", "tweed", "quilt")),
        "suit": (("black", "grey", "grey", "blue", "blue", "brown"), ("plain", "plain", "upright")),
        "dress": (ANY, ("plain", "plain", "floral", "floral", "dots", "across")),
        "jumpsuit": (
            ("black", "blue", "green", "red", "beige", "brown", "blue"),
            ("plain", "plain", "plain", "denim", "dots"),
        ),
    }
    cloth = pick_cloth(rng, *choices[upper])
    if upper in ("blazer", "suit") and cloth.weave == "upright":
        # Pinstripes are thin and close to the cloth's own shade.
        blue, green, red = (min(value * 1.25 + 16, 250.0) for value in cloth.bgr)
        return replace(cloth, second_bgr=(blue, green, red), size_m=0.022)
    return cloth


def _lower_cloth(rng: np.random.Generator, lower: str | None) -> Cloth:
    if lower == "jeans":
        return pick_cloth(rng, ("blue", "blue", "blue", "blue", "grey", "black"), ("denim",))
    if lower == "shorts":
        return pick_cloth(
            rng,
            ("beige", "blue", "black", "grey", "green", "white", "red"),
            ("plain", "plain", "denim", "check"),
        )
    if lower == "skirt":
        return pick_cloth(rng, ANY, ("plain", "plain", "plain", "check", "floral", "denim"))
    return pick_cloth(
        rng,
        ("black", "black", "grey", "blue", "brown", "beige", "green"),
        ("plain", "plain", "plain", "melange"),
    )


def _inner(rng: np.random.Generator, upper: str) -> str | None:
    if upper in ("blazer", "suit"):
        return "shirt"
    if upper in ("jacket", "coat") and rng.random() < 0.5:
        return str(rng.choice(["tshirt", "shirt", "sweater"]))
    return None


def _sleeve(rng: np.random.Generator, upper: str) -> float:
    if upper == "tshirt":
        return float(rng.uniform(0.28, 0.44))
    if upper == "top":
        return 0.0
    if upper in ("dress", "jumpsuit"):
        return float(rng.choice([0.0, 0.0, 0.22, 0.36, 0.97], p=[0.25, 0.2, 0.2, 0.2, 0.15]))
    if upper == "shirt" and rng.random() < 0.22:
        return float(rng.uniform(0.36, 0.6))
    return 0.98


def _loose(rng: np.random.Generator, upper: str) -> float:
    low, high = {
        "tshirt": (0.008, 0.03),
        "shirt": (0.01, 0.03),
        "top": (0.004, 0.012),
        "sweater": (0.012, 0.035),
        "hoodie": (0.02, 0.04),
        "blazer": (0.014, 0.026),
        "jacket": (0.02, 0.05),
        "coat": (0.022, 0.05),
        "suit": (0.014, 0.026),
        "dress": (0.004, 0.014),
        "jumpsuit": (0.006, 0.02),
    }[upper]
    return float(rng.uniform(low, high))


def _leg_loose(rng: np.random.Generator, upper: str, lower: str | None) -> float:
    if upper == "suit":
        return float(rng.uniform(0.014, 0.022))
    if upper == "jumpsuit":
        return float(rng.uniform(0.01, 0.04))
    if lower == "jeans":
        return float(rng.uniform(0.004, 0.018))
    return float(rng.uniform(0.002, 0.03))
