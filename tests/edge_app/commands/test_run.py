"""What ``dresscode run`` does around the box."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from edge_app.box import supervision
from edge_app.commands.run import work
from edge_app.config.load import loads
from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference import fallback
from edge_app.inference.choose import open_engine
from edge_app.inference.fallback import FallbackEngine
from edge_app.inference.model import Model
from edge_app.ports import Engine
from edge_app.runtime.starts import Starts
from edge_app.runtime.systemd import Notifier
from tests.edge_app.runtime.notify_socket import NotifySocket
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


@pytest.mark.usefixtures("_handlers")
def test_a_box_whose_gpu_needs_a_new_process_stores_all_and_ends_by_an_error(
    tmp_path: Path, manager: NotifySocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "MISSING_S", -1.0)
    monkeypatch.setattr(supervision, "QUIET_S", -1.0)
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", noise_pictures(), 20)
    text = CONFIG.replace("nowhere.mp4", "clip") + "state_dir: state\nmetrics: {port: 0}\n"
    config = loads(text, "store.yaml", tmp_path)
    starts = Starts(tmp_path / "state" / "starts.json")
    starts.begin(1000.0)

    def no_gpu(_may_build: bool) -> Engine:
        raise EngineError("no NVIDIA driver")

    def open_one(settings: InferenceSettings, model: Model) -> Engine:
        open_cpu = partial(open_engine, settings, model)
        return FallbackEngine(model.task, no_gpu, open_cpu, is_expected=True)

    notifier = Notifier({"NOTIFY_SOCKET": str(manager.path)})
    with pytest.raises(EngineError, match="the GPU does not come back"):
        work(config, tmp_path / "store.yaml", notifier, Event(), starts, open_one)
    audit = (tmp_path / "state" / "audit.jsonl").read_text().splitlines()
    told = json.loads(audit[-1])
    assert (told["event"], told["details"]) == ("stopped", {"error": ""})
