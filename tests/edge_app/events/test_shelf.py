from __future__ import annotations

import gc
import json
import tracemalloc
from base64 import b85encode
from collections.abc import Callable
from zlib import compress

from hypothesis import given
from hypothesis import strategies as st

from edge_app.events.facts import FactBook, Facts
from edge_app.events.shelf import Shelf, WindowKey

LENGTHS_S = {"pt1m": 60, "pt15m": 900, "pt1h": 3600, "p1d": 86400}
HOUR_S = 3600
KEYS = st.sampled_from(sorted(LENGTHS_S)).flatmap(
    lambda window: st.tuples(
        st.sampled_from(["door", "back"]),
        st.just(window),
        st.integers(0, 3 * 86400 // LENGTHS_S[window]).map(lambda n: n * LENGTHS_S[window]),
    )
)


def numbers() -> Shelf[int]:
    return Shelf[int](lambda n: [n], lambda row: row[0])


def of_a_day() -> Shelf[int]:
    shelf = numbers()
    for minute in range(24 * 60):
        shelf.put(("door", "pt1m", 60 * minute), minute)
    return shelf


def restored(shelf: Shelf[int]) -> Shelf[int]:
    again = numbers()
    again.restore(json.loads(json.dumps(shelf.state())))
    again.add(json.loads(json.dumps(shelf.packed())))
    return again


@given(st.lists(st.tuples(KEYS, st.integers()), max_size=60))
def test_it_is_a_dictionary_in_whatever_order_windows_come(puts):
    shelf, plain = numbers(), dict[WindowKey, int]()
    for key, value in puts:
        shelf.put(key, value)
        plain[key] = value
        assert shelf.get(key) == value
    for kept in (shelf, restored(shelf)):
        assert dict(kept.since(0)) == plain
        assert dict(kept.since(86400)) == {k: v for k, v in plain.items() if k[2] >= 86400}
    assert restored(shelf).state() == shelf.state()
    assert restored(shelf).packed() == shelf.packed()


def test_an_old_window_takes_a_late_fact_and_its_neighbours_stay():
    shelf = of_a_day()
    before = shelf.packed()
    shelf.put(("door", "pt1m", 7200), -1)
    after = shelf.packed()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    for kept in (shelf, restored(shelf)):
        assert [kept.get(("door", "pt1m", start)) for start in (7140, 7200, 7260)] == [119, -1, 121]


def test_what_changes_often_is_little():
    """Measured: 385 characters of 10,434."""
    shelf = of_a_day()
    (fresh,) = shelf.state()["packed"]
    assert len(fresh) < 0.1 * sum(map(len, shelf.packed()))


def test_most_is_stored_twice_an_hour():
    shelf, stored = of_a_day(), []
    for minute in range(24 * 60, 26 * 60):
        shelf.put(("door", "pt1m", 60 * minute), minute)
        stored.append(tuple(shelf.packed()))
    assert len(set(stored)) == 4


def test_old_windows_are_dropped_a_chunk_at_once():
    shelf = of_a_day()
    shelf.put(("door", "p1d", 0), 5)
    shelf.forget("pt1m", 6 * HOUR_S + 60)
    starts = sorted(key[2] for key, _ in shelf.since(0) if key[1] == "pt1m")
    assert starts[0] == 6 * HOUR_S
    assert len(starts) == 18 * 60
    assert shelf.get(("door", "p1d", 0)) == 5
    shelf.forget("pt1m", float("inf"))
    assert list(shelf.since(0)) == [(("door", "p1d", 0), 5)]


def test_the_state_of_earlier_versions_is_read():
    """There whole hours of all kinds were packed together, and within the state."""
    rows = [["door", "pt1m", 60 * minute, minute] for minute in range(60)]
    rows += [["door", "pt1h", 0, 77], ["door", "p1d", 0, 78]]
    packed = b85encode(compress(json.dumps(rows).encode())).decode()
    shelf = numbers()
    shelf.restore({"plain": [["door", "pt1m", 3600, 60]], "packed": [packed]})
    assert sum(1 for _ in shelf.since(0)) == 63
    assert [shelf.get(("door", window, 0)) for window in ("pt1m", "pt1h", "p1d")] == [0, 77, 78]


def test_what_is_stored_apart_does_not_undo_what_is_newer():
    """As after a way back to an earlier version, which leaves what was stored apart as it was."""
    old, new = of_a_day(), of_a_day()
    new.put(("door", "pt1m", 0), -1)
    again = numbers()
    again.restore({"plain": [], "packed": [*new.state()["packed"], *new.packed()]})
    again.add(old.packed())
    assert dict(again.since(0)) == dict(new.since(0))


def grown_kib(work: Callable[[int], None], first: int, last: int) -> float:
    """What stays allocated after the steps up to the last, beyond those up to the first."""
    tracemalloc.start()
    try:
        for step in range(first):
            work(step)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for step in range(first, last):
            work(step)
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / 1024
    finally:
        tracemalloc.stop()


def test_an_hour_that_is_over_takes_little_memory():
    """Measured: 5 KiB for the 300 facts of an hour of five zones; as objects they took 150."""
    book = FactBook()

    def close(minute: int) -> None:
        for zone in range(5):
            inside = minute * (zone + 7) % 13
            facts = Facts(round(1 - inside / 60, 4), inside, inside + 1, inside + 2, inside + 0.125)
            book.put((f"zone-{zone}", "pt1m", 60 * minute), facts)

    grown = grown_kib(close, 60, 7 * 60)
    assert book.at(("zone-4", "pt1m", 60)).end == 1 * 11 % 13 + 1
    assert grown / 6 < 20


def test_what_begins_from_a_time_on_is_dropped_fresh_or_packed():
    shelf = Shelf[int](lambda n: [n], lambda row: row[0])
    for start in range(0, 7200, 60):
        shelf.put(("door", "pt1m", start), start)
    for from_s in (6960, 660):
        shelf.forget_from(from_s)
        assert sorted(key[2] for key, _ in shelf.since(0)) == list(range(0, from_s, 60))
    shelf.put(("door", "pt1m", 660), 1)
    assert shelf.get(("door", "pt1m", 660)) == 1
