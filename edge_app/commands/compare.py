"""How well a replay agrees with the truth: entries, directions, the net count, alerts, garments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from edge_app.commands import intervals
from edge_app.commands.compare_garments import compare_garments
from edge_app.commands.truth import TrueEntry, Truth
from edge_app.config.schema import RuleSettings
from edge_app.events.rules import watches

ENTRY_TOLERANCE_S = 1.0
"""An entry matches a true one of its zone and direction within this."""

ALERT_TOLERANCE_S = 6.0
"""An alert belongs to a true entry within this, which covers the vote's deadline; what a rule's
group wait and cool-down hold back comes on top."""

QUARTER_S = 900.0

Pair = tuple[int, int]
Told = Mapping[str, Any]
"""An entry or an alert as a replay's result has it."""


def compare(
    truth: Truth,
    entries: Sequence[Told],
    alerts: Sequence[Told],
    rules: Mapping[str, RuleSettings],
    duration_s: float,
) -> dict[str, Any]:
    """How a replay's entries and alerts agree with the truth.

    Args:
        truth: what really happened.
        entries: ``entries`` of the replay's result.
        alerts: ``alerts`` of the replay's result.
        rules: the rules that were replayed.
        duration_s: length of the recording.

    Returns:
        ``counts`` per zone (true and counted); precision, recall and F1 of ``entries`` and
        ``alerts`` with what was missed and what was wrong; ``directions``, ``net_error``,
        ``garments`` and ``staff`` (of people who came in alone). 95 % intervals throughout, by
        ``formulas``.
    """
    pairs = _pair_entries(truth, entries)
    missed, wrong = _unpaired(truth.entries, entries, pairs)
    alone = _who_came_alone(truth, pairs)
    return {
        "duration_s": round(duration_s, 3),
        "confidence": intervals.CONFIDENCE,
        "formulas": intervals.FORMULAS,
        "counts": _compare_counts(truth, entries),
        "entries": scores(len(pairs), len(missed), len(wrong))
        | {
            "missed": [
                {"frame": e.frame, "zone": e.zone, "direction": e.direction} for e in missed
            ],
            "wrong": [
                {"frame": e["frame"], "zone": e["zone"], "direction": e["direction"]} for e in wrong
            ],
        },
        "directions": _compare_directions(truth, entries),
        "net_error": _net_error(truth, entries, missed, wrong, duration_s),
        "alerts": {name: _compare_alerts(truth, alerts, name, rules[name]) for name in rules},
        "garments": compare_garments(
            [(truth.garments[truth.entries[i].person], entries[j]["outfit"]) for i, j in alone]
        ),
        "staff": _compare_staff(truth, entries, alone),
    }


def scores(matched: int, missed: int, wrong: int) -> dict[str, Any]:
    """Precision, recall and F1; 1 where there was nothing to find or nothing was said."""
    estimates = {
        "precision": intervals.share(matched, matched + wrong),
        "recall": intervals.share(matched, matched + missed),
        "f1": intervals.f1(matched, missed, wrong),
    }
    return {
        "matched": matched,
        **{name: 1.0 if e.value is None else e.value for name, e in estimates.items()},
        "intervals": {name: [e.low, e.high] for name, e in estimates.items()},
    }


def _compare_counts(truth: Truth, entries: Sequence[Told]) -> dict[str, dict[str, int]]:
    true = [(e.zone, e.direction) for e in truth.entries]
    counted = [(e["zone"], e["direction"]) for e in entries]
    return {
        zone: {
            f"{kind}_{direction}": moves.count((zone, direction))
            for direction in ("in", "out")
            for kind, moves in (("true", true), ("counted", counted))
        }
        for zone in _zones(truth, entries)
    }


def _zones(truth: Truth, entries: Sequence[Told]) -> list[str]:
    return sorted({e.zone for e in truth.entries} | {e["zone"] for e in entries})


def _pair_entries(truth: Truth, entries: Sequence[Told], if_turned: float = np.inf) -> list[Pair]:
    """True and counted entries of one zone within the tolerance.

    Args:
        truth: what really happened.
        entries: what was counted.
        if_turned: added to the gap, in frames, between two of opposite directions.
    """
    limit = ENTRY_TOLERANCE_S * truth.fps
    gaps = np.full((len(truth.entries), len(entries)), np.inf)
    for i, true in enumerate(truth.entries):
        for j, entry in enumerate(entries):
            gap = abs(truth.place(true.frame) - truth.place(entry["frame"]))
            if true.zone == entry["zone"] and gap <= limit:
                gaps[i, j] = gap + (0.0 if true.direction == entry["direction"] else if_turned)
    return _match(gaps)


def _unpaired(
    true: Sequence[TrueEntry], told: Sequence[Told], pairs: Sequence[Pair]
) -> tuple[list[TrueEntry], list[Told]]:
    """What is true and was not told, and what was told and is not true."""
    found, right = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        [one for i, one in enumerate(true) if i not in found],
        [one for j, one in enumerate(told) if j not in right],
    )


