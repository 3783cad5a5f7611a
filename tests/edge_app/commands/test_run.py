"""What ``dresscode run`` does around the box."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from edge_app.commands.run import work
from edge_app.config.load import loads
from edge_app.runtime.starts import Starts
from edge_app.runtime.systemd import Notifier
from tests.edge_app.tiny_store import CONFIG, noise_pictures, write_clip
from tests.tiny_models import save_all


@pytest.fixture
def _handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_handlers")
def test_a_box_that_has_worked_for_long_has_not_crashed_when_its_power_is_cut(
    tmp_path: Path,
) -> None:
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", noise_pictures(), 20)
    text = CONFIG.replace("nowhere.mp4", "clip") + "state_dir: state\nmetrics: {port: 0}\n"
    config = loads(text, "store.yaml", tmp_path)
    path = tmp_path / "state" / "starts.json"
    starts = Starts(path, within_s=0.5)
    starts.begin(1000.0)
    work(config, tmp_path / "store.yaml", Notifier({}), Event(), starts)
    assert json.loads(path.read_text())["began_s"] == []
