"""``dresscode bench``: how fast the pipeline is, and how near to its networks' own limit.

The limit is the time of exactly the network calls that were made (same engines, batches, threads
and pictures), run bare after the replay. The share of the limit is that time divided by the
pipeline's wall time; decoding is reported apart.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from edge_app.app import OpenEngine, build_pipeline, open_networks
from edge_app.capture.source import Recording
from edge_app.commands.replay import choose_camera, open_clip, start_time
from edge_app.config.schema import Config, InferenceSettings
from edge_app.flow import Float32, UInt8
from edge_app.inference.choose import describe_engine, open_engine
from edge_app.inference.model import Model
from edge_app.pipeline import Pipeline
from edge_app.ports import Engine

_KEPT_PER_SIZE = 16
"""Batches kept of each size, to be run bare again; all of a long clip would fill the memory."""


@dataclass
class RecordedCalls:
    """The network calls of one engine, in their order, and samples of what went in."""

    sizes: list[int] = field(default_factory=list)
    samples: dict[int, list[UInt8]] = field(default_factory=dict)
    spent_s: float = 0.0


class RecordingEngine:
    """An engine that notes every call before passing it on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.calls = RecordedCalls()

    def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        size = len(batch_nhwc)
        self.calls.sizes.append(size)
        samples = self.calls.samples.setdefault(size, [])
        if len(samples) < _KEPT_PER_SIZE:
            samples.append(batch_nhwc.copy())
        started = perf_counter()
        answer = self._engine.infer(batch_nhwc)
        self.calls.spent_s += perf_counter() - started
        return answer

    @property
    def device(self) -> str:
        """What runs it now, in words."""
        return describe_engine(self._engine)

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def bare_s(self) -> float:
        """Run exactly the recorded calls again with nothing around them; seconds."""
        turns = dict.fromkeys(self.calls.samples, 0)
        started = perf_counter()
        for size in self.calls.sizes:
            samples = self.calls.samples[size]
            self._engine.infer(samples[turns[size] % len(samples)])
            turns[size] += 1
        return perf_counter() - started

    def forget(self) -> None:
        """Start recording anew."""
        self.calls = RecordedCalls()


def recording_opener(engines: dict[str, RecordingEngine]) -> OpenEngine:
    """An engine opener that wraps each engine and files it under its model's task."""

    def open_one(settings: InferenceSettings, model: Model) -> Engine:
        engines[model.task] = RecordingEngine(open_engine(settings, model))
        return engines[model.task]

    return open_one


def warm_up(engines: dict[str, RecordingEngine], models: dict[str, Model], max_batch: int) -> None:
    """Compile the networks for every batch size, so that compiling is not measured."""
    for task, engine in engines.items():
        width, height = models[task].input_size
        for size in range(1, max_batch + 1):
            engine.infer(np.zeros((size, height, width, 3), np.uint8))
        engine.forget()


def bench_clip(
    clip: str, config: Config, camera: str | None, device: str | None = None
) -> dict[str, Any]:
    """Measure one recording from its name to its figures.

    Args:
        clip: a recording.
        config: of the store.
        camera: that the recording stands for; needed where there are several.
        device: in place of the configuration's: ``auto``, ``gpu`` (or it is an error), ``cpu``.

    Raises:
        ConfigError, SourceError, ModelError, EngineError: as a replay does.
    """
    chosen = choose_camera(config, camera)
    inference = chosen.inference.model_copy(update={"device": device or chosen.inference.device})
    engines: dict[str, RecordingEngine] = {}
    networks = open_networks(inference, chosen.detection, chosen.outfit, recording_opener(engines))
    warm_up(engines, networks.models, inference.max_batch)
    start_s = start_time(None)
    recording = open_clip(clip, chosen, start_s)
    pipeline = build_pipeline(chosen, networks, start_s, is_replay=True)
    figures = measure(pipeline, recording, engines)
    recording.close()
    networks.close()
    return {"clip": Path(clip).name} | figures


def measure(
    pipeline: Pipeline, recording: Recording, engines: dict[str, RecordingEngine]
) -> dict[str, Any]:
    """Run a recording and measure it.

    Args:
        pipeline: built for a replay, on engines of :func:`recording_opener`.
        recording: read to its end.
        engines: the recording engines by task, warmed up.

    Returns:
        Figures by name, ready for a table or JSON.
    """
    decode_s = wall_s = 0.0
    frames = people = 0
    pipeline.stage_s.clear()
    while True:
        started = perf_counter()
        frame = recording.read()
        read = perf_counter()
        decode_s += read - started
        if frame is None:
            break
        step = pipeline.step([frame], frame.taken_at_s)
        wall_s += perf_counter() - read
        frames += 1
        people += sum(len(tracked.tracks) for tracked in step.tracked)
    limit_s = {task: engine.bare_s() for task, engine in engines.items()}
    calls = {task: len(engine.calls.sizes) for task, engine in engines.items()}
    pictures = {task: sum(engine.calls.sizes) for task, engine in engines.items()}
    return {
        "device": {task: engine.device for task, engine in engines.items()},
        "frames": frames,
        "people_per_frame": round(people / max(frames, 1), 2),
        "frames_per_s": round(frames / max(wall_s, 1e-9), 1),
        "frames_per_s_with_decoding": round(frames / max(wall_s + decode_s, 1e-9), 1),
        "decode_ms_per_frame": round(1000 * decode_s / max(frames, 1), 3),
        "stage_ms_per_frame": {
            stage: round(1000 * spent / max(frames, 1), 3)
            for stage, spent in pipeline.stage_s.items()
        },
        "network_ms_per_frame": {
            task: round(1000 * engine.calls.spent_s / max(frames, 1), 3)
            for task, engine in engines.items()
        },
        "network_calls": calls,
        "network_pictures": pictures,
        "bare_ms_per_frame": {
            task: round(1000 * spent / max(frames, 1), 3) for task, spent in limit_s.items()
        },
        "share_of_limit": round(sum(limit_s.values()) / max(wall_s, 1e-9), 3),
        "peak_memory_mb": round(_peak_memory_mb(), 1),
    }


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "linux" else peak / 1024**2
