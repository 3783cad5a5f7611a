"""``dresscode bench``: how fast the pipeline is, and how near to its networks' own limit.

The pipeline and its networks take turns. A slice of the recording is decoded, then run; then
exactly the network calls that it made are run bare: the same engines, batches and threads, the
same pictures, in the same order. What disturbs the machine disturbs both. The share of the limit is
the time of all bare calls divided by the pipeline's own; decoding, and keeping the pictures for
their second turn, count for neither.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from edge_app.app import Networks, OpenEngine, build_pipeline, open_networks
from edge_app.capture.replay import REPLAY_START_S
from edge_app.capture.source import Recording
from edge_app.commands.clip import choose_camera, open_clip
from edge_app.config.schema import Config, InferenceSettings
from edge_app.flow import Batch, Float32, Frame, UInt8
from edge_app.inference.choose import describe_engine, open_engine
from edge_app.inference.model import Model
from edge_app.inference.preprocess import pixels_of
from edge_app.ports import Engine

SLICE: Final = 8
"""Frames of a turn: many network calls, and yet short beside what disturbs a machine."""


@dataclass
class Network:
    """One network, and what its calls took.

    Attributes:
        engine: that runs it.
        calls: made by the pipeline.
        pictures: in all of them.
        spent_s: by the calls, with the pipeline around them.
        bare_s: by the same calls alone.
    """

    engine: Engine
    calls: int = 0
    pictures: int = 0
    spent_s: float = 0.0
    bare_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """One call of a network, to be made again."""

    network: Network
    batch_nhwc: UInt8
    spent_s: float


class Turn:
    """The network calls of a slice of the recording.

    Attributes:
        keeping_s: spent on keeping them, which is no work of the pipeline.
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self.keeping_s = 0.0

    def call(self, network: Network, batch: Batch) -> dict[str, Float32]:
        """Call a network, and keep what went in."""
        started = perf_counter()
        kept = np.array(pixels_of(batch))
        called = perf_counter()
        answer = network.engine.infer(batch)
        ended = perf_counter()
        self._calls.append(Call(network, kept, ended - called))
        self.keeping_s += called - started
        return answer

    def run_bare(self) -> float:
        """Make exactly the same calls again with nothing around them; seconds."""
        bare_s = 0.0
        for call in self._calls:
            network = call.network
            started = perf_counter()
            network.engine.infer(call.batch_nhwc)
            took_s = perf_counter() - started
            bare_s += took_s
            network.bare_s += took_s
            network.spent_s += call.spent_s
            network.calls += 1
            network.pictures += len(call.batch_nhwc)
        return bare_s

    def begin(self) -> None:
        """Forget the calls of the turn before."""
        self._calls.clear()
        self.keeping_s = 0.0


class RecordingEngine:
    """An engine whose calls are noted in the turn."""

    def __init__(self, network: Network, turn: Turn) -> None:
        self._network, self._turn = network, turn

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        return self._turn.call(self._network, batch)

    def close(self) -> None:
        """Close the engine."""
        self._network.engine.close()


def recording_opener(networks: dict[str, Network], turn: Turn) -> OpenEngine:
    """An engine opener that files each network under its task, and has its calls noted."""

    def open_one(settings: InferenceSettings, model: Model) -> Engine:
        networks[model.task] = Network(open_engine(settings, model))
        return RecordingEngine(networks[model.task], turn)

    return open_one


def warm_up(networks: Mapping[str, Network], models: Mapping[str, Model], max_batch: int) -> None:
    """Compile the networks for every batch size, so that compiling is not measured."""
    for task, network in networks.items():
        width, height = models[task].input_size
        for size in range(1, max_batch + 1):
            network.engine.infer(np.zeros((size, height, width, 3), np.uint8))


