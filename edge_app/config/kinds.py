"""Kinds of values that the configuration is made of: ids, points, times, garments, URLs."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from edge_app.config.advice import did_you_mean
from edge_app.geometry import crosses_itself, polygon_area
from edge_app.vocabulary import CATEGORIES

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Fraction, Fraction]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=64)]

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_NO_ZONES = re.compile(r"localtime|posixrules|Factory|(posix|right)/.*")
"""Beside the zones of the tz database: this machine's own, stand-ins, and copies, one set of which
counts leap seconds."""


def _known_timezone(name: str) -> str:
    if not _is_timezone(name):
        advice = did_you_mean(name, _timezones())
        raise ValueError(
            f"expected a time zone of the tz database such as Europe/Paris, got {name!r}"
            + (f"; {advice}" if advice else "")
        )
    return name


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return not _NO_ZONES.fullmatch(name)


@cache
def _timezones() -> list[str]:
    """To be looked through for what was meant; some 600 files are opened to find them."""
    return [name for name in sorted(available_timezones()) if not _NO_ZONES.fullmatch(name)]


def _clock_time(text: str) -> str:
    if not re.fullmatch(_TIME, text):
        raise ValueError(f"expected a time of day such as '04:00', got {text!r}")
    return text


def _clock_span(text: str) -> str:
    start, _, end = text.partition("-")
    if not re.fullmatch(f"{_TIME}-{_TIME}", text) or start == end:
        raise ValueError(f"expected two different times such as '09:00-21:00', got {text!r}")
    return text


def _known_garment(name: str) -> str:
    if name not in CATEGORIES:
        advice = did_you_mean(name, CATEGORIES)
        raise ValueError(
            f"{name!r} is not a garment; known are {', '.join(CATEGORIES)}"
            + (f"; {advice}" if advice else "")
        )
    return name


def _some_area(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    if crosses_itself(polygon):
        # Even-odd filling would leave parts between the corners out.
        raise ValueError(
            "two sides of the polygon cross: its corners are not in order around the "
            "area; write each beside its neighbours"
        )
    if polygon_area(polygon) < 1e-6:
        raise ValueError("the polygon has no area; its corners lie on one line")
    return polygon


def has_address(url: str) -> bool:
    """Whether a URL names a host that can be asked for, and a port from 1 to 65535 or none.

    >>> [has_address(f"rtsp://{at}/1") for at in ("cam.lan", "[::1]:554", "cam..lan", "h:0", ":80")]
    [True, True, False, False, False]
    >>> [has_address(f"rtsp://{at}/1") for at in ("10.0.0.11", "10.0.0.256", "10.0.0.11,", "a b")]
    [True, False, False, False]
    """
    try:
        address = urlsplit(url)
        port = address.port
        # Which is what is asked of the name server.
        host = (address.hostname or "").encode("idna").decode()
        if ":" in host or re.fullmatch(r"\d+(\.\d+){3}", host):
            ip_address(host)
    except ValueError:  # no number, too large, no IP address, or an empty label
        return False
    return bool(re.fullmatch(r"[\w.-]+|.*:.*", host)) and port != 0


def _broker_url(url: str) -> str:
    if not has_address(url) or urlsplit(url).netloc != url.partition("://")[2]:
        raise ValueError(
            "expected mqtts://host:port, with a port from 1 to 65535 and a host's name or address, "
            f"got {url!r}; write it so"
        )
    return url


def is_this_machine(url: str) -> bool:
    """Whether a broker's URL leads to this machine, by its address and not by its looks.

    >>> [is_this_machine(f"mqtt://{host}") for host in ("127.0.0.2", "[::1]:1883", "127.0.0.1.org")]
    [True, True, False]
    """
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def broker_address(url: str) -> tuple[str, int]:
    """Host and port of a broker's URL.

    >>> broker_address("mqtts://broker.store.lan"), broker_address("mqtt://[::1]:1884")
    (('broker.store.lan', 8883), ('::1', 1884))
    """
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or _DEFAULT_PORTS[parts.scheme]


TimeZone = Annotated[str, AfterValidator(_known_timezone)]
ClockTime = Annotated[str, AfterValidator(_clock_time)]
ClockSpan = Annotated[str, AfterValidator(_clock_span)]
Garment = Annotated[str, AfterValidator(_known_garment)]
BrokerUrl = Annotated[str, Field(pattern=r"^mqtts?://[^\s/@]+$"), AfterValidator(_broker_url)]
Area = Annotated[Polygon, AfterValidator(_some_area)]


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
