"""Stopping threads side by side."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager

import pytest

from edge_app.box import closing


class Part(AbstractContextManager["Part"]):
    """Takes its time to stop, and may fail."""

    def __init__(self, takes_s: float = 0.0, error: Exception | None = None) -> None:
        self._takes_s, self._error = takes_s, error
        self.is_closed = threading.Event()

    def __exit__(self, *_: object) -> None:
        time.sleep(self._takes_s)
        if self._error is not None:
            raise self._error
        self.is_closed.set()


def test_who_hangs_or_fails_keeps_nobody_else_from_stopping(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(closing, "CLOSE_S", 1.0)
    hangs, fails, slow = Part(3.0), Part(error=OSError("gone")), Part(0.2)
    began_s = time.monotonic()
    closing.close_together([hangs, fails, slow])
    assert time.monotonic() - began_s < 2.5
    assert slow.is_closed.is_set()
    assert not hangs.is_closed.is_set()
    assert "Part did not stop properly" in caplog.text
