"""What comes from outside, and the code that has to bear it: one function per kind of input.

Each takes a number of cases and runs them under Hypothesis. Only the error that the code promises
may come out; anything else, and any case that takes longer than a minute, ends the process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_app.app import build_pipeline, open_networks
from edge_app.box.orders import Orders
from edge_app.capture.gstreamer import command_line, picture_size
from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.replay import ReplayCamera
from edge_app.capture.scene import SceneWatch
from edge_app.capture.video import as_bgr
from edge_app.config.load import load, loads
from edge_app.config.schema import Config, OutboxSettings
from edge_app.delivery.audit import Audit, verify
from edge_app.delivery.commands import Commands
from edge_app.delivery.contract import ResponsePayload
from edge_app.delivery.messages import Messages
from edge_app.delivery.mqtt import Received
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.topics import VERBS
from edge_app.errors import ConfigError, EngineError, ModelError, SourceError
from edge_app.events.alerts import Alerts
from edge_app.events.counts import Counts
from edge_app.flow import Frame
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from tests.edge_app.capture.pictures import write_video
from tests.fuzz.mutations import MUTATIONS, Mutation, mutated
from tests.tiny_models import save_all

HANG_S = 60.0
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "systemd" / "store.example.yaml"

STORE = """
store: fuzz
node: edge-1
timezone: Europe/Paris
state_dir: state
mqtt: {url: "mqtt://127.0.0.1:1"}
inference: {models: models, threads: 1}
motion: {gate: always}
cameras:
  door:
    source: clip
    zones:
      shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}
      gate: {line: [[0.1, 0.5], [0.9, 0.5]]}
    privacy_masks: [[[0, 0], [0.1, 0], [0.1, 0.1]]]
alerts: {any: {any_of: [shirt, dress], min_probability: 0.3, cooldown_s: 0}}
"""


class Cases:
    """Counts the cases of one run and watches that none hangs."""

    def __init__(self, wanted: int) -> None:
        self.done = 0
        self.settings = settings(
            max_examples=wanted, deadline=None, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip

    @contextmanager
    def one(self) -> Iterator[None]:
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        yield
        faulthandler.cancel_dump_traceback_later()
        self.done += 1


@contextmanager
def quiet() -> Iterator[Path]:
    """A folder for a run; logs and warnings of libraries are not the point."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="dresscode-fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield Path(folder)
        finally:
            logging.disable(logging.NOTSET)


