"""``dresscode replay``: a recording through the whole pipeline, every frame, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from edge_app.app import build_pipeline, open_networks
from edge_app.capture.source import Recording, source_kind
from edge_app.commands.annotate import Annotator
from edge_app.commands.clip import choose_camera, open_clip, start_time
from edge_app.commands.compare import compare
from edge_app.commands.frame_times import FrameTimes
from edge_app.commands.mot import mot_writer
from edge_app.commands.outputs import expect_drawable, expect_writable
from edge_app.commands.picture import ScenePicture
from edge_app.commands.truth import Truth, load_truth, simulated_truth
from edge_app.config.schema import Config
from edge_app.draw import save
from edge_app.errors import SourceError, TruthError
from edge_app.flow import Entry, Frame, Outfit, TrackKey
from edge_app.pipeline import Pipeline, Step
from edge_app.vocabulary import UNKNOWN


@dataclass
class ReplayResult:
    """What a replay found, as ``--json`` writes it."""

    clip: str
    fps: float
    frames: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    zones: tuple[str, ...] = ()
    truth: dict[str, Any] | None = None
    varying_s: float | None = None
    """How long it is, if its rate varies."""

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Entries and exits per zone."""
        moves = [(entry["zone"], entry["direction"]) for entry in self.entries]
        return {
            zone: {direction: moves.count((zone, direction)) for direction in ("in", "out")}
            for zone in self.zones
        }

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` writes."""
        described = {
            "clip": self.clip,
            "frames": self.frames,
            "fps": round(self.fps, 4),
            "counts": self.counts,
            "entries": self.entries,
            "alerts": self.alerts,
        }
        return described | ({} if self.truth is None else {"truth": self.truth})


def replay(
    pipeline: Pipeline,
    recording: Recording,
    result: ReplayResult,
    times: FrameTimes,
    watch: Callable[[Frame, Step], None],
) -> ReplayResult:
    """Run a recording to its end.

    Args:
        pipeline: built for a replay of the recording's camera.
        recording: read frame by frame.
        result: filled with what is found.
        times: of the recording, none noted; entries are told at the frame of their event time.
        watch: sees every frame with its step, for progress, drawing and track files; and the last
            one again with what the recording's end decided.

    Raises:
        SourceError: the recording cannot be read to its end.
        EngineError: a network failed.
    """
    ledger = _Ledger(result, times)
    last: Frame | None = None
    while (frame := recording.read()) is not None:
        times.note(frame)
        step = pipeline.step([frame], frame.taken_at_s)
        ledger.note(step)
        watch(frame, step)
        result.frames += 1
        last = frame
    if last is None:
        raise SourceError(f"{result.clip}: the recording holds no frame")
    end = pipeline.finish(last.taken_at_s, last.index)
    ledger.note(end)
    watch(last, end)
    return result


class _Ledger:
    """Writes entries and alerts into a result, and outfits into entries as they settle."""

    def __init__(self, result: ReplayResult, times: FrameTimes) -> None:
        self._result = result
        self._times = times
        self._open: dict[TrackKey, list[dict[str, Any]]] = {}

    def note(self, step: Step) -> None:
        for entry in step.entries:
            described = self._describe(entry)
            self._result.entries.append(described)
            self._open.setdefault((entry.camera, entry.track_id), []).append(described)
        for key, outfit in step.outfits.items():
            for described in self._open.get(key, ()):
                described.update(_worn(outfit))
            if outfit.is_settled:
                self._open.pop(key, None)
        for alert in step.alerts:
            self._result.alerts.append(
                {
                    "frame": alert.frame_index,
                    "rule": alert.rule,
                    "zone": alert.zone,
                    "garment": alert.garment,
                    "probability": round(alert.probability, 4),
                    "people": alert.people,
                }
            )

    def _describe(self, entry: Entry) -> dict[str, Any]:
        return {
            "frame": self._times.frame_of(entry.at_s),
            "zone": entry.zone,
            "direction": entry.direction,
            "outfit": {},
            "settled": False,
            "staff": False,
        }


def _worn(outfit: Outfit) -> dict[str, Any]:
    """An entry's ``outfit``, ``settled`` (every region that is worn has a category), ``staff``."""
    regions = {
        region: {"category": worn.category, "probability": round(worn.probability, 4)}
        for region, worn in outfit.regions.items()
    }
    is_known = bool(regions) and all(w.category != UNKNOWN for w in outfit.regions.values())
    return {
        "outfit": regions,
        "settled": outfit.is_settled and is_known,
        "staff": outfit.is_staff,
    }


@dataclass(frozen=True)
class ReplayOptions:
    """How a recording is replayed.

    Attributes:
        camera: which camera of the configuration it is of; None where there is only one.
        start: when it began, RFC 3339; None: unknown, and rules ignore their hours.
        truth_path: hand-made truth to compare with.
        mot_path: where to write tracks in MOTChallenge format.
        draw_dir: where to save annotated frames.
        picture_path: where to save a picture of the whole recording.
    """

    camera: str | None = None
    start: str | None = None
    truth_path: Path | None = None
    mot_path: Path | None = None
    draw_dir: Path | None = None
    picture_path: Path | None = None


def replay_clip(
    clip: str, config: Config, options: ReplayOptions, console: Console
) -> ReplayResult:
    """Replay one recording from its name to its result.

    Args:
        clip: video file, folder of pictures or ``sim://`` URL.
        config: of the store; must name the recording's camera.
        options: see :class:`ReplayOptions`.
        console: shows progress.

    Raises:
        ConfigError: the camera is not clear, or the start cannot be used.
        SourceError: the recording cannot be read, or what is asked for cannot be written.
        TruthError: the truth cannot be used.
        ModelError: a model is missing or breaks the contract.
        EngineError: a network failed.
    """
    chosen = choose_camera(config, options.camera)
    name = next(iter(chosen.cameras))
    start_s = start_time(options.start)
    expect_writable(options.mot_path)
    expect_drawable(clip, options.draw_dir, options.picture_path)
    recording = open_clip(clip, chosen, start_s)
    truth = _truth_of(clip, options.truth_path, chosen, recording, console)
    networks = open_networks(chosen.inference, chosen.detection, chosen.outfit)
    pipeline = build_pipeline(
        chosen,
        networks,
        start_s,
        is_replay=True,
        honours_hours=options.start is not None,
    )
    result = ReplayResult(Path(clip).name, recording.fps, zones=tuple(chosen.zones))
    watchers: list[Callable[[Frame, Step], None]] = []
    if options.draw_dir is not None:
        watchers.append(Annotator(options.draw_dir, dict(chosen.cameras)).save)
    times = FrameTimes(recording.fps, start_s)
    picture = ScenePicture(chosen.cameras[name].zones, times)
    if options.picture_path is not None:
        watchers.append(picture.watch)
    with mot_writer(options.mot_path) as write_tracks, Progress(console=console) as progress:
        task = progress.add_task(f"{name}: {result.clip}", total=recording.frame_count)

        def watch(frame: Frame, step: Step) -> None:
            for note in (write_tracks, *watchers):
                note(frame, step)
            progress.advance(task, len(step.tracked))

        replay(pipeline, recording, result, times, watch)
    recording.close()
    networks.close()
    if not times.is_even:
        result.varying_s = times.length_s
    if truth is not None:
        truth = truth if times.is_even else replace(truth, seconds=times.seconds)
        result.truth = compare(truth, result.entries, result.alerts, chosen.alerts, times.length_s)
    if options.picture_path is not None:
        save(picture.draw(truth, result.truth), options.picture_path)
    return result


def _truth_of(
    clip: str, path: Path | None, config: Config, recording: Recording, console: Console
) -> Truth | None:
    """The truth of a recording: that of the file, or the simulation's own, where there is one."""
    if path is None:
        if source_kind(clip) != "simulated":
            return None
        try:
            return simulated_truth(clip, config.zones)
        except TruthError as error:  # nobody asked for it
            console.print(str(error), markup=False, highlight=False, soft_wrap=True)
            return None
    truth = load_truth(path, clip, config.zones, recording.frame_count)
    if abs(truth.fps - recording.fps) > 0.01 * recording.fps:
        console.print(
            f"{path}: {Path(clip).name}: fps: expected {recording.fps:g} as in the clip, got "
            f"{truth.fps:g}; its frames are taken for the clip's: was another clip labelled?",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return truth
