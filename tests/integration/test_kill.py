"""The box is killed at every SQL statement; what it told, and what it counted, stays the same.

The log of entries and outfits is the test's; counting, alerts, messages, outbox and database are
the real ones. Each life goes on where the last committed state says. Two things make a kill at any
statement harmless: it leaves the database as it was before the step or after it, and from whatever
step a new life goes on, it comes to the same end.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from edge_app.config.schema import OutboxSettings, RuleSettings
from edge_app.delivery.messages import Messages
from edge_app.delivery.outbox import Outbox
from edge_app.events.alerts import Alerts
from edge_app.events.books import Books
from edge_app.events.business_day import Calendar
from edge_app.events.counts import Counts
from edge_app.events.tally import Ledger
from edge_app.flow import Entry, Message, Outfit, Worn

START = datetime(2026, 11, 20, 11, 58, tzinfo=timezone.utc).timestamp()
STEPS, STEP_S = 8, 30.0
plain_connect = sqlite3.connect
CAMERAS = {"entrance": "door"}


@dataclass(frozen=True)
class Facts:
    """What one step of the log holds."""

    entries: list[Entry]
    outfits: dict[tuple[str, int], Outfit]
    ended: list[int]


def entry(person: int, step: int, direction: str = "in", late_s: float = 0.0, **more: Any) -> Entry:
    at_s = START + STEP_S * step + 1.0 - late_s
    return Entry("door", "entrance", person, direction, step, at_s, **more)


def wearing(person: int, is_settled: bool = True) -> Outfit:
    """Suits, shirts and dresses; every third works here."""
    name = ("suit", "shirt", "dress", "dress")[person % 4]
    region = "top" if name == "shirt" else "long"
    evidence = 1.2 if is_settled else 0.9
    worn = {region: Worn(name, 0.9)}
    return Outfit(is_settled, {name: 0.9}, worn, {"long": "red"}, evidence, person % 3 == 2)


def facts(step: int, has_open: bool) -> Facts:
    """Somebody comes in each step, and goes out two steps later; two entries are late.

    Clothes are known at once. Where outfits may be open, those of shirts (which no rule asks for)
    settle only when their wearers leave.
    """
    entries, ended = [entry(step, step)], []
    outfits = {("door", step): wearing(step, is_settled=not (has_open and step % 4 == 1))}
    if step >= 2:
        entries.append(entry(step - 2, step, "out", dwell_s=60.0))
        outfits["door", step - 2] = wearing(step - 2)
        ended.append(step - 2)
    if step in (5, 7):
        entries.append(entry(100 + step, step, late_s=150.0))
        outfits["door", 100 + step] = wearing(100 + step)
        ended.append(100 + step)
    return Facts(entries, outfits, ended)


class KilledError(BaseException):
    """The process is gone: nothing after this statement happens."""


class Mortal(sqlite3.Connection):
    """A connection whose process dies before a statement."""

    left = -1
    executed = 0
    alive: ClassVar[list[Mortal]] = []

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        Mortal.alive.append(self)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if Mortal.left == 0:
            raise KilledError
        Mortal.left -= 1
        Mortal.executed += 1
        return super().execute(*arguments)


def new_books() -> Books:
    rules = {
        "formal": RuleSettings(any_of=("dress", "suit"), cooldown_s=50.0),
        "suits": RuleSettings(any_of=("suit",), cooldown_s=0.0),
    }
    counts = Counts(CAMERAS, "Europe/Paris", "13:00", START)
    return Books(Alerts(rules, "Europe/Paris", list(CAMERAS)), counts)


def life(
    file: Path, has_open: bool = False, statements: int = -1, last: int = STEPS, keep: bool = False
) -> None:
    """One process: start from the database, play the rest of the log, die when it is time.

    Args:
        file: the database.
        has_open: of the log.
        statements: to die before the next one; below 0 to live on.
        last: the step to end with.
        keep: a copy of the database after each step, beside it.
    """
    Mortal.left = statements
    make = Messages("acme", "edge", "b007", "Europe/Paris", "en", 5, "m")
    try:
        outbox = Outbox(file, OutboxSettings(), clock=lambda: START, monotonic=lambda: 0.0)
        books, kept = new_books(), outbox.state()
        first = kept.pop("log", {"step": 0})["step"]
        books.restore(kept)
        for step in range(first, last + 1):
            now_s = START + STEP_S * (step + 1)
            messages = play(books, step, now_s, make, has_open)
            outbox.publish(messages, {**books.state(), "log": {"step": step + 1}})
            if keep:
                copy(file, snapshot(file, step + 1))
    finally:
        # As the end of a process does it: no commit, no roll-back.
        while Mortal.alive:
            Mortal.alive.pop().close()


def play(books: Books, step: int, now_s: float, make: Messages, has_open: bool) -> list[Message]:
    if step == STEPS:
        windows = books.counts.finish(now_s)
        return [make.window(window, now_s) for window in windows]
    log = facts(step, has_open)
    for second in range(int(STEP_S)):
        books.counts.seen("door", now_s - STEP_S + second + 1)
    alerts = books.book(log.entries, log.outfits, now_s, step)
    for person in log.ended:
        books.forget(("door", person))
    windows = books.counts.advance(now_s)
    told = [make.alert(alert, now_s) for alert in alerts]
    return told + [make.window(window, now_s) for window in windows]


def snapshot(file: Path, step: int) -> Path:
    """Where the database is kept as it was before a step."""
    return file.with_name(f"{file.stem}-{step}.sqlite")


def unsynced(file: Path) -> sqlite3.Connection:
    """A connection of the test itself, which waits for no disk."""
    connection = plain_connect(file)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def copy(source: Path, target: Path) -> None:
    """Copy what a database has committed."""
    for ending in ("", "-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    with closing(unsynced(source)) as old, closing(unsynced(target)) as new:
        old.backup(new)


def content(file: Path) -> list[Any]:
    """Everything that a database holds, but for the alerts' random ids."""
    with closing(unsynced(file)) as database:
        tables = ("state", "number", "cursor", "latest", "resend", "refused")
        rows = [sorted(database.execute(f"SELECT * FROM {table}")) for table in tables]
    return [told(file), *rows]


