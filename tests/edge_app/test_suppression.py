from __future__ import annotations

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.suppression import suppress, withheld_in_total

CASES = {
    "nothing small": ({"dress": 7, "suit": 5, "coat": 0}, (), {"dress": 7, "suit": 5, "coat": 0}),
    "an empty window has nobody to protect": ({"dress": 0, "suit": 0}, (), {"dress": 0, "suit": 0}),
    "one small cell takes the next smallest along": (
        {"dress": 2, "suit": 9, "coat": 7, "jeans": 0},
        (),
        {"dress": None, "suit": 9, "coat": None, "jeans": 0},
    ),
    "equally small ones go together": (
        {"dress": 2, "suit": 7, "coat": 7, "jeans": 20},
        (),
        {"dress": None, "suit": None, "coat": None, "jeans": 20},
    ),
    "two ones add up to 2, which tells": (
        {"dress": 1, "suit": 1, "coat": 8, "jeans": 20},
        (),
        {"dress": None, "suit": None, "coat": None, "jeans": 20},
    ),
    "two fours add up to 8, which tells": (
        {"dress": 4, "suit": 4, "coat": 8, "jeans": 20},
        (),
        {"dress": None, "suit": None, "coat": None, "jeans": 20},
    ),
    "two small ones that could be many": (
        {"dress": 4, "suit": 3, "coat": 8},
        (),
        {"dress": None, "suit": None, "coat": 8},
    ),
    "a few people: the zeros go too": ({"dress": 2, "suit": 0}, (), {"dress": None, "suit": None}),
    "withheld whatever the value": (
        {"dress": 30, "suit": 9, "coat": 12},
        ("dress",),
        {"dress": None, "suit": None, "coat": 12},
    ),
}


@pytest.mark.parametrize(("cells", "withheld", "shown"), CASES.values(), ids=CASES.keys())
def test_cells_are_hidden(cells, withheld, shown):
    assert suppress(cells, 5, withheld) == (shown, sum(v is None for v in shown.values()))


CELLS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), min_size=1)
K = st.integers(3, 8)


@given(CELLS, K, st.sets(st.sampled_from("abcdefgh")))
def test_nothing_small_or_withheld_is_shown_and_nothing_is_changed(cells, k, withheld):
    shown, suppressed = suppress(cells, k, withheld)
    assert list(shown) == list(cells)
    assert suppressed == sum(value is None for value in shown.values())
    for name, value in shown.items():
        assert value is None or value == cells[name]
        assert value is None or value == 0 or value >= k
        assert value is None or name not in withheld or not any(cells.values())
    if any(0 < n < k for n in cells.values()):
        assert suppressed >= min(2, len(cells))


@given(CELLS, K)
def test_order_of_cells_does_not_matter(cells, k):
    turned = dict(reversed(cells.items()))
    assert suppress(cells, k)[0] == suppress(turned, k)[0]


@pytest.mark.parametrize("k", [3, 4, 5])
@pytest.mark.parametrize(("names", "most"), [("abc", 17), ("abcd", 12)])
def test_no_small_cell_can_be_computed_from_the_sum_and_the_rules(names, most, k):
    tables = defaultdict(list)
    for values in product(range(most + 1), repeat=len(names)):
        if sum(values) <= most:
            shown, _ = suppress(dict(zip(names, values, strict=True)), k)
            tables[tuple(shown.values()), sum(values)].append(values)
    for (shown, total), possible in tables.items():
        for place, value in enumerate(shown):
            small = {v[place] for v in possible if 0 < v[place] < k}
            if value is None and small:
                assert len({v[place] for v in possible}) > 1, (shown, total, possible)


TOTALS = {
    "all parts shown": ({"dress": 12}, [{"dress": 7}, {"dress": 5}], set()),
    "one part hidden": ({"dress": 12}, [{"dress": 7}, {"dress": None}], {"dress"}),
    "few in hidden parts": (
        {"dress": 10},
        [{"dress": 7}, {"dress": None}, {"dress": None}],
        {"dress"},
    ),
    "many in hidden parts": (
        {"dress": 12},
        [{"dress": 6}, {"dress": None}, {"dress": None}],
        set(),
    ),
    "hidden parts are zero": ({"dress": 7}, [{"dress": 7}, {"dress": None}], set()),
    "late ones in no part": ({"dress": 9}, [{"dress": 7}, {"dress": 0}], {"dress"}),
}


@pytest.mark.parametrize(("total", "parts", "withheld"), TOTALS.values(), ids=TOTALS.keys())
def test_totals_do_not_give_their_parts_away(total, parts, withheld):
    assert withheld_in_total(total, parts, 5) == withheld


@given(st.lists(st.fixed_dictionaries({"a": st.integers(0, 20), "b": st.integers(0, 20)})), K)
def test_a_total_minus_its_visible_parts_is_nobody_or_many(parts, k):
    total = {name: sum(part[name] for part in parts) for name in "ab"}
    shown = [suppress(part, k)[0] for part in parts]
    visible, _ = suppress(total, k, withheld_in_total(total, shown, k))
    for name, value in visible.items():
        if value is not None:
            hidden = [
                part[name] for part, seen in zip(parts, shown, strict=True) if seen[name] is None
            ]
            rest = value - sum(seen[name] or 0 for seen in shown)
            assert rest == sum(hidden)
            assert rest == 0 or (rest >= k and len(hidden) >= 2)
