"""From pictures to alerts: somebody who walks as told, and real (tiny) networks for the clothes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from edge_app.app import Networks, build_pipeline, open_networks
from edge_app.config.schema import Config, DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.flow import Batch, Float32, Frame
from edge_app.inference.choose import open_engine
from edge_app.inference.model import Model
from edge_app.ports import Engine
from tests.tiny_models import save_all

NOON = 1_767_268_800.0
WIDTH_PX, HEIGHT_PX = 640, 320
NETWORK_PX = WIDTH_PX // 128
"""Of the picture, to one of the tiny detector's."""

_NOISE = np.random.default_rng(0).integers(-25, 25, (HEIGHT_PX, WIDTH_PX, 3))
DRESS = (np.array([60, 90, 230]) + _NOISE).astype(np.uint8)
"""In red, the tiny networks see a dress; in blue, a shirt and jeans."""
TURNED_AWAY = np.ascontiguousarray(DRESS[:, :, ::-1])

ENTRANCE = {"line": [[0.0, 0.75], [1.0, 0.75]]}


class Walker:
    """An engine that finds one person, whose feet are where they are set."""

    def __init__(self) -> None:
        self.x_px, self.feet_px = 300.0, 0.0

    def infer(self, batch: Batch) -> dict[str, Float32]:
        feet_px = min(self.feet_px, HEIGHT_PX)
        box = np.array([self.x_px, self.feet_px - 150.0, self.x_px + 60.0, feet_px]) / NETWORK_PX
        is_seen = self.feet_px - 150.0 < HEIGHT_PX - 20.0
        return {
            "boxes": np.tile(box.astype(np.float32), (len(batch), 1, 1)),
            "scores": np.full((len(batch), 1, 1), 0.9 * is_seen, np.float32),
        }

    def close(self) -> None:
        pass


WALKER = Walker()


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    def open_one(settings: InferenceSettings, model: Model) -> Engine:
        return WALKER if model.task == "detector" else open_engine(settings, model)

    settings = InferenceSettings(models=save_all(tmp_path_factory.mktemp("models")), threads=1)
    opened = open_networks(settings, DetectionSettings(), OutfitSettings(), open_one)
    yield opened
    opened.close()


class Visit:
    """The pipeline of one camera while somebody walks, and what it told."""

    def __init__(self, networks: Networks, zones: dict[str, Any], **more: Any) -> None:
        said = {
            "store": "acme-1",
            "node": "edge-1",
            "timezone": "UTC",
            "mqtt": {"url": "mqtt://127.0.0.1"},
            "motion": {"gate": "off"},
            "tracking": {"appearance": False, "lost_s": 30.0},
            "cameras": {"door": {"source": "clip", "zones": zones}},
        }
        config = Config.model_validate(said | more)
        self.pipeline = build_pipeline(config, networks, NOON)
        self.now_s, self.shown = NOON, DRESS
        self.crossings: list[tuple[str, str, int]] = []
        self.alerts: list[str] = []

    def walk(self, from_px: float, to_px: float, in_s: float, fps: float = 10.0) -> None:
        for feet_px in np.linspace(from_px, to_px, round(in_s * fps)):
            self.now_s += 1.0 / fps
            WALKER.feet_px = float(feet_px)
            WALKER.x_px = 300.0 + 10.0 * np.sin(self.now_s / 7.0)
            step = self.pipeline.step([Frame("door", 0, self.now_s, self.shown)], self.now_s)
            self.crossings += [(e.direction, e.zone, e.track_id) for e in step.entries]
            self.alerts += [alert.zone for alert in step.alerts]


def test_who_stays_for_hours_is_not_announced_when_they_look_out_of_the_door(
    networks: Networks,
) -> None:
    rule = {"any_of": ["dress"], "zones": ["entrance"], "cooldown_s": 0.0}
    visit = Visit(networks, {"entrance": ENTRANCE}, alerts={"dresses": rule})
    visit.walk(300, 160, 4)
    assert visit.alerts == ["entrance"]
    visit.walk(160, 160, 3700, fps=0.5)
    visit.walk(160, 300, 4)
    visit.walk(300, 160, 4)
    assert visit.crossings == [(way, "entrance", 1) for way in ("in", "out", "in")]
    assert visit.alerts == ["entrance"]


@pytest.mark.parametrize("zones", [["shop", "fitting"], ["fitting", "shop"]], ids="-".join)
def test_who_steps_from_one_zone_into_another_brings_their_clothes(
    networks: Networks, zones: list[str]
) -> None:
    """Out of the one is into the other, in one step, whichever the configuration names first."""
    lines = {"shop": [[0.0, 0.75], [1.0, 0.75]], "fitting": [[1.0, 0.75], [0.0, 0.75]]}
    rule = {"any_of": ["dress"], "zones": ["fitting"], "cooldown_s": 0.0}
    visit = Visit(networks, {z: {"line": lines[z]} for z in zones}, alerts={"dresses": rule})
    visit.walk(160, 160, 5)
    visit.shown = TURNED_AWAY
    visit.walk(160, 480, 2)
    visit.walk(480, 480, 5)
    assert sorted(visit.crossings) == [("in", "fitting", 1), ("out", "shop", 1)]
    assert visit.alerts == ["fitting"]
    windows = visit.pipeline.finish(visit.now_s, 0).windows
    [*_, day] = [w for w in windows if (w.window, w.zone) == ("p1d", "fitting")]
    assert {name: n for name, n in day.garment.items() if n} == {"dress": 1}
