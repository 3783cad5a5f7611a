"""k-suppression of small garment cells, so that no count tells of a single person.

Threshold suppression is not differential privacy: it hides small groups from a reader of one
table. The rules, and the reader that they are made against:

- A cell of 1..k-1 becomes null. So do the cells named in ``withheld``: those that another published
  table (the store's sum beside its zones, the day beside its hours) would give away.
- A lone null could be computed from the sum of the row, which is often known: where everybody wears
  one garment it is ``garment_n``. Two nulls whose sum is 2 are both 1; three nulls whose sum is
  3 * (k-1) are all k-1. So the next smallest cells are hidden too (complementary suppression, all
  that are equally small together, since the order of equals would betray which was chosen) until
  any of the hidden ones may be k or more for all that the reader can tell.
- Where that leaves no positive cell in sight, the zeros go too: "these few wore none of it" is a
  statement about a few people. An empty window is all zeros; there is nobody to protect.

The reader that this withstands knows k, these rules and the exact sum of all cells; the tests let
such a reader try every table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def suppress(
    cells: Mapping[str, int], k: int, withheld: Collection[str] = ()
) -> tuple[dict[str, int | None], int]:
    """Hide the small cells of one garment map, and as many others as protect them.

    Args:
        cells: per category and ``unknown`` the entries of one window, each ``>= 0``.
        k: the smallest positive count that may be published, ``>= 2``.
        withheld: cells to hide whatever their value.

    Returns:
        The map with None for each hidden cell, and the number of hidden cells.

    >>> suppress({"dress": 7, "suit": 2, "jeans": 40, "coat": 9}, 5)
    ({'dress': None, 'suit': None, 'jeans': 40, 'coat': 9}, 2)
    >>> suppress({"dress": 0, "suit": 2, "jeans": 1}, 5)
    ({'dress': None, 'suit': None, 'jeans': None}, 3)
    """
    if not any(cells.values()):
        return dict(cells), 0
    hidden = {name for name, n in cells.items() if 0 < n < k or name in withheld}
    while hidden and _can_be_computed([cells[name] for name in hidden], k):
        visible = {name: n for name, n in cells.items() if n > 0 and name not in hidden}
        if not visible:
            hidden = set(cells)
            break
        smallest = min(visible.values())
        hidden |= {name for name, n in visible.items() if n == smallest}
    if hidden and not any(n for name, n in cells.items() if name not in hidden):
        hidden = set(cells)
    return {name: None if name in hidden else n for name, n in cells.items()}, len(hidden)


def _can_be_computed(hidden: Sequence[int], k: int) -> bool:
    """Whether someone who knows the sum of the hidden cells can bound one of them below k."""
    # At least 1 in each of the others leaves this much room for any one of them.
    room = sum(hidden) - (len(hidden) - 1)
    return len(hidden) < 2 or room < k or all(n == k - 1 for n in hidden)


def withheld_in_total(
    total: Mapping[str, int], parts: Sequence[Mapping[str, int | None]], k: int
) -> frozenset[str]:
    """Cells of a total that must be hidden because its parts are published beside it.

    The total minus the visible parts is what the hidden parts hold together: it must be nothing, or
    at least k people spread over two parts or more.

    Args:
        total: the cells of the sum, such as a day or the whole store.
        parts: the cells of its parts as published: hours of the day, or zones of the store.
        k: the smallest positive count that may be published.

    Returns:
        Names for ``withheld`` of :func:`suppress`.

    >>> hours = [{"dress": None, "suit": 6}, {"dress": 9, "suit": 5}, {"dress": 0, "suit": 8}]
    >>> sorted(withheld_in_total({"dress": 12, "suit": 19}, hours, 5))
    ['dress']
    """
    withheld = set()
    for name, n in total.items():
        values = [part.get(name, 0) for part in parts]
        rest = n - sum(value for value in values if value is not None)
        hidden_parts = sum(value is None for value in values)
        if rest != 0 and (rest < k or hidden_parts < 2):
            withheld.add(name)
    return frozenset(withheld)
