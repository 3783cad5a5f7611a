"""What a ``sim://entrance`` address can ask for, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl, urlsplit

from edge_app.errors import SourceError

VIEWS = ("door", "facing", "any")
"""Where the camera hangs: over the door, inside facing the door, or drawn from the seed."""


@dataclass(frozen=True)
class SimulationSettings:
    """Every key of a ``sim://entrance?key=value&…`` address.

    Attributes:
        people_per_min: mean number of people who appear per minute, 0 to 60.
        seed: everything random follows from it. Seeds below 1,000,000 are for measuring, seeds
            from 1,000,000 on for training; nothing is ever trained on a measuring seed.
        fps: frames per second of simulated time.
        width: picture width in px.
        height: picture height in px.
        duration_s: end of the recording in s; None for an endless one.
        group_share: share of parties that are groups of two or three, side by side.
        u_turn_share: share of parties that come in, turn round and leave again.
        linger_share: share of parties that come close to the line, stay there and go back
            without crossing.
        exit_share: share of parties that leave the store.
        umbrella_share: share of people who carry an open umbrella.
        trolley_share: share of people who push a trolley.
        view: "door" (camera over the entrance; people enter from the bottom edge and walk up),
            "facing" (people walk in towards the camera) or "any" (drawn from the seed).
        style: strength of lights, haze, noise, blur and compression drawn from the seed, 0 (clean)
            to 1 (like real cameras); above 1 exaggerates, up to 2.
    """

    people_per_min: float = 5.0
    seed: int = 1
    fps: float = 10.0
    width: int = 640
    height: int = 360
    duration_s: float | None = None
    group_share: float = 0.2
    u_turn_share: float = 0.05
    linger_share: float = 0.05
    exit_share: float = 0.25
    umbrella_share: float = 0.03
    trolley_share: float = 0.03
    view: str = "any"
    style: float = 1.0

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SourceError: a value is out of its range; the message names the key.
        """
        _check("people_per_min", self.people_per_min, 0.0, 60.0)
        _check("seed", self.seed, 0, 2**63 - 1)
        _check("fps", self.fps, 0.1, 240.0)
        _check("width", self.width, 64, 4096)
        _check("height", self.height, 64, 4096)
        if self.duration_s is not None:
            _check("duration_s", self.duration_s, 0.1, 31_536_000.0)
        for key in ("group", "u_turn", "linger", "exit", "umbrella", "trolley"):
            _check(f"{key}_share", getattr(self, f"{key}_share"), 0.0, 1.0)
        _check("style", self.style, 0.0, 2.0)
        turning = self.u_turn_share + self.linger_share + self.exit_share
        if turning > 1.0:
            raise SourceError(
                "sim://entrance: u_turn_share + linger_share + exit_share must be at most 1, "
                f"not {turning:g}"
            )
        if self.view not in VIEWS:
            raise SourceError(
                f"sim://entrance: view must be one of {', '.join(VIEWS)}, not {self.view!r}"
            )

    @classmethod
    def from_url(cls, url: str) -> SimulationSettings:
        """Read a ``sim://entrance?people_per_min=5&seed=1`` address; missing keys take defaults.

        Raises:
            SourceError: not such an address, an unknown or repeated key, or a value that is not
                what the key expects.
        """
        parts = urlsplit(url)
        if parts.scheme != "sim" or parts.netloc != "entrance" or parts.path not in ("", "/"):
            raise SourceError(f"expected an address like sim://entrance?seed=1, got {url!r}")
        known = {field.name: str(field.type) for field in fields(cls)}
        values: dict[str, float | int | str] = {}
        for key, text in parse_qsl(parts.query, keep_blank_values=True):
            if key not in known:
                raise SourceError(
                    f"sim://entrance: unknown key {key!r}; known keys are {', '.join(known)}"
                )
            if key in values:
                raise SourceError(f"sim://entrance: {key} is given twice; give it once")
            values[key] = _parse(key, text, known[key])
        return cls(**values)  # type: ignore[arg-type]  # _parse follows the fields' own types


def _parse(key: str, text: str, kind: str) -> float | int | str:
    if kind == "str":
        return text
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        expected = "a whole number" if kind == "int" else "a number"
        raise SourceError(f"sim://entrance: {key} must be {expected}, not {text!r}") from None


def _check(key: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise SourceError(
            f"sim://entrance: {key} must be between {low:g} and {high:g}, not {value:g}"
        )