def told(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every message in order; alerts without their random id."""
    with closing(unsynced(file)) as database:
        rows = database.execute("SELECT topic, payload FROM message ORDER BY position").fetchall()
    messages = [(topic, json.loads(payload)) for topic, payload in rows]
    return [
        (topic, {k: v for k, v in payload.items() if k != "id" or "agg" in topic})
        for topic, payload in messages
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Mortal))
    return tmp_path


def totals(file: Path) -> dict[str, Counter[str]]:
    """By zone, everything that was counted, as the stored state has it."""
    outbox = Outbox(file, OutboxSettings())
    state = outbox.state()
    outbox.close()
    ledger = Ledger(list(CAMERAS), Calendar("Europe/Paris", "13:00"))
    ledger.restore(state["counts"]["ledger"])
    ledger.shelf.add(state["packed"]["tallies"])
    found = {zone: Counter[str]() for zone in CAMERAS}
    for zone, total in found.items():
        for start in {ledger.bounds("p1d", START + STEP_S * step)[0] for step in range(STEPS)}:
            tally = ledger.tally(zone, "p1d", start)
            total.update({"in": tally.entries, "out": tally.exits, "staff_in": tally.staff})
            total.update({"garment_n": tally.garment_n, **tally.garments})
    return found


def recounted() -> dict[str, Counter[str]]:
    """The same totals straight from the log, by nobody's code but this."""
    found = {zone: Counter[str]() for zone in CAMERAS}
    for step in range(STEPS):
        for one in facts(step, has_open=False).entries:
            total = found[one.zone]
            total[one.direction] += 1
            outfit = wearing(one.track_id)
            if one.direction == "in" and outfit.is_staff:
                total["staff_in"] += 1
            elif one.direction == "in":
                total["garment_n"] += 1
                total.update(word.category for word in outfit.regions.values())
    return found


def test_the_log_is_worth_killing(folder):
    life(folder / "whole.sqlite")
    messages = told(folder / "whole.sqlite")
    assert {p["rev"] for topic, p in messages if "/agg/" in topic} >= {0, 1, 2}
    assert {topic.split("/")[-1] for topic, _ in messages} == {
        "formal", "suits", "pt1m", "pt15m", "pt1h", "p1d",
    }  # fmt: skip
    assert len({p["start"] for topic, p in messages if "/p1d" in topic}) == 2
    assert totals(folder / "whole.sqlite") == recounted()
    assert min(recounted()["entrance"][key] for key in ("staff_in", "suit", "shirt", "dress")) > 0


def test_a_kill_at_any_statement_leaves_a_step_done_or_not_begun(folder):
    whole, file, done = folder / "whole.sqlite", folder / "killed.sqlite", folder / "done.sqlite"
    life(whole, has_open=True, keep=True)
    statements = 0
    for step in range(1, STEPS + 1):
        copy(snapshot(whole, step), done)
        Mortal.executed = 0
        life(done, has_open=True, last=step)
        allowed = [content(snapshot(whole, step)), content(done)]
        assert allowed[0] != allowed[1]
        for statement in range(Mortal.executed):
            copy(snapshot(whole, step), file)
            with pytest.raises(KilledError):
                life(file, True, statement, last=step)
            assert content(file) in allowed, f"killed at statement {statement} of step {step}"
            statements += 1
    assert statements > 300


@pytest.mark.parametrize("has_open", [False, True], ids=["settled", "open outfits"])
def test_wherever_a_new_life_goes_on_it_comes_to_the_same_end(folder, has_open):
    whole, file = folder / "whole.sqlite", folder / "killed.sqlite"
    life(whole, has_open, keep=True)
    for step in range(1, STEPS + 1):
        copy(snapshot(whole, step), file)
        life(file, has_open)
        assert totals(file) == recounted()
        # An outfit that a kill leaves open counts at once, and may so be in an earlier revision.
        if not has_open:
            assert told(file) == told(whole)


def test_kills_all_the_time_lose_and_double_nothing(folder):
    life(folder / "whole.sqlite")
    file = folder / "killed.sqlite"
    lives = 0
    while lives < 400:
        lives += 1
        with contextlib.suppress(KilledError):
            # Long enough for opening, and for the largest transaction.
            life(file, statements=120)
            break
    assert 3 < lives < 400
    assert told(file) == told(folder / "whole.sqlite")
