"""Kinds of values that the configuration is made of: ids, points, times of day, garments."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from edge_app.geometry import polygon_area
from edge_app.vocabulary import CATEGORIES

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Fraction, Fraction]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=64)]


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no time zone of the tz database is called {name!r}") from error
    return name


def _clock_time(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"expected a time of day such as '04:00', got {text!r}")
    return text


def _clock_span(text: str) -> str:
    start, dash, end = text.partition("-")
    if not dash or _clock_time(start) == _clock_time(end):
        raise ValueError(f"expected two different times such as '09:00-21:00', got {text!r}")
    return text


def _known_garment(name: str) -> str:
    if name not in CATEGORIES:
        raise ValueError(f"{name!r} is not a garment; known are {', '.join(CATEGORIES)}")
    return name


def _some_area(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    if polygon_area(polygon) < 1e-6:
        raise ValueError("the polygon has no area; its corners lie on one line")
    return polygon


TimeZone = Annotated[str, AfterValidator(_known_timezone)]
ClockTime = Annotated[str, AfterValidator(_clock_time)]
ClockSpan = Annotated[str, AfterValidator(_clock_span)]
Garment = Annotated[str, AfterValidator(_known_garment)]
Area = Annotated[Polygon, AfterValidator(_some_area)]


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
