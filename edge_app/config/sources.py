"""Where a camera's pictures come from, and what was probably meant by what is no source."""

from __future__ import annotations

import os.path
import re
from pathlib import Path

from edge_app.config.advice import did_you_mean
from edge_app.config.kinds import has_address
from edge_app.config.secrets import has_credentials

SCHEMES = ("rtsp", "rtsps", "http", "https", "sim", "gst")
_OF_NETWORK = SCHEMES[:4]

_HALF_A_SCHEME = re.compile(rf"(?i)({'|'.join(SCHEMES)})(?::/*|//+)")
_ADDRESS = re.compile(
    r"(?i)([^/\s]*@)?(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]|[\w.-]+(?=:\d))(:\d+)?(/|$)"
)
"""Numbers with dots, an IPv6 address in brackets, or a name with a port: no usual file name."""


def source_problem(source: str, folder: Path) -> str | None:
    """What is wrong with a camera's source; None where nothing is.

    Args:
        source: as written in the configuration.
        folder: what file names in it are relative to.
    """
    if not source.strip():
        return "expected a URL, a device number or a path, got an empty text"
    scheme, mark, rest = source.partition("://")
    if has_credentials(source) or (scheme in _OF_NETWORK and "@" in rest.partition("/")[0]):
        return no_credentials("source")
    if not mark:
        is_there = os.path.exists(folder / source)  # noqa: PTH110  # Path raises for long names
        return None if is_there else _no_file(source)
    if scheme not in SCHEMES:
        schemes = ", ".join(f"{known}://" for known in SCHEMES)
        meant = did_you_mean(scheme.lower(), SCHEMES)
        return (
            f"expected one of {schemes}, a device number or a path, got '{scheme}://'; "
            f"{meant or 'for a file write just its path'}"
        )
    if scheme in _OF_NETWORK and (re.search(r"\s", rest) or not has_address(source)):
        if "@" in rest:
            return no_credentials("source")  # whose password has signs that end an address
        return (
            "expected scheme://host[:port]/path without spaces, the host a name or an address, "
            f"the port from 1 to 65535, got {source!r}; correct it"
        )
    return None


def no_credentials(key: str) -> str:
    """What is said of a URL with a user name or a password before its host."""
    return (
        "user names and passwords do not belong into a URL, which ends up in logs and backups; "
        f"write username: and password_file: beside {key}:"
    )


def _no_file(name: str) -> str | None:
    """Of a name that no file here has, whether it is one at all."""
    scheme = _HALF_A_SCHEME.match(name)
    if scheme is not None:
        meant = f"{scheme[1].lower()}://{name[scheme.end() :]}"
    elif _ADDRESS.match(name):
        meant = f"rtsp://{name}"
    else:
        return None
    if "@" in meant:
        return no_credentials("source")
    return f"expected rtsp://host/path or the path of a file, got {name!r}; did you mean {meant!r}?"