def fuzz_frames(cases: int) -> int:
    """Pictures of any size, colour and time through masks, scene watch and the whole pipeline."""
    run = Cases(cases)
    with quiet() as folder:
        save_all(folder / "models")
        config = loads(STORE, "store.yaml", folder)
        networks = open_networks(config.inference, config.detection, config.outfit)
        pipeline = build_pipeline(config, networks, 0.0)
        masks, scene = PrivacyMasks(config.cameras["door"].privacy_masks), SceneWatch()
        at_s, index = 0.0, 0

        @run.settings
        @given(
            st.tuples(st.integers(1, 300), st.integers(1, 300)),
            st.sampled_from(["flat", "noise", "block"]),
            st.sampled_from([0, 1, 3, 4]),
            st.integers(0, 255),
            st.sampled_from([0.0, 0.0, 1e-6, 0.03, 0.1, 0.1, 0.1, 1.0, 11.0, 86_400.0]),
            st.floats(-1e5, 1e5),
            st.integers(0, 2**32 - 1),
        )
        def one(
            size: tuple[int, int], kind: str, channels: int, level: int, passed_s: float,
            ahead_s: float, seed: int,
        ) -> None:  # fmt: skip
            nonlocal at_s, index
            shape = size if channels == 0 else (*size, channels)
            picture = np.full(shape, level, np.uint8)
            if kind == "noise":
                picture = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
            elif kind == "block":
                picture[size[0] // 3 :, size[1] // 3 :] = 255 - level
            at_s, index = at_s + passed_s, index + 1
            with run.one():
                if channels != 1:
                    bgr = masks.apply(as_bgr(picture).copy())
                    assert scene.judge(bgr, at_s)[0] in ("online", "obstructed", "moved")
                    step = pipeline.step([Frame("door", index, at_s, bgr)], at_s + ahead_s, ahead_s)
                    assert all(math.isfinite(entry.at_s) for entry in step.entries)
                json.dumps(pipeline.state(), allow_nan=False)

        one()
        networks.close()
    return run.done


def fuzz_streams(cases: int) -> int:
    """Spoilt recordings and pictures, and what a GStreamer pipeline may send or be asked for."""
    run = Cases(cases)
    with quiet() as folder:
        seeds = [
            write_video(folder / f"{c}.avi", 4, codec=c).read_bytes() for c in ("MJPG", "mp4v")
        ]
        seeds.append(write_video(folder / "seed.mp4", 4).read_bytes())
        picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
        kinds = [".avi", ".avi", ".mp4"]
        for kind in (".png", ".jpg", ".bmp", ".webp", ".tif"):
            seeds.append(cv2.imencode(kind, picture)[1].tobytes())
            kinds.append(kind)

        @run.settings
        @given(
            st.integers(0, len(seeds) - 1), MUTATIONS, st.text(max_size=40), st.binary(max_size=80)
        )
        def one(seed: int, mutations: list[Mutation], pipeline: str, header: bytes) -> None:
            path = folder / f"case{kinds[seed]}"
            path.write_bytes(mutated(seeds[seed], mutations))
            with run.one():
                with (
                    contextlib.suppress(SourceError),
                    closing(ReplayCamera("door", path, 10.0)) as camera,
                ):
                    for _ in range(8):
                        frame = camera.read()
                        if frame is None:
                            break
                        assert frame.frame_bgr.dtype == np.uint8
                        assert frame.frame_bgr.shape[2:] == (3,)
                with contextlib.suppress(SourceError):
                    picture_size(b"YUV4MPEG2 " + header)
                with contextlib.suppress(SourceError):
                    command_line("gst://" + pipeline, pipeline, pipeline)

        one()
    return run.done


class FakeBox:
    """What commands may change, without cameras and networks."""

    def __init__(self, config: Config) -> None:
        zones = {zone: camera for zone, (camera, _) in config.zones.items()}
        self.alerts = Alerts(config.alerts, config.timezone, list(zones))
        self.counts = Counts(zones, config.timezone, "04:00", 0.0)

    def pause(self, is_paused: bool) -> None:
        assert isinstance(is_paused, bool)

    def send_test(self, rule: str, zone: str | None) -> None:
        self.alerts.test_alert(rule, zone, 0.0)

    def reload(self) -> str:
        raise ConfigError(["store.yaml:1: nothing to be read"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda child: (
        st.lists(child, max_size=4) | st.dictionaries(st.text(max_size=9), child, max_size=4)
    ),
    max_leaves=8,
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "transaction": st.text(max_size=70) | JSON,
        "rule": st.sampled_from(["any", "none", "", "a" * 33]) | JSON,
        "zone": st.sampled_from(["shop", "gate", "all", "x", "*"]) | JSON,
        "window": st.sampled_from(["pt1m", "pt1h", "p1d", "*"]) | JSON,
        "start": st.sampled_from(["2026-01-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "now"])
        | JSON,
        "end": st.sampled_from(["2026-02-01T00:00:00.000Z", "9999-99-99T99:99:99.999Z"]) | JSON,
        "minutes": st.floats() | st.integers() | JSON,
    },
)
PAYLOADS = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    ARGUMENTS.map(lambda value: json.dumps(value).encode()),
    st.tuples(ARGUMENTS, MUTATIONS).map(lambda p: mutated(json.dumps(p[0]).encode(), p[1])),
    st.sampled_from([b"[" * 4000, b'{"a":' * 800, b"9" * 4000, b'"' + b"\\ud800" * 9 + b'"',
                     b'{"transaction":"\\ud800"}', b"{}" + b" " * 5000]),
)  # fmt: skip


def fuzz_commands(cases: int) -> int:
    """Anything on the topics of commands: each is answered once, and noted in a sound log."""
    run = Cases(cases)
    with quiet() as folder:
        config = loads(STORE, "store.yaml", folder)
        messages = Messages(config.store, config.node, "boot", config.timezone)
        log = folder / "audit.jsonl"
        with Outbox(folder / "outbox.sqlite", OutboxSettings()) as outbox:
            commands = Commands(messages, outbox, Audit(log), lambda: 1.7e9)
            orders = Orders(commands, FakeBox(config))

            @run.settings
            @given(
                st.sampled_from(VERBS) | st.text(max_size=40),
                PAYLOADS,
                st.booleans() | st.just(False),
                st.none() | st.text(max_size=40) | st.just("dresscode/v1/fuzz/rsp/edge-1/x"),
                st.none() | st.binary(max_size=20),
                st.dictionaries(st.sampled_from(["user", "x"]), st.text(max_size=80)),
            )
            def one(
                verb: str, payload: bytes, is_retained: bool, answer_to: str | None,
                correlation: bytes | None, properties: dict[str, str],
            ) -> None:  # fmt: skip
                topic = f"dresscode/v1/fuzz/cmd/edge-1/{verb}"
                got = Received(topic, payload, is_retained, answer_to, correlation, properties)
                with run.one():
                    commands.receive("store", got)
                    orders.carry_out(1.7e9)
                    orders.answer()
                    (answer,) = commands.answers("store")
                    ResponsePayload.model_validate_json(answer.payload)
                    assert answer.topic.startswith("dresscode/v1/fuzz/rsp/")
                if run.done % 1000 == 0:
                    assert verify(log).problem is None

            one()
        assert verify(log).problem is None
    return run.done


SCALARS = [
    *("no", "~", "null", "true", "[]", "{}", "0", "-1", "1_000", "0x10", "1e999", ".inf", ".nan"),
    *("2026-01-01", "!!python/object:os.system ls", "&a 1", "*a", "'", '"', "|", ">", "- - -"),
    *("? ", "\t", "€", "\u2028", "[[0, 0], [1, 1]]", "[" * 200, "mqtts://u:p@h", "../../passwd"),
]  # fmt: skip


def fuzz_configurations(cases: int) -> int:
    """The example file, spoilt by bytes, lines and values: read, or refused line by line."""
    run = Cases(cases)
    example = EXAMPLE.read_text()
    lines = [line for line in example.splitlines() if line.strip() and not line.startswith("#")]
    with quiet() as folder:
        path = folder / "store.yaml"

        @run.settings
        @given(
            st.lists(
                st.tuples(
                    st.sampled_from(["value", "drop", "double", "indent", "move"]),
                    st.integers(0, len(lines) - 1),
                    st.sampled_from(SCALARS) | st.text(max_size=12),
                ),
                max_size=4,
            ),
            st.just([]) | MUTATIONS,
            st.none() | JSON | st.text(max_size=60),
        )
        def one(changes: list[tuple[str, int, str]], mutations: list[Mutation], other: Any) -> None:
            if other is None:
                data = mutated(
                    "\n".join(_changed(lines, changes)).encode(errors="replace"), mutations
                )
            else:
                text = other if isinstance(other, str) else json.dumps(other)
                data = mutated(text.encode(errors="replace"), mutations)
            path.write_bytes(data)
            with run.one():
                problems: list[str] = []
                try:
                    config = load(path)
                except ConfigError as error:
                    problems = error.problems
                else:
                    assert Config.model_validate(config.model_dump()) == config
                assert all(p.isprintable() and p.startswith(f"{path}:") for p in problems)

        one()
    return run.done


def _changed(lines: list[str], changes: list[tuple[str, int, str]]) -> list[str]:
    changed = list(lines)
    for kind, place, value in changes:
        at = min(place, len(changed) - 1)
        line = changed[at]
        if kind == "value":
            changed[at] = f"{line.partition(':')[0]}: {value}"
        elif kind == "drop":
            changed[at] = ""
        elif kind == "double":
            changed.insert(at, line)
        elif kind == "indent":
            changed[at] = "   " + line
        else:
            changed.append(changed.pop(at))
    return changed


def fuzz_models(cases: int) -> int:
    """Spoilt model files: refused, or compiled and run, or said to be impossible to run."""
    run = Cases(cases)
    with quiet() as folder:
        save_all(folder)
        seeds = {task: (folder / f"{task}.onnx").read_bytes() for task in
                 ("detector", "garments", "classifier")}  # fmt: skip
        path = folder / "case.onnx"

        @run.settings
        @given(st.sampled_from(sorted(seeds)), MUTATIONS)
        def one(task: Any, mutations: list[Mutation]) -> None:
            path.write_bytes(mutated(seeds[task], mutations))
            with run.one():
                try:
                    model = load_model(path, task)
                except ModelError:
                    return
                try:
                    engine = OpenVinoEngine(model, threads=1, max_batch=1)
                    width, height = model.input_size
                    engine.infer(np.zeros((1, height, width, 3), np.uint8))
                except EngineError:
                    return
                engine.close()

        one()
    return run.done


TARGETS: dict[str, Callable[[int], int]] = {
    "frames": fuzz_frames,
    "streams": fuzz_streams,
    "commands": fuzz_commands,
    "configurations": fuzz_configurations,
    "models": fuzz_models,
}
