"""Passwords: read from files of their own, put into URLs only when used, never shown."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from edge_app.config.credentials import OF_THE_UNIT, WRITTEN
from edge_app.errors import ConfigError

_USER_INFO = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/?#'\"]*@")
_NAMED_SECRET = re.compile(
    r"(?i)(pass(?:word|wd|phrase)?|loginpas|pwd|psw|pw|token|secret|auth(?:basic)?)=(?!<hidden>)[^\s&]+"
)
_MAX_BYTES = 4096


def redact(text: str) -> str:
    """A text fit to be shown: user names and passwords of URLs and ``password=`` are blanked out.

    >>> redact("cannot open rtsp://admin:hunter2@10.0.0.11/stream1?token=abc&channel=2")
    'cannot open rtsp://<hidden>@10.0.0.11/stream1?token=<hidden>&channel=2'
    """
    return _NAMED_SECRET.sub(r"\1=<hidden>", _USER_INFO.sub(r"\1<hidden>@", text))


def has_credentials(url: str) -> bool:
    """Whether a URL, or a pipeline with URLs in it, carries a user name or a password.

    >>> has_credentials("rtsp://admin@10.0.0.11/"), has_credentials("rtsp://10.0.0.11/a@b")
    (True, False)
    """
    return bool(_USER_INFO.search(url) or re.search(r"\buser-pw=(?!\{password\})", url))


def read_password(path: Path) -> str:
    """The first line of a password file.

    Raises:
        ConfigError: the file cannot be read, or its first line is empty.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_MAX_BYTES)
        password = start.decode().split("\n", 1)[0].rstrip("\r")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(
            [
                f"{path}: expected a file with a password in its first line, got: {reason}; "
                f"{_advice(path)}"
            ]
        ) from error
    except UnicodeDecodeError:
        # The error's own text would show bytes of the password.
        raise ConfigError(
            [f"{path}: expected a password as UTF-8 text, got other bytes; write it again"]
        ) from None
    if not password:
        raise ConfigError(
            [f"{path}: expected a password in the first line, got an empty line; write it there"]
        )
    return password


def _advice(path: Path) -> str:
    if Path(OF_THE_UNIT) in path.parents:
        return (
            f"write it into /etc/dresscode/{path.name} and run `dresscode install-service`, which "
            "has systemd hand it over"
        )
    return (
        "create it, for the user who runs this only; systemd's service is nobody beforehand: "
        f"write {WRITTEN}/{path.name} for /etc/dresscode/{path.name}"
    )


def with_credentials(url: str, username: str, password: str | None) -> str:
    """The URL with a user name and a password in it, for the moment of opening it only.

    >>> with_credentials("rtsp://10.0.0.11/stream1", "admin", "a/b@c")
    'rtsp://admin:a%2Fb%40c@10.0.0.11/stream1'
    """
    scheme, mark, rest = url.partition("://")
    secret = "" if password is None else ":" + quote(password, safe="")
    return f"{scheme}{mark}{quote(username, safe='')}{secret}@{rest}"
