from __future__ import annotations

from pathlib import Path

from edge_app.box.messages import retain
from edge_app.config.schema import Config
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.topics import TOPICS, kind_of


def test_every_retained_topic_of_the_box_is_kept(tmp_path: Path) -> None:
    line = {"line": ((0.1, 0.8), (0.9, 0.8))}
    camera = {"source": "sim://entrance", "zones": {"entrance": line, "back-door": line}}
    config = Config.model_validate(
        {
            "store": "acme-0042",
            "node": "edge-1",
            "timezone": "Europe/Paris",
            "mqtt": {"url": "mqtt://127.0.0.1"},
            "cameras": {"door": camera, "hall": {"source": "sim://entrance"}},
        }
    )
    with Outbox(tmp_path / "outbox.sqlite", config.outbox) as outbox:
        retain(outbox, config)
        topics = outbox.state()["retained"]["acme-0042/edge-1"]
    assert {kind_of(topic) for topic in topics} == {
        kind for kind, topic in TOPICS.items() if topic.is_retained
    }
    below = [topic.removeprefix("dresscode/v1/acme-0042/") for topic in topics]
    assert below == [
        "node/edge-1/state", "node/edge-1/info", "cam/door/state", "cam/hall/state",
        "live/entrance", "live/back-door", "live/all",
    ]  # fmt: skip
