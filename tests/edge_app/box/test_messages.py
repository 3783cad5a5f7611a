from __future__ import annotations

from edge_app.box.messages import retained_topics
from edge_app.config.schema import Config
from edge_app.delivery.topics import TOPICS, kind_of


def test_every_retained_kind_is_among_the_retained_topics() -> None:
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
    topics = retained_topics(config)
    assert {kind_of(topic) for topic in topics} == {
        kind for kind, topic in TOPICS.items() if topic.is_retained
    }
    below = [topic.removeprefix("dresscode/v1/acme-0042/") for topic in topics]
    assert below == [
        "node/edge-1/state", "node/edge-1/info", "cam/door/state", "cam/hall/state",
        "live/entrance", "live/back-door", "live/all",
    ]  # fmt: skip
