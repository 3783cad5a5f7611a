"""The demo's own configuration."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from edge_app.commands import demo
from edge_app.commands.demo import Board, demo_config, run_demo
from edge_app.delivery.mqtt import Received
from edge_app.errors import SourceError


def test_the_ready_demo_leaves_the_port_of_the_metrics_to_the_service() -> None:
    assert demo_config(None, None, None).metrics.port == 0


def test_a_configuration_of_ones_own_keeps_its_metrics(tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    path.write_text(
        "store: s1\nnode: n1\ntimezone: UTC\nmqtt: {url: 'mqtt://127.0.0.1:1883'}\n"
        "metrics: {port: 9500}\n"
        "cameras: {door: {source: door.mp4, zones: {entrance: {line: [[0, 0.8], [1, 0.8]]}}}}\n"
    )
    assert demo_config(None, path, None).metrics.port == 9500


def test_commands_are_read_past() -> None:
    board = Board(Console(quiet=True))
    board.show([Received("dresscode/v1/demo/cmd/edge-1/ping", b"", False)])
    assert board.farewell().startswith("0 messages")


def test_a_recording_that_is_not_there_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object) -> None:
        pytest.fail("the networks were loaded")

    monkeypatch.setattr(demo, "open_networks", started)
    with pytest.raises(SourceError, match=r"nope\.mp4: expected a video file"):
        run_demo(demo_config(str(tmp_path / "nope.mp4"), None, None), 5.0, None)


def test_drawings_do_not_become_frames_of_the_folder_that_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cv2.imwrite(str(tmp_path / "1.png"), np.zeros((64, 96, 3), np.uint8))
    monkeypatch.setattr(demo, "open_networks", lambda *_: pytest.fail("the networks were loaded"))
    with pytest.raises(SourceError, match="drawings there would be frames of the recording"):
        run_demo(demo_config(str(tmp_path), None, None), 5.0, tmp_path)
