"""Seeing inside a running box: its metrics, and whether it is healthy, for this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from edge_app.box.supervision import Supervision
from edge_app.delivery.status import Deliveries
from edge_app.flow import Frame
from edge_app.pipeline import Step
from edge_app.runtime.endpoint import Endpoint, Page
from edge_app.runtime.metrics import CONTENT_TYPE, Metrics


class Observed:
    """What the endpoint tells.

    Attributes:
        metrics: of the box.
    """

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._health: dict[str, Any] = {"status": "starting"}
        self._supervision: Supervision | None = None

    def endpoint(self, port: int) -> AbstractContextManager[Any]:
        """Serves both pages within ``with``; nothing for port 0."""
        if port == 0:
            return nullcontext()
        pages = {"/metrics": self._metrics_page, "/healthz": self.health_page}
        return Endpoint(port, pages)

    def stepped(
        self, frames: Sequence[Frame], step: Step, stage_s: Mapping[str, float], done_at_s: float
    ) -> None:
        """Note a turn of the pipeline that has been handed over."""
        self.metrics.stepped(frames, stage_s, done_at_s)
        self.metrics.entered(step.entries)

    def health(
        self, supervision: Supervision, delivery: Deliveries, outbox_trouble: str | None
    ) -> None:
        """Note how the box is, by the pipeline, which cannot say that it stands still itself.

        Args:
            supervision: of its stages and cameras.
            delivery: to the brokers.
            outbox_trouble: why the outbox works in memory; None while it is on the disk.
        """
        reasons = [*supervision.troubles, *filter(None, (outbox_trouble, *delivery.troubles))]
        word = "degraded" if reasons else "ok"
        if not supervision.is_ready:
            word = "starting"
        if supervision.failing is not None:
            word = "failing"
        self._health = {
            "status": word,
            "reason": "; ".join(reasons),
            "broker_connected": delivery.store.is_connected,
        }
        self._supervision = supervision
        connected = {broker: one.is_connected for broker, one in delivery.by_broker.items()}
        self.metrics.delivery(connected, outbox_trouble is not None)
        for broker, status in delivery.by_broker.items():
            for name, lasts in status.certificates.items():
                self.metrics.certificate(broker, name, lasts.ends_s, lasts.renew_by_s)

    def figures(self, measured: Mapping[str, Any]) -> None:
        """Note the plain numbers of the health message."""
        numbers = {k: value for k, value in measured.items() if isinstance(value, (int, float))}
        self.metrics.figures(numbers)

    def _metrics_page(self) -> Page:
        return Page(200, CONTENT_TYPE, self.metrics.text())

    def health_page(self) -> Page:
        """``/healthz``: 200 unless a restart may help.

        A box that is degraded is not to be started anew: its broker, camera or disk would be as
        before, and what the outbox holds in memory would be lost.
        """
        told = dict(self._health)
        if self._supervision is not None:
            overdue = self._supervision.overdue
            told["standing_still_s"] = {stage: round(age_s, 1) for stage, age_s in overdue.items()}
            if overdue:
                told["status"] = "stuck"
        status = 200 if told["status"] in ("ok", "degraded") else 503
        return Page(status, "application/json", json.dumps(told).encode() + b"\n")
