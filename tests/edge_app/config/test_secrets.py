"""Passwords: read, used, never shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.config.credentials import OF_THE_UNIT
from edge_app.config.secrets import has_credentials, read_password, redact, with_credentials
from edge_app.errors import ConfigError


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\n", b"hunter2\nmore\n"])
def test_the_password_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    assert read_password(path) == "hunter2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"\nhunter2", "an empty line", id="empty line"),
        pytest.param(b"", "an empty line", id="empty file"),
        pytest.param(b"hunter2\xff\n", "other bytes", id="not UTF-8"),
    ],
)
def test_a_password_file_without_a_password(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        read_password(path)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


def test_a_missing_password_says_how_it_gets_to_the_service(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"write \$\{CREDENTIALS_DIRECTORY\}/door for"):
        read_password(tmp_path / "door")
    with pytest.raises(ConfigError, match=r"into /etc/dresscode/door and run `dresscode install"):
        read_password(Path(OF_THE_UNIT) / "door")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(user=TEXT, password=TEXT)
def test_credentials_survive_the_way_into_a_url_and_do_not_show(user: str, password: str) -> None:
    url = with_credentials("rtsp://10.0.0.11:554/stream1?channel=1", user, password)
    parts = urlsplit(url)
    assert (parts.hostname, parts.port, parts.path) == ("10.0.0.11", 554, "/stream1")
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (user, password)
    assert has_credentials(url)
    assert redact(f"cannot open {url}, again") == (
        "cannot open rtsp://<hidden>@10.0.0.11:554/stream1?channel=1, again"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two rtsp://a:b@h/1 http://c@h/2", "two rtsp://<hidden>@h/1 http://<hidden>@h/2"),
        ("rtsp://a:p@ss@h/1", "rtsp://<hidden>@h/1"),
        ("http://h/1?user=a&password=b&x=1", "http://h/1?user=a&password=<hidden>&x=1"),
        (
            "rtspsrc user-id=a user-pw=b ! decodebin",
            "rtspsrc user-id=a user-pw=<hidden> ! decodebin",
        ),
        (
            "rtsp://h:554/user=a_password=b_channel=1.sdp again",
            "rtsp://h:554/user=a_password=<hidden> again",
        ),
        ("http://h/v.cgi?loginuse=a&loginpas=b", "http://h/v.cgi?loginuse=a&loginpas=<hidden>"),
        *(
            (f"http://h/1?{key}=<b&x=1", f"http://h/1?{key}=<hidden>&x=1")
            for key in ("userPassword", "user_pwd", "psw", "pw", "access_token", "auth")
        ),
        ("mail me@example.org about http://h/a@b", "mail me@example.org about http://h/a@b"),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown
