"""The outbox on real files: order, cursors, numbers, bounds, kills and sick disks."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.config.schema import OutboxSettings
from edge_app.delivery.messages import WINDOWS_S
from edge_app.delivery.outbox import NOW_KEPT, Outbox
from edge_app.flow import CameraState, LiveCount, Message
from tests.edge_app.delivery.samples import MESSAGES, NOW_S, alert, minute, window

DAY_S = 86400.0


class Time:
    """Both clocks of an outbox, moved by the test."""

    def __init__(self) -> None:
        self.now_s = NOW_S
        self.steady_s = 1000.0

    def pass_(self, seconds: float) -> None:
        self.now_s += seconds
        self.steady_s += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def outbox(tmp_path: Path, time: Time) -> Iterator[Outbox]:
    with opened(tmp_path, time) as made:
        yield made


def opened(folder: Path, time: Time, **keywords: Any) -> Outbox:
    wanted = {"settings": OutboxSettings(), "brokers": ("store",)} | keywords
    return Outbox(
        folder / "outbox.sqlite",
        clock=lambda: time.now_s,
        monotonic=lambda: time.steady_s,
        **wanted,
    )


def seqs(outbox: Outbox, lane: Any, broker: str = "store", after: int = 0) -> list[int]:
    rows = outbox.waiting(broker, lane, after, 1000)
    return [json.loads(row.message.payload)["seq"] for row in rows]


def day(number: int) -> Message:
    start_s = 1_795_226_400.0 + 86400 * number
    return MESSAGES.window(window(window="p1d", start_s=start_s, drift=0), NOW_S)


def test_messages_wait_in_order_with_numbers_per_lane(outbox: Outbox) -> None:
    outbox.publish([minute(0), MESSAGES.alert(alert(), NOW_S), minute(1)])
    assert (seqs(outbox, "agg"), seqs(outbox, "alert")) == ([1, 2], [1])


def test_numbers_go_on_after_a_restart(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as first:
        first.publish([minute(0), minute(1)])
        births = [first.next_birth(), first.next_birth()]
        first.advance("store", {"agg": first.waiting("store", "agg", 0, 9)[-1].position})
    with opened(tmp_path, time) as second:
        second.publish([minute(2)])
        assert seqs(second, "agg") == [3]
        assert second.next_birth() > max(births)


def test_connections_of_a_box_that_lost_its_database_are_newer_than_those_before(
    tmp_path: Path, time: Time
) -> None:
    with opened(tmp_path, time) as first:
        births = [first.next_birth() for _ in range(3)]
    assert births == [int(time.now_s) + n for n in range(3)]
    (tmp_path / "outbox.sqlite").unlink()
    time.now_s += 60.0
    with opened(tmp_path, time) as second:
        assert second.next_birth() > max(births)
        time.now_s = 5.0  # a clock that is not set yet
        assert second.next_birth() > max(births)
    with opened(tmp_path / "new", time) as unset:
        assert [unset.next_birth(), unset.next_birth()] == [5, 6]


def test_state_is_what_was_published_last(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as first:
        first.publish([minute(0)], {"counts": {"in": 1}, "alerts": {}})
        first.publish([], {"counts": {"in": 2}})
    with opened(tmp_path, time) as second:
        assert second.state() == {"counts": {"in": 2}, "alerts": {}}


def test_a_broker_gets_what_it_has_not_acknowledged(outbox: Outbox) -> None:
    outbox.publish([minute(n) for n in range(5)])
    rows = outbox.waiting("store", "agg", 0, 3)
    assert len(rows) == 3
    outbox.advance("store", {"agg": rows[1].position})
    assert seqs(outbox, "agg") == [3, 4, 5]
    assert outbox.depth("store").rows == 3


def test_two_brokers_have_cursors_of_their_own(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time, brokers=("store", "headquarters")) as outbox:
        outbox.publish([minute(0)])
        outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 9)[-1].position})
        assert (seqs(outbox, "agg"), seqs(outbox, "agg", "headquarters")) == ([], [1])


def test_what_speaks_of_customers_now_waits_for_no_headquarters(tmp_path: Path, time: Time) -> None:
    live = MESSAGES.live(LiveCount("all", NOW_S, 1, 1, 0), NOW_S)
    health = MESSAGES.health({}, NOW_S)
    with opened(tmp_path, time, brokers=("store", "headquarters")) as outbox:
        outbox.publish([MESSAGES.alert(alert(), NOW_S), live, health])
        assert seqs(outbox, "alert") == [1]
        assert outbox.depth("headquarters").rows == 0
        assert outbox.take_now("store") == [live, health]
        assert outbox.take_now("headquarters") == [health]
        time.pass_(61)
        assert seqs(outbox, "alert") == []
        expired = [outbox.depth(name).alerts_expired for name in ("store", "headquarters")]
        assert expired == [1, 0]


def test_alerts_that_an_earlier_version_kept_for_headquarters_are_forgotten(
    tmp_path: Path, time: Time
) -> None:
    with opened(tmp_path, time, brokers=("store", "headquarters")) as outbox:
        outbox.publish([MESSAGES.alert(alert(), NOW_S)])
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as file, file:
        file.execute("INSERT OR REPLACE INTO cursor VALUES ('headquarters', 'alert', 0)")
    with opened(tmp_path, time, brokers=("store", "headquarters")) as outbox:
        outbox.advance("store", {"alert": outbox.waiting("store", "alert", 0, 9)[0].position})
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as file:
        assert file.execute("SELECT count(*) FROM message").fetchone() == (0,)


def test_a_new_broker_starts_with_what_comes_now(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as first:
        first.publish([minute(0)])
    with opened(tmp_path, time, brokers=("store", "headquarters")) as second:
        second.publish([minute(1)])
        assert seqs(second, "agg", "headquarters") == [2]
        assert seqs(second, "agg", "store") == [1, 2]


def test_a_removed_broker_holds_nothing_back(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time, brokers=("store", "headquarters")) as first:
        first.publish([MESSAGES.alert(alert(), NOW_S)])
    with opened(tmp_path, time) as second:
        second.advance("store", {"alert": second.waiting("store", "alert", 0, 9)[0].position})
    database = sqlite3.connect(tmp_path / "outbox.sqlite")
    assert database.execute("SELECT count(*) FROM message").fetchone() == (0,)
    database.close()


def test_what_a_removed_broker_asked_for_is_not_sent_when_it_comes_back(
    tmp_path: Path, time: Time
) -> None:
    both = ("store", "headquarters")
    with opened(tmp_path, time, brokers=both) as first:
        first.publish([minute(0)])
        first.resend("headquarters", {"zone": "*", "window": "*", "start": "2000", "end": "2100"})
    opened(tmp_path, time).close()
    with opened(tmp_path, time, brokers=both) as third:
        assert third.depth("headquarters").rows == 0


def test_of_a_state_only_the_latest_is_kept(outbox: Outbox) -> None:
    for n, word in enumerate(("online", "offline", "online")):
        outbox.publish([MESSAGES.camera_state(CameraState("door", word, str(n), NOW_S), NOW_S)])
    outbox.publish([MESSAGES.camera_state(CameraState("back", "online", "x", NOW_S), NOW_S)])
    kept = outbox.latest(0)
    assert [json.loads(row.message.payload)["reason"] for row in kept] == ["2", "x"]
    assert [row.message.topic[-10:] for row in outbox.latest(kept[0].position)] == ["back/state"]


def camera(name: str) -> Message:
    return MESSAGES.camera_state(CameraState(name, "online", "x", NOW_S), NOW_S)


def test_what_is_no_longer_made_is_taken_back_once(tmp_path: Path, time: Time) -> None:
    brokers = ("store", "headquarters")
    door, back, garden = camera("door"), camera("back"), camera("garden")
    with opened(tmp_path, time, brokers=brokers) as first:
        first.keep_retained("acme-0042/edge-1", [door.topic, back.topic, garden.topic])
        first.publish([door, back, garden, minute(0)])
    with opened(tmp_path, time, brokers=brokers) as second:
        second.keep_retained("acme-0042/edge-1", [door.topic])
        second.publish([minute(1)])
        assert [row.message for row in second.latest(0)] == [door]
        for broker in brokers:
            _, *empty, second_minute = second.waiting(broker, "agg", 0, 9)
            assert json.loads(second_minute.message.payload)["seq"] == 2
            told = [(m.topic, m.payload, m.is_retained) for _, m, _ in empty]
            assert told == [(back.topic, b"", True), (garden.topic, b"", True)]
        second.advance("store", {"agg": second_minute.position})
    with opened(tmp_path, time, brokers=brokers) as third:
        third.keep_retained("acme-0042/edge-1", [door.topic, garden.topic])
        waits = [row.message.topic for row in third.waiting("headquarters", "agg", 0, 9)]
        assert (waits.count(back.topic), waits.count(garden.topic)) == (1, 0)
        assert third.waiting("store", "agg", 0, 9) == []
        third.advance("headquarters", {"agg": second_minute.position})
        third.keep_retained("acme-0042/edge-1", [door.topic, garden.topic])
        everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
        assert third.resend("store", everything) == 2
    file = sqlite3.connect(tmp_path / "outbox.sqlite")
    assert file.execute("SELECT count(*) FROM message").fetchone() == (2,)
    file.close()


def test_of_another_store_or_box_nothing_is_said(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as first:
        first.keep_retained("acme-0041/edge-1", ["dresscode/v1/acme-0041/cam/door/state"])
        first.publish([replace(camera("door"), topic="dresscode/v1/acme-0041/cam/door/state")])
    with opened(tmp_path, time) as second:
        second.keep_retained("acme-0042/edge-1", [camera("door").topic])
        assert (second.latest(0), second.depth("store").rows) == ([], 0)


def test_live_messages_are_taken_once_and_never_stored(outbox: Outbox, tmp_path: Path) -> None:
    outbox.publish([MESSAGES.live(LiveCount("all", NOW_S, 1, 1, 0), NOW_S)])
    assert len(outbox.take_now("store")) == 1
    assert outbox.take_now("store") == []
    assert outbox.depth("store").rows == 0


def test_live_messages_that_nobody_takes_are_counted(outbox: Outbox) -> None:
    message = MESSAGES.live(LiveCount("all", NOW_S, 1, 1, 0), NOW_S)
    outbox.publish([message] * (NOW_KEPT + 10))
    assert outbox.depth("store").live_dropped == 10
    outbox.drop_now("store")
    assert outbox.depth("store").live_dropped == NOW_KEPT + 10


def test_an_alert_expires_and_is_counted(outbox: Outbox, time: Time) -> None:
    outbox.publish([MESSAGES.alert(alert(), time.now_s)])
    time.pass_(61)
    assert seqs(outbox, "alert") == []
    assert outbox.depth("store").alerts_expired == 1
    assert outbox.depth("store").rows == 0


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_jump_of_the_clock_kills_no_alert_and_keeps_none_alive(
    outbox: Outbox, time: Time, jump_s: float
) -> None:
    outbox.publish([MESSAGES.alert(alert(), time.now_s), minute(0)])
    time.now_s += jump_s
    (row,) = outbox.waiting("store", "alert", 0, 9)
    assert row.deadline_s is not None
    assert row.deadline_s - time.steady_s == pytest.approx(59.4)
    assert (outbox.depth("store").alerts_expired, outbox.depth("store").windows_dropped) == (0, 0)
    time.steady_s += 60
    assert seqs(outbox, "alert") == []


def test_what_one_broker_takes_leaves_the_others_alerts_alive(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time, brokers=("store", "other")) as outbox:
        outbox.publish([MESSAGES.alert(alert(), time.now_s)])
        outbox.advance("store", {"alert": outbox.waiting("store", "alert", 0, 9)[0].position})
        outbox.publish([MESSAGES.alert(alert(), time.now_s)])
        assert seqs(outbox, "alert") == [2]
        time.now_s += 3600.0
        assert seqs(outbox, "alert", "other") == [1, 2]
        time.steady_s += 61.0
        assert seqs(outbox, "alert", "other") == []


def test_the_times_of_alerts_that_are_gone_are_forgotten(outbox: Outbox, time: Time) -> None:
    for _ in range(3):
        outbox.publish([MESSAGES.alert(alert(), time.now_s)])
    outbox.advance("store", {"alert": outbox.waiting("store", "alert", 0, 9)[1].position})
    assert len(outbox._deadlines) == 3
    time.steady_s += 59.0
    outbox.publish([MESSAGES.alert(alert(settled_at_s=time.now_s + 59), time.now_s)])
    time.steady_s += 1.1
    outbox.publish([], {})
    assert len(outbox._deadlines) == 1


def test_an_alert_of_an_earlier_run_lives_as_long_as_it_says(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as first:
        first.publish([MESSAGES.alert(alert(), time.now_s)])
    time.now_s += 30
    time.steady_s = 5.0
    with opened(tmp_path, time) as second:
        (row,) = second.waiting("store", "alert", 0, 9)
        assert row.deadline_s == pytest.approx(5.0 + 29.4)


def test_windows_are_kept_as_history_and_sent_again(outbox: Outbox) -> None:
    outbox.publish([minute(n) for n in range(10)])
    last = outbox.waiting("store", "agg", 0, 99)[-1].position
    outbox.advance("store", {"agg": last})
    which = {"zone": "entrance", "window": "pt1m"}
    between = {"start": "2026-11-21T02:02:00.000Z", "end": "2026-11-21T02:05:00.000Z"}
    assert outbox.resend("store", which | between) == 3
    rows = outbox.waiting("store", "resend", 0, 99)
    told = [json.loads(row.message.payload) for row in rows]
    assert [one["seq"] for one in told] == [3, 4, 5]
    assert all(one["historical"] for one in told)
    outbox.advance("store", {"resend": rows[1].position})
    assert seqs(outbox, "resend") == [5]


def test_what_is_asked_for_again_and_again_is_queued_once(outbox: Outbox) -> None:
    """A client gone wild must not fill the disk, for which windows would have to go."""
    outbox.publish([minute(n) for n in range(10)])
    everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
    assert [outbox.resend("store", everything) for _ in range(50)] == [10] * 50
    assert seqs(outbox, "resend") == list(range(1, 11))
    fourth = outbox.waiting("store", "resend", 0, 4)[-1].position
    outbox.advance(
        "store", {"resend": fourth, "agg": outbox.waiting("store", "agg", 0, 7)[-1].position}
    )
    assert outbox.resend("store", everything) == 10
    assert seqs(outbox, "resend") == [*range(5, 11), *range(1, 5)]
    assert seqs(outbox, "agg") == [8, 9, 10]


def test_who_asked_alone_is_sent_windows_again(tmp_path: Path, time: Time) -> None:
    brokers = ("store", "headquarters")
    with opened(tmp_path, time, brokers=brokers) as outbox:
        outbox.publish([minute(n) for n in range(4)])
        last = outbox.waiting("store", "agg", 0, 9)[-1].position
        for broker in brokers:
            outbox.advance(broker, {"agg": last})
        everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
        assert outbox.resend("headquarters", everything) == 4
        second = outbox.waiting("headquarters", "resend", 0, 2)[-1].position
        assert seqs(outbox, "resend", "headquarters", after=second) == [3, 4]
        assert seqs(outbox, "resend", "store", after=0) == []


def test_the_age_of_what_has_waited_longest_is_told(outbox: Outbox, time: Time) -> None:
    ages = [outbox.depth("store").oldest_s]
    for n in range(2):
        outbox.publish([minute(n)])
        time.pass_(60)
    for row in outbox.waiting("store", "agg", 0, 9):
        ages.append(outbox.depth("store").oldest_s)
        outbox.advance("store", {"agg": row.position})
    assert [*ages, outbox.depth("store").oldest_s] == [0.0, 120.0, 60.0, 0.0]


def test_what_is_given_up_no_longer_waits_to_be_sent_again(outbox: Outbox, time: Time) -> None:
    outbox.publish([minute(0)])
    outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 9)[0].position})
    everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
    assert outbox.resend("store", everything) == outbox.depth("store").rows == 1
    time.pass_(36 * DAY_S)
    outbox.publish([], {})
    assert outbox.depth("store").rows == 0


def test_nothing_matches_a_resend_of_another_zone(outbox: Outbox) -> None:
    outbox.publish([minute(0)])
    everything = {"window": "*", "start": "2000", "end": "2100"}
    assert outbox.resend("store", {"zone": "garden", **everything}) == 0
    assert outbox.resend("store", {"zone": "*", **everything}) == 1


def test_a_refused_message_is_set_aside(outbox: Outbox, tmp_path: Path) -> None:
    outbox.refuse("store", minute(0), "Payload format invalid")
    assert outbox.depth("store").refused == 1
    assert set_aside(tmp_path) == [minute(0).topic]


def test_a_refused_alert_is_counted_and_not_kept(outbox: Outbox, tmp_path: Path) -> None:
    outbox.refuse("store", MESSAGES.alert(alert(), NOW_S), "Not authorized")
    assert outbox.depth("store").refused == 1
    assert set_aside(tmp_path) == []


def test_refused_messages_are_kept_as_long_as_sent_ones(
    outbox: Outbox, time: Time, tmp_path: Path
) -> None:
    outbox.refuse("store", minute(0), "Payload format invalid")
    time.pass_(34 * DAY_S)
    outbox.publish([], {})
    assert len(set_aside(tmp_path)) == 1
    time.pass_(2 * DAY_S)
    outbox.publish([], {})
    assert set_aside(tmp_path) == []
    assert outbox.depth("store").refused == 1


def set_aside(folder: Path) -> list[str]:
    """Topics of the refused messages that the file keeps."""
    with closing(sqlite3.connect(folder / "outbox.sqlite")) as db:
        return [topic for (topic,) in db.execute("SELECT topic FROM refused ORDER BY position")]


def test_the_last_thousand_refused_messages_are_kept_with_the_reason(
    outbox: Outbox, tmp_path: Path, time: Time
) -> None:
    for n in range(1005):
        outbox.refuse("store", minute(0), f"reason {n}")
    time.pass_(7 * 3600)
    outbox.publish([], {})
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as db:
        kept = db.execute("SELECT topic, reason FROM refused ORDER BY position").fetchall()
    assert kept == [(minute(0).topic, f"reason {n}") for n in range(5, 1005)]
    assert outbox.depth("store").refused == 1005


def test_what_cannot_be_stored_is_left_out_as_a_whole_and_stops_nothing(outbox: Outbox) -> None:
    with pytest.raises(TypeError):
        outbox.publish([minute(0)], {"counts": {"now_s": object()}})
    outbox.publish([minute(1)])
    assert [row.message.id for row in outbox.waiting("store", "agg", 0, 9)] == [minute(1).id]
    assert outbox.trouble is None


def test_unsent_windows_are_given_up_after_their_age(outbox: Outbox, time: Time) -> None:
    outbox.publish([minute(0), day(0)])
    time.pass_(14.1 * DAY_S)
    outbox.publish([minute(1)])
    assert seqs(outbox, "agg") == [2, 3]
    assert outbox.depth("store").windows_dropped == 1


def test_history_ends_after_its_days_and_is_no_loss(outbox: Outbox, time: Time) -> None:
    outbox.publish([minute(0)])
    outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 9)[0].position})
    time.pass_(34 * DAY_S)
    outbox.publish([])
    everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
    assert outbox.resend("store", everything) == 1
    time.pass_(2 * DAY_S)
    outbox.publish([], {})
    assert outbox.resend("store", everything) == 0
    assert outbox.depth("store").windows_dropped == 0


def test_days_are_kept_for_ninety_days(outbox: Outbox, time: Time) -> None:
    outbox.publish([day(0)])
    kept = []
    for days in (89, 2):
        time.pass_(days * DAY_S)
        outbox.publish([], {})
        kept.append(seqs(outbox, "agg"))
    assert kept == [[1], []]


def test_a_clock_that_was_never_set_gives_up_nothing(outbox: Outbox, time: Time) -> None:
    time.now_s = 60.0
    outbox.publish([minute(0)])
    time.now_s = NOW_S
    time.steady_s += 100
    outbox.publish([minute(1)])
    assert seqs(outbox, "agg") == [1, 2]


def test_a_wrong_date_gives_up_nothing(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as outbox:
        outbox.publish([minute(0), minute(1)])
        outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 1)[0].position})
        time.pass_(DAY_S)
        outbox.publish([], {})
        time.now_s += 60 * DAY_S
        for _ in range(60):
            time.pass_(61)
            outbox.publish([], {})
    with opened(tmp_path, time) as again:  # with the date still wrong
        again.publish([], {})
        time.now_s -= 60 * DAY_S
        time.pass_(DAY_S)
        again.publish([], {})
        assert seqs(again, "agg") == [2]
        everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
        assert again.resend("store", everything) == 2
        assert again.depth("store").windows_dropped == 0


def test_a_date_that_stays_is_believed(outbox: Outbox, time: Time) -> None:
    outbox.publish([minute(0)])
    time.now_s += 60 * DAY_S
    time.pass_(61)
    outbox.publish([], {})
    time.pass_(6 * 3600.0)
    outbox.publish([], {})
    assert outbox.depth("store").windows_dropped == 1


def test_a_day_tells_how_many_windows_were_given_up(outbox: Outbox, time: Time) -> None:
    outbox.publish([minute(n) for n in range(5)])
    time.pass_(15 * DAY_S)
    outbox.publish([minute(5)])
    outbox.publish([day(1)])
    told = [json.loads(row.message.payload) for row in outbox.waiting("store", "agg", 0, 9)]
    assert [one["dropped_windows"] for one in told] == [None, 5]


def test_when_full_the_finest_and_oldest_go_first(tmp_path: Path, time: Time) -> None:
    settings = OutboxSettings(max_mb=1.0)
    with opened(tmp_path, time, settings=settings) as outbox:
        start_s = 1_795_226_400.0
        for n in range(12):
            outbox.publish(
                [
                    MESSAGES.window(
                        window(window=length, start_s=start_s + 50 * n + k, drift=0), NOW_S
                    )
                    for length in WINDOWS_S
                    for k in range(25)
                ]
            )
        kept = [json.loads(r.message.payload) for r in outbox.waiting("store", "agg", 0, 9999)]
        depth = outbox.depth("store")
    by_length = {length: [one for one in kept if one["window"] == length] for length in WINDOWS_S}
    assert depth.size_mb <= 1.0
    assert depth.windows_dropped == 1200 - len(kept) > 0
    assert len(by_length["p1d"]) == 300
    assert len(by_length["pt1m"]) <= 25
    assert len(by_length["pt1m"]) <= len(by_length["pt15m"]) <= len(by_length["pt1h"])
    newest = {length: 1200 - 75 + 25 * k for k, length in enumerate(WINDOWS_S)}
    assert all(
        ones == [] or ones[-1]["seq"] == newest[length] for length, ones in by_length.items()
    )
    assert [one["seq"] for one in kept] == sorted(one["seq"] for one in kept)


def test_of_windows_of_one_length_the_oldest_give_way(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time, settings=OutboxSettings(max_mb=1.0)) as outbox:
        n = 0
        while outbox.depth("store").windows_dropped == 0:
            outbox.publish([minute(k) for k in range(n, n + 50)])
            n += 50
        kept = seqs(outbox, "agg")
        assert kept == list(range(n + 1 - outbox.depth("store").rows, n + 1))


def test_what_is_sent_gives_way_before_what_waits(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time, settings=OutboxSettings(max_mb=1.0)) as outbox:
        outbox.publish([minute(n) for n in range(600)])
        outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 9999)[-1].position})
        outbox.publish([minute(n) for n in range(600, 1000)])
        assert len(seqs(outbox, "agg")) == 400
        assert outbox.depth("store").windows_dropped == 0


def test_a_day_offline_stays_within_bounds(tmp_path: Path, time: Time) -> None:
    """24 hours of five zones, with the broker away: all windows wait, all alerts are too late."""
    with opened(tmp_path, time) as outbox:
        for n in range(0, 24 * 60, 5):
            time.pass_(300)
            late = MESSAGES.alert(alert(settled_at_s=time.now_s), time.now_s)
            windows = [minute(n + k, time.now_s) for k in range(5)]
            outbox.publish(windows * 5 + [late])
        time.pass_(61)
        depth = outbox.depth("store")
        assert outbox.waiting("store", "alert", 0, 9999) == []
        assert outbox.depth("store").alerts_expired == 24 * 12
        assert depth.rows == 5 * 24 * 60 + 1
        assert depth.windows_dropped == 0
        assert depth.size_mb < 20


@settings(max_examples=30)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("publish"), st.integers(1, 4)),
            st.tuples(st.just("acknowledge"), st.integers(0, 6)),
            st.tuples(st.just("restart"), st.just(0)),
        ),
        max_size=30,
    )
)
def test_whatever_happens_everything_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder, time = tmp_path_factory.mktemp("outbox"), Time()
    outbox, arrived, published = opened(folder, time), list[int](), 0
    for what, n in steps:
        if what == "publish":
            outbox.publish([minute(published + k) for k in range(n)], {"n": {"n": published + n}})
            published += n
        elif what == "acknowledge":
            for row in outbox.waiting("store", "agg", 0, n):
                arrived.append(json.loads(row.message.payload)["seq"])
                outbox.advance("store", {"agg": row.position})
        else:
            outbox.close()
            outbox = opened(folder, time)
    arrived += seqs(outbox, "agg")
    assert arrived == list(range(1, published + 1))
    assert outbox.state() == ({"n": {"n": published}} if published else {})
    outbox.close()


PUBLISH_FOREVER = """
import sys
from pathlib import Path
from edge_app.config.schema import OutboxSettings
from edge_app.delivery.outbox import Outbox
from tests.edge_app.delivery.samples import minute
outbox = Outbox(Path(sys.argv[1]), OutboxSettings())
n = outbox.state().get("n", {}).get("n", 0)
while True:
    outbox.publish([minute(n), minute(n + 1)], {"n": {"n": n + 2}})
    n += 2
    print(n, flush=True)
