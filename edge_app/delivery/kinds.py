"""Kinds of values that payloads are made of: ids, times, counts, words."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, ValidationError

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Time = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Count = Annotated[int, Field(ge=0)]
Cell = Annotated[int, Field(ge=0)] | None
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Window = Literal["pt1m", "pt15m", "pt1h", "p1d"]
NodeWord = Literal["online", "degraded", "stopping", "offline"]
CameraWord = Literal["online", "offline", "disabled", "obstructed", "moved"]


def rfc3339(at_s: float) -> str:
    """Unix time as RFC 3339 in UTC with milliseconds.

    >>> rfc3339(1_700_000_000.1236)
    '2023-11-14T22:13:20.124Z'
    """
    moment = datetime.fromtimestamp(round(at_s, 3), timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_ANY_TIME = TypeAdapter(AwareDatetime)


def _any_time(text: str) -> str:
    try:
        moment = _ANY_TIME.validate_python(text)
    except ValidationError:
        moment = None
    if moment is None or not 1970 <= moment.year < 3000:
        raise ValueError(f"expected a time such as 2026-05-08T14:30:00+02:00, got {text[:64]!r}")
    return rfc3339(moment.timestamp())


AskedTime = Annotated[
    str, AfterValidator(_any_time), Field(json_schema_extra={"format": "date-time"})
]
"""A time as people write it, RFC 3339 with any offset; kept as a ``Time``."""
