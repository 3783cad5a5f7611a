"""Every topic, as a table: what is published where, how, and for how long it is worth something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "dresscode/v1"
WINDOW_EXPIRY_S: Final = 14 * 86400.0


@dataclass(frozen=True)
class Topic:
    """One kind of topic.

    Attributes:
        pattern: below ``dresscode/v1/{store}/``, with gaps in braces.
        qos: 0 or 1.
        is_retained: the broker keeps the latest.
        expiry_s: message expiry on MQTT 5; None for never. A rule may give its alerts another.
        content: what it tells, in a line.
    """

    pattern: str
    qos: int
    is_retained: bool
    expiry_s: float | None
    content: str

    def at(self, store: str, **ids: str) -> str:
        """The topic itself.

        >>> TOPICS["alert"].at("acme-0042", zone="entrance", rule="formalwear")
        'dresscode/v1/acme-0042/alert/entrance/formalwear'
        """
        return f"{PREFIX}/{store}/{self.pattern.format(**ids)}"


TOPICS: Final[dict[str, Topic]] = {
    "state": Topic(
        "node/{node}/state", 1, True, None,
        "whether the box is there: `online`, `degraded`, `stopping`, `offline`; also its last will",
    ),
    "info": Topic(
        "node/{node}/info", 1, True, None,
        "what the box is: versions, models, vocabulary, zones, privacy settings",
    ),
    "health": Topic(
        "node/{node}/health", 0, False, 180.0,
        "frames per second, latencies, drops, temperatures, depth of the outbox",
    ),
    "camera": Topic(
        "cam/{camera}/state", 1, True, None,
        "whether a camera is `online`, `offline`, `disabled`, `obstructed` or `moved`",
    ),
    "live": Topic(
        "live/{zone}", 0, True, 900.0,
        "people inside, in and out today, at most every 5 s",
    ),
    "alert": Topic(
        "alert/{zone}/{rule}", 1, False, 60.0,
        "one event that staff should know of; its rule may say another expiry",
    ),
    "agg": Topic(
        "agg/{zone}/{window}", 1, False, WINDOW_EXPIRY_S,
        "the counts of one closed window: `pt1m`, `pt15m`, `pt1h`, `p1d`",
    ),
    "response": Topic(
        "rsp/{node}/{verb}", 1, False, 60.0,
        "the answer to a command `cmd/{node}/{verb}`",
    ),
}  # fmt: skip
"""Every topic that we publish to, by kind of payload in the contract."""

VERBS: Final = (
    "ping", "pause", "resume", "mute", "test-alert", "resend", "reset-occupancy", "reload",
)  # fmt: skip
"""Commands, sent to ``cmd/{node}/{verb}`` at QoS 1 and never retained."""


HEADQUARTERS: Final = "headquarters"
"""The outbox's name for the second broker."""

IN_STORE: Final = frozenset({"alert", "live"})
"""Kinds that headquarters is not told: they speak of the customers of this moment."""


def kind_of(topic: str) -> str | None:
    """Which kind a topic is of, or None for a stranger's.

    >>> kind_of("dresscode/v1/acme-0042/agg/all/p1d"), kind_of("dresscode/v1/acme-0042/what")
    ('agg', None)
    """
    below = re.sub(r"^dresscode/v1/[^/]+/", "", topic)
    for kind, entry in TOPICS.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", entry.pattern), below):
            return kind
    return None


def is_told(broker: str, topic: str) -> bool:
    """Whether a broker, by the outbox's name for it, gets what is published to a topic.

    >>> here = "dresscode/v1/acme-0042/live/entrance"
    >>> is_told("store", here), is_told(HEADQUARTERS, here)
    (True, False)
    """
    return broker != HEADQUARTERS or kind_of(topic) not in IN_STORE
