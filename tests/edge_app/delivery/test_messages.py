"""From the flow's values to messages."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_app.delivery.kinds import rfc3339
from edge_app.delivery.messages import historical, numbered, uuid7
from edge_app.flow import LiveCount
from edge_app.vocabulary import CATEGORIES, UNKNOWN
from tests.edge_app.delivery.samples import MESSAGES, NOW_S, alert, every_message, window


def fields(message: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(message.payload)
    return loaded


def test_an_alert_says_who_where_and_how_long() -> None:
    message = MESSAGES.alert(alert(), NOW_S)
    told = fields(message)
    assert message.topic == "dresscode/v1/acme-0042/alert/entrance/formalwear"
    assert (message.lane, message.qos, message.is_retained) == ("alert", 1, False)
    assert message.expires_at_s == pytest.approx(NOW_S - 0.6 + 60)
    assert told["text"] == "A customer in a red dress entered (entrance)."
    assert told["ts"] == "2026-11-21T03:04:04.523Z"
    assert told["expires"] == "2026-11-21T03:05:04.523Z"
    assert told["latency_ms"] == 600
    assert message.id == told["id"]


def test_a_rule_for_leaving_says_left() -> None:
    leaving = replace(MESSAGES, directions={"formalwear": "out"})
    assert "left" in fields(leaving.alert(alert(), NOW_S))["text"]


def test_two_alerts_differ_by_id_only_and_sort_by_time() -> None:
    ids = [MESSAGES.alert(alert(), NOW_S + n).id for n in range(50)]
    assert len(set(ids)) == 50
    assert ids == sorted(ids, key=str)


@given(st.floats(0, 4e9))
def test_uuid7_is_one(now_s: float) -> None:
    made = uuid.UUID(uuid7(now_s))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(now_s * 1000)


def test_a_window_has_the_same_id_whenever_it_is_made() -> None:
    first = MESSAGES.window(window(), NOW_S)
    again = replace(MESSAGES, boot="other").window(window(), NOW_S + 9999)
    revised = MESSAGES.window(window(rev=1), NOW_S)
    assert first.id == again.id != revised.id
    assert uuid.UUID(first.id).version == 5


def test_an_hour_has_thresholded_garments() -> None:
    told = fields(MESSAGES.window(window(), NOW_S))
    assert set(told["garment"]) == {*CATEGORIES, UNKNOWN}
    # The suit's 2 people are hidden, and the next smallest cell so that they cannot be computed.
    assert (told["garment"]["suit"], told["garment"]["dress"]) == (None, None)
    assert told["garment"]["coat"] == 14
    assert (told["suppressed"], told["k"], told["garment_n"]) == (2, 5, 52)
    assert (told["drift"], told["dropped_windows"]) == (None, None)


def test_withheld_cells_are_hidden_whatever_their_value() -> None:
    told = fields(MESSAGES.window(window(withheld=("coat",)), NOW_S))
    assert told["garment"]["coat"] is None


@pytest.mark.parametrize("length", ["pt1m", "pt15m"])
def test_finer_windows_have_no_garments(length: str) -> None:
    told = fields(MESSAGES.window(window(window=length), NOW_S))
    assert (told["garment"], told["suppressed"]) == (None, 0)


def test_a_day_tells_of_drift_and_drops() -> None:
    message = MESSAGES.window(window(window="p1d", drift=-2), NOW_S)
    told = json.loads(numbered(message.payload, 8, 31))
    assert (told["drift"], told["dropped_windows"], told["seq"]) == (-2, 31, 8)


def test_numbers_are_written_into_nothing_else() -> None:
    payload = MESSAGES.window(window(window="p1d", drift=0), NOW_S).payload
    before, after = json.loads(payload), json.loads(numbered(payload, 8, 31))
    assert {key for key in before if before[key] != after[key]} == {"seq", "dropped_windows"}


def test_historical_changes_nothing_else() -> None:
    payload = MESSAGES.window(window(), NOW_S).payload
    before, after = json.loads(payload), json.loads(historical(payload))
    assert {key for key in before if before[key] != after[key]} == {"historical"}


def test_live_counts_never_go_below_zero() -> None:
    message = MESSAGES.live(LiveCount("all", NOW_S, -2, 1, 3), NOW_S)
    assert fields(message)["occupancy"] == 0
    assert (message.lane, message.qos, message.is_retained) == ("now", 0, True)


def test_health_refuses_a_key_that_the_contract_lacks() -> None:
    with pytest.raises(ValidationError):
        MESSAGES.health({"mood": "fine"}, NOW_S)


def test_a_message_is_a_cloud_event() -> None:
    made = {kind: one for kind, one in every_message().items() if kind != "response"}
    for kind, message in made.items():
        properties = message.properties
        assert properties["specversion"] == "1.0"
        assert properties["type"] == f"dresscode.{kind}"
        assert properties["source"] == "/dresscode/acme-0042/edge-1"
        assert message.topic.endswith(properties["subject"])
        assert message.id in (None, properties["id"])
    assert {kind for kind, message in made.items() if message.id} == {"alert", "agg"}
    assert len({message.properties["id"] for message in made.values()}) == len(made)


@given(st.floats(0, 4e9))
def test_rfc3339_has_milliseconds(at_s: float) -> None:
    text = rfc3339(at_s)
    assert len(text) == 24
    assert text[-5] == "."
    assert text.endswith("Z")