@dataclass
class Spent:
    """What passes through the recording took, in seconds, and how much they were."""

    frames: int = 0
    people: int = 0
    decode_s: float = 0.0
    wall_s: float = 0.0
    bare_s: float = 0.0
    stage_s: dict[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the networks' own limit."""
        return self.bare_s / max(self.wall_s, 1e-9)

    @classmethod
    def total(cls, passes: Sequence[Spent]) -> Spent:
        """Of several passes."""
        return cls(
            sum(one.frames for one in passes),
            sum(one.people for one in passes),
            sum(one.decode_s for one in passes),
            sum(one.wall_s for one in passes),
            sum(one.bare_s for one in passes),
            {stage: sum(one.stage_s[stage] for one in passes) for stage in passes[0].stage_s},
        )


def bench_clip(
    clip: str,
    config: Config,
    camera: str | None,
    device: str | None = None,
    least_s: float = 0.0,
) -> dict[str, Any]:
    """Measure one recording from its name to its figures.

    Args:
        clip: a recording.
        config: of the store.
        camera: that the recording stands for; needed where there are several.
        device: in place of the configuration's: ``auto``, ``gpu`` (or it is an error), ``cpu``.
        least_s: a short recording is run again until the pipeline has worked for so long.

    Raises:
        ConfigError, SourceError, ModelError, EngineError: as a replay does.
    """
    chosen = choose_camera(config, camera)
    open_clip(clip, chosen, REPLAY_START_S).close()  # a wrong path is told before the wait
    inference = chosen.inference.model_copy(update={"device": device or chosen.inference.device})
    turn, by_task = Turn(), dict[str, Network]()
    networks = open_networks(
        inference, chosen.detection, chosen.outfit, recording_opener(by_task, turn)
    )
    warm_up(by_task, networks.models, inference.max_batch)
    passes: list[Spent] = []
    while not passes or Spent.total(passes).wall_s < least_s:
        passes.append(_pass_through(clip, chosen, networks, turn))
    figures = _figures(passes, by_task)
    networks.close()
    return {"clip": Path(clip).name} | figures


def _pass_through(clip: str, config: Config, networks: Networks, turn: Turn) -> Spent:
    """Run a recording from its beginning to its end."""
    recording = open_clip(clip, config, REPLAY_START_S)
    pipeline = build_pipeline(config, networks, REPLAY_START_S, is_replay=True)
    spent = Spent()
    while frames := _read(recording, spent):
        turn.begin()
        started = perf_counter()
        for frame in frames:
            step = pipeline.step([frame], frame.taken_at_s)
            spent.people += sum(len(tracked.tracks) for tracked in step.tracked)
        spent.wall_s += perf_counter() - started - turn.keeping_s
        spent.frames += len(frames)
        spent.bare_s += turn.run_bare()
    recording.close()
    spent.stage_s = pipeline.stage_s
    return spent


def _read(recording: Recording, spent: Spent) -> list[Frame]:
    """The next slice, empty at the end."""
    started = perf_counter()
    frames: list[Frame] = []
    while len(frames) < SLICE and (frame := recording.read()) is not None:
        frames.append(frame)
    spent.decode_s += perf_counter() - started
    return frames


def _figures(passes: Sequence[Spent], networks: Mapping[str, Network]) -> dict[str, Any]:
    """Figures by name, ready for a table or JSON."""
    all_of = Spent.total(passes)
    frames = max(all_of.frames, 1)

    def ms_per_frame(seconds: float) -> float:
        return round(1000 * seconds / frames, 3)

    return {
        "device": {task: describe_engine(of.engine) for task, of in networks.items()},
        "passes": len(passes),
        "frames": all_of.frames,
        "people_per_frame": round(all_of.people / frames, 2),
        "frames_per_s": round(frames / max(all_of.wall_s, 1e-9), 1),
        "frames_per_s_with_decoding": round(frames / max(all_of.wall_s + all_of.decode_s, 1e-9), 1),
        "decode_ms_per_frame": ms_per_frame(all_of.decode_s),
        "stage_ms_per_frame": {
            stage: ms_per_frame(spent_s) for stage, spent_s in all_of.stage_s.items()
        },
        "network_ms_per_frame": {task: ms_per_frame(of.spent_s) for task, of in networks.items()},
        "network_calls": {task: of.calls for task, of in networks.items()},
        "network_pictures": {task: of.pictures for task, of in networks.items()},
        "bare_ms_per_frame": {task: ms_per_frame(of.bare_s) for task, of in networks.items()},
        "share_of_limit": round(all_of.share, 3),
        "share_of_limit_by_pass": {
            "least": round(min(one.share for one in passes), 3),
            "most": round(max(one.share for one in passes), 3),
        },
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
