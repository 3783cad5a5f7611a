"""``/metrics`` and ``/healthz`` for this machine only: loopback, read-only, one after another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
NAME = "dresscode"
"""What it calls itself in the header ``Server``."""

_PATIENCE_S = 2.0


@dataclass(frozen=True)
class Page:
    """An answer.

    Attributes:
        status: of HTTP.
        content_type: of the body.
        body: UTF-8.
    """

    status: int
    content_type: str
    body: bytes


class Endpoint:
    """Serves pages within ``with``, in one thread of its own.

    Args:
        port: on the loopback; 0 lets the system choose.
        pages: what to answer, by path; called in the endpoint's thread.
    """

    def __init__(self, port: int, pages: dict[str, Callable[[], Page]]) -> None:
        self._wanted_port = port
        self._pages = pages
        self._server: HTTPServer | None = None

    @property
    def port(self) -> int | None:
        """Where it listens; None if it could not."""
        return None if self._server is None else int(self._server.server_address[1])

    def __enter__(self) -> Endpoint:
        try:
            self._server = _Server((ADDRESS, self._wanted_port), _handler(self._pages))
        except OSError as error:
            # Metrics are not worth a store's counts.
            log.warning(
                "no metrics: port %d on %s: %s; choose another metrics.port",
                self._wanted_port, ADDRESS, error.strerror,
            )  # fmt: skip
            return self
        threading.Thread(target=self._server.serve_forever, name="endpoint", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Server(HTTPServer):
    def handle_error(self, *_arguments: Any) -> None:
        log.debug("a request to the endpoint failed", exc_info=True)


def _handler(pages: dict[str, Callable[[], Page]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S
        server_version = NAME
        sys_version = ""

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            answer = page() if page else Page(404, "text/plain", b"/metrics or /healthz\n")
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_arguments: Any) -> None:
            """Requests are not logged: a scraper comes every few seconds."""

    return Handler
