"""A page in the browser of whoever sits at this machine, on the loopback interface only.

It is served below an address that nobody can guess, and nothing of it may be kept by the browser.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from edge_app.errors import DresscodeError, SourceError

MOST_BYTES = 8 << 20
"""What is sent to be saved may not be longer."""

POLICY = (
    "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'"
)


@dataclass(frozen=True)
class Answer:
    """The body of an answer, and its media type."""

    body: bytes
    kind: str


def as_json(value: Any) -> Answer:
    """An answer that is read by the page's script."""
    return Answer(json.dumps(value).encode(), "application/json")


class Site(Protocol):
    """What is behind one page; paths are relative to the page's.

    Asked by several threads at once. What there is not is None; what was asked wrongly raises a
    DresscodeError, whose words the page shows.
    """

    page: Path
    """The HTML file."""

    def get(self, path: str) -> Answer | None:
        """What lies at a path."""

    def put(self, path: str, body: bytes) -> Answer | None:
        """Take what the page sends to a path."""


class PageServer(ThreadingHTTPServer):
    """Serves one :class:`Site` to browsers on this machine; ``with`` closes it.

    Args:
        site: what is served.
        port: of 127.0.0.1; 0 for any free one.

    Raises:
        SourceError: the port is taken.
    """

    def __init__(self, site: Site, port: int = 0) -> None:
        self.site = site
        self.key = secrets.token_urlsafe(16)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise SourceError(
                f"port {port} of 127.0.0.1 cannot be used: {error.strerror}; choose another --port"
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/{self.key}/"

    @property
    def invitation(self) -> str:
        """Says to a person where the page is."""
        port = self.server_port
        return (
            f"open {self.url} in a browser on this machine "
            f"(from another one: ssh -L {port}:127.0.0.1:{port} THIS_MACHINE); Ctrl-C ends"
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of a picture is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: PageServer

    def do_GET(self) -> None:
        """The page at the root, and what it asks for below it."""
        path = self._asked()
        if path == "":
            self._send(Answer(self.server.site.page.read_bytes(), "text/html; charset=utf-8"))
        elif path is not None:
            self._answer(lambda: self.server.site.get(path))

    def do_PUT(self) -> None:
        """What the page sends."""
        path = self._asked()
        if path is None:
            return
        length = self.headers.get("Content-Length", "")
        is_number = length.isdecimal() and len(length) <= len(str(MOST_BYTES))
        if not is_number or int(length) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "that is too long")
        else:
            body = self.rfile.read(int(length))
            self._answer(lambda: self.server.site.put(path, body))

    def log_message(self, *_: Any) -> None:
        """Every step of the person would be a line."""

    def _asked(self) -> str | None:
        """The path below the secret one; None, and refused, for whoever does not know it.

        The host is checked too: a page elsewhere whose name was made to mean this machine must not
        get through (DNS rebinding).
        """
        port = self.server.server_port
        prefix = f"/{self.server.key}/"
        is_local = self.headers.get("Host") in (f"127.0.0.1:{port}", f"localhost:{port}")
        if is_local and self.path.startswith(prefix):
            return self.path[len(prefix) :].partition("?")[0]
        self._refuse(HTTPStatus.FORBIDDEN, "use the address that dresscode printed")
        return None

    def _answer(self, ask: Callable[[], Answer | None]) -> None:
        try:
            answer = ask()
        except DresscodeError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            if answer is None:
                self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
            else:
                self._send(answer)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._send(Answer(why.encode(errors="replace"), "text/plain; charset=utf-8"), status)

    def _send(self, answer: Answer, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        # Browsers must not put pictures on the disk.
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(answer.body)