"""


def test_a_kill_leaves_state_and_messages_in_step(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "outbox.sqlite"
    told = 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_FOREVER, str(file)],
            cwd=root,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(7):
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    with Outbox(file, OutboxSettings()) as outbox:
        stored = outbox.state()["n"]["n"]
        assert stored >= told >= 56
        assert seqs(outbox, "agg") == list(range(1, stored + 1))


def zero(file: Path, page: int) -> None:
    """Overwrite a page of a database with zeros, counted from its end if negative."""
    pages = bytearray(file.read_bytes())
    start = 4096 * page % len(pages)
    pages[start : start + 4096] = bytes(4096)
    file.write_bytes(pages)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: file.write_bytes(b"not a database" * 500), id="another file"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:5000]), id="cut off"),
        pytest.param(
            lambda file: file.write_bytes(file.read_bytes()[:4096] + os.urandom(40_000)),
            id="random pages",
        ),
        # Opens, and breaks only when somebody reads that far.
        pytest.param(lambda file: zero(file, page=-8), id="an empty page"),
    ],
)
def test_a_damaged_file_is_set_aside(
    tmp_path: Path, time: Time, caplog: pytest.LogCaptureFixture, damage: Any
) -> None:
    with opened(tmp_path, time) as first:
        first.publish([minute(n) for n in range(50)], {"x": {}})
    damage(tmp_path / "outbox.sqlite")
    with caplog.at_level(logging.WARNING), opened(tmp_path, time) as second:
        second.publish([minute(0)])
        assert seqs(second, "agg") == [1]
        assert second.trouble is None
    assert "is damaged" in caplog.text
    assert len(list(tmp_path.glob("outbox.sqlite.damaged-*"))) >= 1


def test_an_unwritable_folder_only_degrades(
    tmp_path: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING), opened(tmp_path / "file", time) as outbox:
        outbox.publish([minute(0)], {"x": {"y": 1}})
        assert seqs(outbox, "agg") == [1]
        assert outbox.state() == {"x": {"y": 1}}
        assert outbox.trouble
    assert "cannot be written" in caplog.text


def make_unreadable(outbox: Outbox, file: Path) -> bytes:
    """Overwrite the file of an open outbox with rubbish; what was in it."""
    outbox._database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file.read_bytes()
    with file.open("r+b") as opened_file:
        opened_file.write(os.urandom(len(content)))
    outbox._database._connection.execute("PRAGMA shrink_memory")
    return content


def test_a_file_that_becomes_unreadable_stops_no_delivery(
    tmp_path: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    brokers, door = ("store", "headquarters"), camera("door")
    with opened(tmp_path, time, brokers=brokers) as outbox:
        birth = outbox.next_birth()
        outbox.publish([minute(n) for n in range(200)] + [door])
        before = outbox.waiting("store", "agg", 0, 999)[-1].position
        state_before = outbox.latest(0)[-1].position
        make_unreadable(outbox, tmp_path / "outbox.sqlite")
        outbox.publish([minute(200)], {"n": {"n": 1}})
        assert outbox.trouble is not None
        for broker in brokers:  # which ask for what comes after their place
            assert seqs(outbox, "agg", broker, before) == [201]
        assert [row.message for row in outbox.latest(0)] == [door]
        outbox.publish([door])
        assert len(outbox.latest(state_before)) == 1
        assert outbox.next_birth() > birth
        time.pass_(31)
        outbox.publish([minute(201)])
        assert outbox.trouble is None
        assert seqs(outbox, "agg", "store", before) == [201, 202]
        outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 9)[0].position})
        assert seqs(outbox, "agg") == [202]
    assert "nor can it be read" in caplog.text
    with opened(tmp_path, time, brokers=brokers) as again:
        assert seqs(again, "agg") == [202]


def test_a_file_that_could_not_be_opened_for_a_moment_is_taken_over(
    tmp_path: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    file, away = tmp_path / "outbox.sqlite", tmp_path / "away"
    everything = {"zone": "*", "window": "*", "start": "2000", "end": "2100"}
    with opened(tmp_path, time) as first:
        first.publish([minute(n) for n in range(50)], {"n": {"n": 50}})
        first.advance("store", {"agg": first.waiting("store", "agg", 0, 20)[-1].position})
        first.resend("store", everything | {"end": "2026-11-21T02:03:00.000Z"})
        first.refuse("store", minute(0), "too large")
    file.rename(away)
    file.mkdir()
    with opened(tmp_path, time) as second:
        assert second.trouble is not None
        second.refuse("store", minute(0), "too large")
        second.publish([minute(n) for n in range(50, 53)], {"n": {"n": 3}})
        *_, sent, under_way = second.waiting("store", "agg", 0, 99)
        second.advance("store", {"agg": sent.position})
        file.rmdir()
        away.rename(file)
        time.pass_(31)
        second.publish([minute(53)])
        assert (second.trouble, second.depth("store").refused) == (None, 2)
        second.advance("store", {"agg": under_way.position})  # its place has not changed
        assert seqs(second, "agg", after=under_way.position) == [*range(21, 51), 51]
    with opened(tmp_path, time) as third:
        assert seqs(third, "agg") == [*range(21, 51), 51]
        assert seqs(third, "resend") == [1, 2, 3]
        assert third.resend("store", everything) == 54
        assert third.state() == {"n": {"n": 3}}
    (aside,) = tmp_path.glob("outbox.sqlite.unread-*")
    assert f"kept as {aside.name}" in caplog.text


def test_what_one_of_two_brokers_lacks_in_a_file_that_is_taken_over_is_sent(
    tmp_path: Path, time: Time
) -> None:
    file, away = tmp_path / "outbox.sqlite", tmp_path / "away"
    brokers = ("store", "headquarters")
    with opened(tmp_path, time, brokers=brokers) as first:
        first.publish([minute(n) for n in range(20)])
        positions = [row.position for row in first.waiting("store", "agg", 0, 99)]
        first.advance("store", {"agg": positions[-1]})
        first.advance("headquarters", {"agg": positions[4]})
        first.resend("store", {"zone": "*", "window": "*", "start": "2000", "end": "2100"})
    file.rename(away)
    file.mkdir()
    with opened(tmp_path, time, brokers=brokers) as second:
        file.rmdir()
        away.rename(file)
        time.pass_(31)
        second.publish([minute(20)])
        assert second.trouble is None
        assert seqs(second, "agg", "headquarters")[:15] == list(range(6, 21))
        assert seqs(second, "resend", "store") == list(range(1, 6))


def test_a_file_with_requests_for_what_is_gone_is_taken_over(tmp_path: Path, time: Time) -> None:
    """As earlier versions left them."""
    file, away = tmp_path / "outbox.sqlite", tmp_path / "away"
    with opened(tmp_path, time) as first:
        first.publish([minute(0)])
        first.advance("store", {"agg": 1})
        first.refuse("store", minute(0), "too large")
    with closing(sqlite3.connect(file)) as db:
        db.execute("INSERT INTO resend (broker, message) VALUES ('store', 1)")
        db.execute("DELETE FROM message")
        db.commit()
    file.rename(away)
    file.mkdir()
    with opened(tmp_path, time) as second:
        file.rmdir()
        away.rename(file)
        time.pass_(31)
        second.publish([minute(1)])
        assert second.depth("store").refused == 1
        assert second.waiting("store", "resend", 0, 9) == []


def test_what_was_counted_is_there_after_a_start_that_told_nothing(
    tmp_path: Path, time: Time
) -> None:
    file, away = tmp_path / "outbox.sqlite", tmp_path / "away"
    with opened(tmp_path, time) as first:
        first.publish([], {"n": {"n": 50}})
    file.rename(away)
    file.mkdir()
    with opened(tmp_path, time):
        file.rmdir()
        away.rename(file)
    with opened(tmp_path, time) as third:
        assert third.state() == {"n": {"n": 50}}


def test_a_file_that_becomes_readable_again_is_taken_over(tmp_path: Path, time: Time) -> None:
    file = tmp_path / "outbox.sqlite"
    with opened(tmp_path, time) as outbox:
        outbox.refuse("store", minute(0), "too large")
        outbox.publish([minute(n) for n in range(200)])
        outbox.advance("store", {"agg": outbox.waiting("store", "agg", 0, 50)[-1].position})
        content = make_unreadable(outbox, file)
        outbox.publish([minute(200)], {"n": {"n": 1}})
        assert seqs(outbox, "agg") == [201]
        file.write_bytes(content)
        time.pass_(31)
        outbox.publish([minute(201)])
        assert seqs(outbox, "agg") == [201, *range(51, 201), 202]
        assert outbox.depth("store").refused == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mount: not permitted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_degrades_and_recovers(
    small_disk: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), opened(small_disk, time) as outbox:
        outbox.publish([minute(n) for n in range(50)])
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(b"x" * (4 << 20))
        for n in range(50, 400):
            outbox.publish([minute(n)], {"n": {"n": n}})
        assert outbox.trouble is not None
        assert seqs(outbox, "agg") == list(range(1, 401))
        ballast.unlink()
        time.pass_(31)
        outbox.publish([minute(400)])
        assert outbox.trouble is None
        assert seqs(outbox, "agg") == list(range(1, 402))
    with opened(small_disk, time) as again:
        assert seqs(again, "agg") == list(range(1, 402))
        assert again.state() == {"n": {"n": 399}}
    assert "cannot be written" in caplog.text
    assert "free the disk or repair it" in caplog.text
    assert "on the disk again" in caplog.text


def test_a_disk_with_too_little_room_is_not_worn_out_by_trying(
    small_disk: Path, time: Time
) -> None:
    """All that is in memory goes through the write-ahead log: 11 MB per try, of 13, every 30 s."""
    with opened(small_disk, time) as outbox:
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(b"x" * (4 << 20))
        outbox.publish([minute(n) for n in range(400)])
        os.truncate(ballast, ballast.stat().st_size - (300 << 10))
        before = written()
        for n in range(400, 410):
            time.pass_(31)
            outbox.publish([minute(n)])
        assert written() - before < 100_000
        assert outbox.trouble is not None
        ballast.unlink()
        time.pass_(31)
        assert seqs(outbox, "agg") == list(range(1, 411))
        assert outbox.trouble is None


def written() -> int:
    """Bytes that this process has written so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def test_a_read_only_disk_degrades_with_what_it_holds(
    small_disk: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(small_disk, time) as first:
        first.publish([minute(0)], {"x": {"y": 1}})
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with opened(small_disk, time) as second:
        assert second.trouble is not None
        second.publish([minute(1)])
        assert seqs(second, "agg") == [1, 2]
        assert second.state() == {"x": {"y": 1}}
    assert "its sandbox may not write to" in caplog.text