def _who_came_alone(truth: Truth, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs whose person is beyond doubt.

    Of two who come in side by side no truth file says which is which.
    """
    limit = ENTRY_TOLERANCE_S * truth.fps
    arrivals = [(e.zone, truth.place(e.frame)) for e in truth.entries if e.direction == "in"]
    return [
        (i, j)
        for i, j in pairs
        if truth.entries[i].direction == "in"
        and sum(
            zone == truth.entries[i].zone and abs(at - truth.place(truth.entries[i].frame)) <= limit
            for zone, at in arrivals
        )
        == 1
    ]


def _compare_directions(truth: Truth, entries: Sequence[Told]) -> dict[str, Any]:
    """By true direction, what was counted; ``turned`` is the share counted the wrong way."""
    # The right direction is preferred, however far apart the two are.
    pairs = _pair_entries(truth, entries, if_turned=1e6)
    missed, wrong = _unpaired(truth.entries, entries, pairs)
    confusion = {
        true: {
            **{
                told: sum(
                    (truth.entries[i].direction, entries[j]["direction"]) == (true, told)
                    for i, j in pairs
                )
                for told in ("in", "out")
            },
            "missed": sum(e.direction == true for e in missed),
        }
        for true in ("in", "out")
    }
    invented = {told: sum(e["direction"] == told for e in wrong) for told in ("in", "out")}
    turned = intervals.share(confusion["in"]["out"] + confusion["out"]["in"], len(pairs))
    return {**confusion, "invented": invented, "turned": turned.as_json()}


def _net_error(
    truth: Truth,
    entries: Sequence[Told],
    missed: Sequence[TrueEntry],
    wrong: Sequence[Told],
    duration_s: float,
) -> dict[str, Any]:
    """By zone: counted minus true (in - out), per 15 minutes, and every single miscount."""
    spans = duration_s / QUARTER_S
    found = {}
    for zone in _zones(truth, entries):
        slips = [-_sign(e.direction) for e in missed if e.zone == zone]
        slips += [_sign(e["direction"]) for e in wrong if e["zone"] == zone]
        gains, losses = slips.count(1), slips.count(-1)
        found[zone] = {
            "total": gains - losses,
            "per_15min": intervals.net_rate(gains, losses, spans).as_json(),
            "miscounts_per_15min": intervals.rate(gains + losses, spans).as_json(),
            "by_15min": _net_by_quarter(truth, entries, zone, duration_s),
        }
    return found


def _net_by_quarter(
    truth: Truth, entries: Sequence[Told], zone: str, duration_s: float
) -> list[int]:
    """Counted minus true (in - out) in each quarter of an hour of the recording."""
    errors = [0] * max(int(-(-duration_s // QUARTER_S)), 1)
    moves = [(e["frame"], _sign(e["direction"])) for e in entries if e["zone"] == zone]
    moves += [(e.frame, -_sign(e.direction)) for e in truth.entries if e.zone == zone]
    for frame, by in moves:
        quarter = int(truth.place(frame) / truth.fps // QUARTER_S)
        errors[min(quarter, len(errors) - 1)] += by
    return errors


def _sign(direction: str) -> int:
    return 1 if direction == "in" else -1


def _compare_alerts(
    truth: Truth, alerts: Sequence[Told], name: str, rule: RuleSettings
) -> dict[str, Any]:
    """Alerts of one rule: each person whom the rule means is due one, at their first entry."""
    wanted = list(_due(truth, rule).values())
    # An alert for three people answers for three.
    fired = [a for a in alerts if a["rule"] == name for _ in range(a.get("people", 1))]
    held_s = rule.group_s + rule.cooldown_s
    limit = ALERT_TOLERANCE_S * truth.fps
    gaps = np.full((len(wanted), len(fired)), np.inf)
    for i, true in enumerate(wanted):
        for j, alert in enumerate(fired):
            gap = truth.place(alert["frame"]) - truth.place(true.frame)
            is_near = -ENTRY_TOLERANCE_S * truth.fps <= gap <= limit + held_s * truth.fps
            if true.zone == alert["zone"] and is_near:
                is_right = alert["garment"] in truth.garments[true.person]
                gaps[i, j] = abs(gap) + (0.0 if is_right else limit)
    pairs = _match(gaps)
    missed, wrong = _unpaired(wanted, fired, pairs)
    right = sum(fired[j]["garment"] in truth.garments[wanted[i].person] for i, j in pairs)
    delays_s = [
        (truth.place(fired[j]["frame"]) - truth.place(wanted[i].frame)) / truth.fps
        for i, j in pairs
    ]
    return scores(len(pairs), len(missed), len(wrong)) | {
        "garment_right": right,
        "latency_s": {
            label: intervals.quantile(delays_s, p).as_json()
            for label, p in (("p50", 0.5), ("p95", 0.95))
        },
        "missed_frames": [entry.frame for entry in missed],
        "wrong_frames": [alert["frame"] for alert in wrong],
    }


def _due(truth: Truth, rule: RuleSettings) -> dict[int, TrueEntry]:
    """By person whom a rule means, the entry that it speaks of."""
    due: dict[int, TrueEntry] = {}
    for entry in truth.entries:
        garments = truth.garments[entry.person]
        is_meant = (not rule.any_of or bool(garments & set(rule.any_of))) and garments >= set(
            rule.all_of
        )
        if watches(rule, entry.zone) and is_meant and entry.direction == rule.direction:
            due.setdefault(entry.person, entry)
    return {person: entry for person, entry in due.items() if person not in truth.staff}


def _compare_staff(truth: Truth, entries: Sequence[Told], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Of the entries of staff, how many were told as such; of the customers', how many too."""
    told: dict[bool, list[bool]] = {True: [], False: []}
    for i, j in pairs:
        is_staff = truth.entries[i].person in truth.staff
        told[is_staff].append(bool(entries[j].get("staff")))
    return {
        "known": intervals.share(sum(told[True]), len(told[True])).as_json(),
        "customers_taken": intervals.share(sum(told[False]), len(told[False])).as_json(),
    }


def _match(gaps: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[Pair]:
    """Pairs of rows and columns with the most matches and the least gap; inf never matches."""
    if not gaps.size:
        return []
    far = 1e9
    rows, columns = linear_sum_assignment(np.where(np.isfinite(gaps), gaps, far))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if np.isfinite(gaps[i, j])]
