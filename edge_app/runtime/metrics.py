"""Prometheus metrics of one box: counters and histograms, without garments, people or pictures.

Garment counts are thresholded before they leave the box; a counter that could be read every second
would give them away, so there is none here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_app.flow import CameraState, Entry, Frame

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LATENCY_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)
_STATES = ("online", "offline", "disabled", "obstructed", "moved")

_BYTES_PER_MB: Final = 2.0**20
_GAUGES: Final = {
    "uptime_s": ("uptime_seconds", "Since the program started.", 1.0),
    "memory_mb": ("memory_bytes", "Resident memory of the program.", _BYTES_PER_MB),
    "gpu_memory_mb": ("gpu_memory_bytes", "Memory in use on the GPU.", _BYTES_PER_MB),
    "outbox_rows": ("outbox_messages", "Messages that wait for the store's broker.", 1.0),
    "outbox_oldest_s": ("outbox_oldest_seconds", "Age of the oldest of them.", 1.0),
    "outbox_mb": ("outbox_bytes", "Size of the outbox.", _BYTES_PER_MB),
    "puback_age_s": ("puback_age_seconds", "Since the broker last acknowledged.", 1.0),
}
"""By key of the health message: name, meaning, and how many of its unit one of the key's is."""
_COUNTERS: Final = {
    "alerts_expired_total": ("alerts_expired", "Alerts that became too old unsent."),
    "windows_dropped_total": ("windows_dropped", "Windows given up unsent."),
    "live_dropped_total": ("live_dropped", "Live messages nobody could be sent."),
    "refused_total": ("messages_refused", "Messages that the broker refused for good."),
    "written_bytes": ("disk_written_bytes", "What the program has had written to disks."),
    "gpu_failures": ("gpu_failures", "Times that the CPU had to take over from the GPU."),
}


class Metrics(Collector):
    """The figures of one box; filled by the pipeline's thread, read by the endpoint's."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._frames = Counter(
            "dresscode_frames", "Pictures looked at.", ["camera"], registry=registry
        )
        self._stage = Histogram(
            "dresscode_stage_seconds", "Time of a stage per turn.", ["stage"],
            buckets=_STAGE_BUCKETS, registry=registry,
        )  # fmt: skip
        self._latency = Histogram(
            "dresscode_latency_seconds", "From a picture's capture until what follows from it was "
            "handed to the outbox.", ["camera"], buckets=_LATENCY_BUCKETS, registry=registry,
        )  # fmt: skip
        self._state = Gauge(
            "dresscode_camera_state", "1 for the state that a camera is in.", ["camera", "state"],
            registry=registry,
        )  # fmt: skip
        self._crossings = Counter(
            "dresscode_crossings", "Entries and exits.", ["zone", "direction"], registry=registry
        )
        self._connected = Gauge(
            "dresscode_broker_connected", "1 while the broker is connected.", ["broker"],
            registry=registry,
        )  # fmt: skip
        self._certificate_end = Gauge(
            "dresscode_certificate_end_timestamp_seconds", "When a certificate ends, Unix time.",
            ["broker", "certificate"], registry=registry,
        )  # fmt: skip
        self._certificate_renewal = Gauge(
            "dresscode_certificate_renewal_timestamp_seconds",
            "When it should have been renewed, Unix time.",
            ["broker", "certificate"], registry=registry,
        )  # fmt: skip
        self._in_memory = Gauge(
            "dresscode_outbox_in_memory", "1 while the disk takes no messages.", registry=registry
        )
        self._stage_s: dict[str, float] = {}
        self._drops: Mapping[str, Mapping[str, int]] = {}
        self._skipped: Mapping[str, int] = {}
        self._figures: Mapping[str, float] = {}
        registry.register(self)

    def stepped(
        self, frames: Sequence[Frame], stage_s: Mapping[str, float], done_at_s: float
    ) -> None:
        """Note a turn of the pipeline.

        Args:
            frames: that it looked at.
            stage_s: seconds spent in each stage since the start.
            done_at_s: when everything was handed over, on the frames' clock.
        """
        before, self._stage_s = self._stage_s, dict(stage_s)
        for frame in frames:
            self._frames.labels(frame.camera).inc()
            self._latency.labels(frame.camera).observe(max(done_at_s - frame.taken_at_s, 0.0))
        if frames:
            for stage, spent_s in stage_s.items():
                self._stage.labels(stage).observe(max(spent_s - before.get(stage, 0.0), 0.0))

    def entered(self, entries: Sequence[Entry]) -> None:
        """Note crossings; somebody who was inside at the start is none."""
        for entry in entries:
            if not entry.is_initial:
                self._crossings.labels(entry.zone, entry.direction).inc()

    def camera(self, state: CameraState) -> None:
        """Note a camera's state."""
        for name in _STATES:
            self._state.labels(state.camera, name).set(name == state.state)

    def delivery(self, is_connected: Mapping[str, bool], is_in_memory: bool) -> None:
        """Note whether each broker is there, and whether messages wait in memory only."""
        for broker, is_there in is_connected.items():
            self._connected.labels(broker).set(is_there)
        self._in_memory.set(is_in_memory)

    def certificate(self, broker: str, name: str, ends_s: float, renew_by_s: float) -> None:
        """Note how long a certificate of the connection to a broker lasts, Unix seconds."""
        self._certificate_end.labels(broker, name).set(ends_s)
        self._certificate_renewal.labels(broker, name).set(renew_by_s)

    def pictures(self, drops: Mapping[str, Mapping[str, int]], skipped: Mapping[str, int]) -> None:
        """Note pictures that no network saw, by camera (and reason), since the start."""
        self._drops = drops
        self._skipped = dict(skipped)

    def figures(self, numbers: Mapping[str, float]) -> None:
        """Note figures of the health message; what is not among them now is not told."""
        self._figures = numbers

    def collect(self) -> Iterator[Metric]:
        """What others count, for Prometheus' client."""
        name = "dresscode_frames_dropped"
        dropped = CounterMetricFamily(name, "Pictures dropped.", labels=("camera", "reason"))
        for camera, reasons in self._drops.items():
            for reason, number in reasons.items():
                dropped.add_metric((camera, reason), number)
        name = "dresscode_frames_quiet"
        quiet = CounterMetricFamily(name, "Pictures in which nothing moved.", labels=("camera",))
        for camera, number in self._skipped.items():
            quiet.add_metric((camera,), number)
        yield from (dropped, quiet)
        figures = self._figures
        for key, (name, meaning, factor) in _GAUGES.items():
            if key in figures:
                yield GaugeMetricFamily(f"dresscode_{name}", meaning, figures[key] * factor)
        for key, (name, meaning) in _COUNTERS.items():
            if key in figures:
                yield CounterMetricFamily(f"dresscode_{name}", meaning, figures[key])

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
