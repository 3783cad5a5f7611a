"""A reader who takes everything that was published of garments together, by integer programming."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from edge_app.flow import ALL
from edge_app.vocabulary import CATEGORIES, REGION_OF, REGIONS, UNKNOWN

NAMES = (*CATEGORIES, UNKNOWN)

Place = tuple[str, str]
"""Zone, and the start of an hour or ``day``."""
Payload = Mapping[str, Any]


def hidden_cells(
    payloads: Iterable[Payload], names: Iterable[str]
) -> dict[tuple[Place, str], tuple[int, int]]:
    """What each hidden cell of some garments holds at least and at most, within a business day.

    The reader knows that zones add up to ``all`` and hours to their day, that nobody wears two
    garments of one region, and that zeros are shown in a map that shows anything.
    """
    tables = {
        (p["zone"], "day" if p["window"] == "p1d" else p["start"]): p
        for p in payloads
        if p["garment"] is not None
    }
    place = {cell: i for i, cell in enumerate((table, name) for table in tables for name in NAMES)}
    lower, upper = np.zeros(len(place)), np.zeros(len(place))
    rules: list[tuple[dict[int, int], float, float]] = []
    for table, payload in tables.items():
        cells, n = payload["garment"], payload["garment_n"]
        fewest = 0 if all(value is None for value in cells.values()) else 1
        for name in NAMES:
            at = place[table, name]
            value = cells[name]
            lower[at], upper[at] = (fewest, n) if value is None else (value, value)
        for region in REGIONS:
            worn = [place[table, name] for name in CATEGORIES if REGION_OF[name] == region]
            rules.append((dict.fromkeys(worn, 1), 0, n))
        rules.append(({place[table, name]: 1 for name in NAMES}, n, np.inf))
        rules += [(_sum(place, table, parts, name), 0, 0)
                  for parts in _parts(table, tables) for name in NAMES]  # fmt: skip
    matrix = np.zeros((len(rules), len(place)))
    for row, (factors, _, _) in enumerate(rules):
        matrix[row, list(factors)] = list(factors.values())
    constraints = LinearConstraint(matrix, [low for _, low, _ in rules], [r[2] for r in rules])
    found = {}
    for (table, name), at in place.items():
        if name in names and tables[table]["garment"][name] is None:
            ends = []
            for sign in (1, -1):
                wanted = np.zeros(len(place))
                wanted[at] = sign
                answer = milp(
                    wanted,
                    integrality=np.ones(len(place)),
                    bounds=Bounds(lower, upper),
                    constraints=constraints,
                )
                ends.append(round(sign * answer.fun))
            found[table, name] = (ends[0], ends[1])
    return found


def _parts(table: Place, tables: Mapping[Place, Payload]) -> list[list[Place]]:
    zone, start = table
    zones = [other for other in tables if other[0] != ALL and other[1] == start]
    hours = [other for other in tables if other[0] == zone and other[1] != "day"]
    parts = [zones if zone == ALL else [], hours if start == "day" else []]
    return [each for each in parts if each]


def _sum(
    place: Mapping[tuple[Place, str], int], total: Place, parts: Iterable[Place], name: str
) -> dict[int, int]:
    return {place[total, name]: -1, **{place[part, name]: 1 for part in parts}}
