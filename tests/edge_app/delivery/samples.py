"""Values of the flow, and messages made of them, for the tests of delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edge_app.delivery.contract import ResponsePayload
from edge_app.delivery.messages import Messages
from edge_app.delivery.topics import TOPICS
from edge_app.flow import Alert, CameraState, CountWindow, LiveCount, Message

NOW_S = 1_795_230_245.123  # 2026-11-21T03:04:05.123Z
MESSAGES = Messages(
    store="acme-0042", node="edge-1", boot="5f2c", timezone="Europe/Paris", model="1.0"
)


def alert(**changes: Any) -> Alert:
    """A customer in a red dress."""
    made = Alert("formalwear", "entrance", "dress", 0.91, "red", 1, NOW_S - 1, NOW_S - 0.6, 7)
    return replace(made, **changes)


def window(**changes: Any) -> CountWindow:
    """An hour of the entrance."""
    made = CountWindow(
        zone="entrance",
        window="pt1h",
        start_s=1_795_226_400.0,
        end_s=1_795_230_000.0,
        rev=0,
        business_day="2026-11-20",
        local_hour=3,
        timezone="Europe/Paris",
        coverage=0.998,
        counts={"in": 52, "out": 47, "uturn": 3, "staff_in": 6},
        occ={"start": 12, "end": 17, "max": 21, "avg": 15.3},
        dwell_n=44,
        dwell_sum_s=18211.0,
        garment={"dress": 7, "coat": 14, "suit": 2, "jeans": 20, "unknown": 8},
        garment_n=52,
        in_total=182340,
        out_total=182011,
        counter_epoch_s=1_788_220_800.0,
    )
    return replace(made, **changes)


def every_message(messages: Messages = MESSAGES, now_s: float = NOW_S) -> dict[str, Message]:
    """One message of each kind."""
    return {
        "alert": messages.alert(alert(settled_at_s=now_s - 0.6), now_s),
        "agg": messages.window(window(), now_s),
        "live": messages.live(LiveCount("entrance", now_s, 5, 52, 47), now_s),
        "state": messages.node_state("online", "started", 3, now_s),
        "info": messages.node_info(
            now_s,
            {"dresscode": "1.0"},
            {"detector": "1.0 ab12"},
            {"entrance": "line"},
            {"f": "dress"},
        ),
        "health": messages.health({"fps": {"door": 9.9}, "outbox_rows": 3}, now_s),
        "response": response(messages),
        "camera": messages.camera_state(CameraState("door", "online", "pictures", now_s), now_s),
    }


def response(messages: Messages = MESSAGES) -> Message:
    """The answer to a ping."""
    payload = ResponsePayload(
        store=messages.store,
        node=messages.node,
        ts="2026-11-21T03:04:05.123Z",
        boot=messages.boot,
        verb="ping",
        transaction="t-1",
        status="done",
        reason="here",
        n=None,
    )
    topic = TOPICS["response"].at(messages.store, node=messages.node, verb="ping")
    return Message(topic, payload.to_json(), 1, False, "now")


def minute(number: int, now_s: float = NOW_S, messages: Messages = MESSAGES) -> Message:
    """The window of a certain minute."""
    start_s = 1_795_226_400.0 + 60 * number
    counted = window(window="pt1m", start_s=start_s, end_s=start_s + 60, garment={})
    return messages.window(counted, now_s)
