"""Metrics and health over real HTTP."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_app.box.observed import Observed
from edge_app.box.supervision import PATIENCE_S, Supervision
from edge_app.delivery.certificates import Lifetime
from edge_app.delivery.status import Deliveries, Status
from edge_app.flow import CameraState, Entry, Frame
from edge_app.pipeline import Step
from edge_app.runtime.endpoint import Endpoint, Page
from edge_app.runtime.metrics import Metrics
from edge_app.runtime.systemd import Notifier
from edge_app.vocabulary import CATEGORIES
from tests.edge_app.runtime.test_heartbeats import Clock


def get(port: int | None, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


CONNECTED = Status(True, "mqtt://127.0.0.1", "5", "connected with MQTT 5", None, 0, None, 0, 1)


def filled() -> Observed:
    seen = Observed()
    frame = Frame("door", 0, 100.0, np.zeros((8, 8, 3), np.uint8))
    entry = Entry("door", "entrance", 1, "in", 0, 100.0)
    seen.stepped([frame], Step(entries=(entry,)), {"detection": 0.02, "tracking": 0.001}, 100.2)
    seen.metrics.camera(CameraState("door", "moved", "turned", 0.0))
    seen.metrics.pictures({"door": {"late": 3}}, {"door": 7})
    seen.figures(
        {"uptime_s": 7.0, "memory_mb": 2.0, "outbox_rows": 4, "outbox_oldest_s": 1.5,
         "outbox_mb": 0.5, "puback_age_s": 3.0, "alerts_expired_total": 1, "refused_total": 2,
         "windows_dropped_total": 3, "live_dropped_total": 4, "gpu_failures": 5,
         "written_bytes": 8192,
         "fps": {"door": 9.0}, "gpu_memory_mb": 6.0}
    )  # fmt: skip
    return seen


def test_what_prometheus_reads() -> None:
    samples = {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(filled().metrics.text().decode())
        for sample in family.samples
    }
    assert samples["dresscode_frames_total", ("door",)] == 1
    assert samples["dresscode_frames_quiet_total", ("door",)] == 7
    assert samples["dresscode_frames_dropped_total", ("door", "late")] == 3
    assert samples["dresscode_crossings_total", ("entrance", "in")] == 1
    assert samples["dresscode_camera_state", ("door", "moved")] == 1
    assert samples["dresscode_camera_state", ("door", "online")] == 0
    assert samples["dresscode_outbox_messages", ()] == 4
    assert samples["dresscode_memory_bytes", ()] == 2 * 2**20
    assert samples["dresscode_windows_dropped_total", ()] == 3
    assert samples["dresscode_latency_seconds_bucket", ("0.2", "door")] == 0
    assert samples["dresscode_latency_seconds_bucket", ("0.3", "door")] == 1
    assert samples["dresscode_stage_seconds_sum", ("detection",)] == pytest.approx(0.02)


def filled_page() -> str:
    """What Prometheus reads of a box that has everything."""
    seen = filled()
    box = Supervision(Notifier({}), ["door"], ["store"])
    shown = replace(CONNECTED, certificates={"own": Lifetime(1.9e9, 2e9)})
    seen.health(box, Deliveries({"store": shown}), None)
    return seen.metrics.text().decode()


def test_every_metric_is_documented_with_its_type_and_labels(root: Path) -> None:
    told = {}
    for family in text_string_to_metric_families(filled_page()):
        if not family.name.endswith("_created"):
            labels = {name for sample in family.samples for name in sample.labels} - {"le"}
            name = f"{family.name}_total" if family.type == "counter" else family.name
            told[name] = (family.type, ", ".join(sorted(labels)))
    text = (root / "systemd" / "README.md").read_text()
    rows = re.findall(r"^\| `(dresscode_\w+)` \| (\w+) \| ([\w, ]*?) ?\| \w", text, re.MULTILINE)
    assert told == {name: (kind, labels) for name, kind, labels in rows}


def test_a_figure_that_is_not_measured_any_more_is_not_told() -> None:
    seen = filled()
    seen.figures({"uptime_s": 8.0, "puback_age_s": None})
    text = seen.metrics.text().decode()
    assert "dresscode_uptime_seconds 8.0" in text
    assert "puback_age" not in text


def test_garments_are_not_among_them() -> None:
    text = filled().metrics.text().decode()
    assert not [name for name in (*CATEGORIES, "garment") if name in text.replace("dresscode", "")]


def test_stages_are_told_by_turn() -> None:
    metrics = Metrics()
    frame = Frame("door", 0, 100.0, np.zeros((8, 8, 3), np.uint8))
    for total_s in (0.02, 0.05):
        metrics.stepped([frame], {"detection": total_s}, 100.0)
    assert (
        'dresscode_stage_seconds_bucket{le="0.025",stage="detection"} 1.0'
        in metrics.text().decode()
    )


def test_both_pages_are_served_and_nothing_else() -> None:
    clock = Clock()
    seen, box = filled(), Supervision(Notifier({}), ["door"], ["store"], clock)
    with seen.endpoint(0) as nothing:
        assert nothing is None
    pages = {"/metrics": seen._metrics_page, "/healthz": seen.health_page}
    with Endpoint(0, pages) as endpoint:
        assert get(endpoint.port, "/metrics")[1].startswith("# HELP")
        assert get(endpoint.port, "/healthz") == (503, '{"status": "starting"}\n')
        box.camera(CameraState("door", "online", "", 0.0))
        box.turn("")
        seen.health(box, Deliveries({"store": CONNECTED}), None)
        status, text = get(endpoint.port, "/healthz")
        assert (status, '"status": "ok"' in text) == (200, True)
        box.camera(CameraState("door", "offline", "no answer", 0.0))
        away = replace(CONNECTED, trouble="not connected: refused")
        seen.health(box, Deliveries({"store": away}), "outbox in memory")
        status, text = get(endpoint.port, "/healthz")
        told = json.loads(text)
        assert (status, told["status"]) == (200, "degraded")
        assert told["reason"] == "no camera is online; outbox in memory; not connected: refused"
        assert "dresscode_outbox_in_memory 1.0" in get(endpoint.port, "/metrics")[1]
        assert 'dresscode_broker_connected{broker="store"} 1.0' in get(endpoint.port, "/metrics")[1]
        clock.now_s += PATIENCE_S["pipeline"] + 1.0
        status, text = get(endpoint.port, "/healthz")
        told = json.loads(text)
        assert (status, told["status"]) == (503, "stuck")
        assert told["standing_still_s"] == {"pipeline": PATIENCE_S["pipeline"] + 1.0}
        assert get(endpoint.port, "/etc/passwd")[0] == 404
        port = endpoint.port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port or 0)) != 0


def test_prometheus_is_told_what_it_gets() -> None:
    with Endpoint(0, {"/metrics": filled()._metrics_page}) as endpoint:
        page = f"http://127.0.0.1:{endpoint.port}/metrics"
        with urllib.request.urlopen(page, timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            assert answer.headers["Content-Length"] == str(len(answer.read()))


def test_a_port_that_is_taken_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Endpoint(taken.getsockname()[1], {}) as endpoint:
            assert endpoint.port is None
    assert "choose another metrics.port" in caplog.text


def test_a_client_that_says_nothing_holds_up_nobody_for_long() -> None:
    page = {"/metrics": lambda: Page(200, "text/plain", b"here")}
    with Endpoint(0, page) as endpoint, socket.socket() as silent:
        silent.connect(("127.0.0.1", endpoint.port or 0))
        assert get(endpoint.port, "/metrics") == (200, "here")
