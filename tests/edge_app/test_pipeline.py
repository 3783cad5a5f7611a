"""From pictures to alerts: somebody who walks as told, and real (tiny) networks for the clothes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from edge_app.app import Networks, build_pipeline, open_networks
from edge_app.config.schema import Config, DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.flow import Frame
from edge_app.inference.choose import open_engine
from edge_app.inference.model import Model
from edge_app.ports import Engine
from tests.edge_app.walker import DRESS, Walker
from tests.tiny_models import save_all

NOON = 1_767_268_800.0
TURNED_AWAY = np.ascontiguousarray(DRESS[:, :, ::-1])

ENTRANCE = {"line": [[0.0, 0.75], [1.0, 0.75]]}


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
