"""Hand-made truth of a recording, and how well a replay agrees with it.

A truth file is JSON with one object per clip, looked up by the clip's file name: ``fps``,
``frames``, and ``people``, each with ``entries`` (``frame``, ``zone``, ``direction``),
``garments`` (what a viewer would say) and maybe ``staff``. Frames count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.config.schema import RuleSettings, ZoneSettings
from edge_app.errors import TruthError

ENTRY_TOLERANCE_S = 1.0
"""An entry matches a true one of its zone and direction within this."""

ALERT_TOLERANCE_S = 6.0
"""An alert belongs to a true entry within this, which covers the vote's deadline."""


@dataclass(frozen=True)
class TrueEntry:
    """One true crossing: frame, zone and direction, and who."""

    frame: int
    zone: str
    direction: str
    person: int


@dataclass(frozen=True)
class Truth:
    """What really happened in one recording.

    Attributes:
        fps: frames per second that the frame numbers refer to.
        entries: every crossing, in the order of frames.
        garments: per person, the categories that they wear.
    """

    fps: float
    entries: tuple[TrueEntry, ...]
    garments: tuple[frozenset[str], ...]


def load_truth(path: Path, clip: str) -> Truth:
    """Read the truth of one clip.

    Args:
        path: the truth file.
        clip: the clip's file name, its key in the file.

    Raises:
        TruthError: the file is missing or malformed, or does not name the clip.
    """
    try:
        clips = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TruthError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TruthError(f"{path}: is not JSON: {error}") from error
    if not isinstance(clips, dict) or clip not in clips:
        known = [name for name in clips if not name.startswith("_")] if clips else []
        raise TruthError(
            f"{path}: says nothing of {clip!r}; it knows {', '.join(known) or 'no clip'}"
        )
    return truth_of(clips[clip], f"{path}: {clip}")


def truth_of(described: Mapping[str, Any], where: str) -> Truth:
    """Truth from one clip's object of a truth file.

    Args:
        described: the object.
        where: named in errors.

    Raises:
        TruthError: a key is missing or of another kind.
    """
    try:
        fps = float(described["fps"])
        people = list(described["people"])
        entries = [
            TrueEntry(int(e["frame"]), str(e["zone"]), str(e["direction"]), number)
            for number, person in enumerate(people)
            for e in person["entries"]
        ]
        garments = tuple(
            frozenset(map(str, () if person.get("staff") else person["garments"]))
            for person in people
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TruthError(
            f"{where}: expected fps and people, each with entries (frame, zone, direction) and "
            f"garments; {type(error).__name__}: {error}"
        ) from error
    if fps <= 0:
        raise TruthError(f"{where}: fps must be above 0, it is {fps}")
    return Truth(fps, tuple(sorted(entries, key=lambda e: e.frame)), garments)


def simulated_truth(url: str, zones: Mapping[str, tuple[str, ZoneSettings]]) -> Truth:
    """The exact truth of a simulated entrance.

    Args:
        url: ``sim://entrance?...`` with a ``duration_s``.
        zones: of the configuration; one of them must be the entrance's own line.

    Raises:
        SourceError: the address is wrong.
        TruthError: no zone is the entrance's line, so that its crossings cannot be compared.
    """
    entrance = SimulatedEntrance.from_url(url)
    line = np.array(entrance.line)
    for name, (_, zone) in zones.items():
        if zone.line is not None and np.abs(np.array(zone.line) - line).max() < 0.01:
            truth = entrance.truth(entrance.settings.duration_s or 0.0)
            return truth_of(truth.document(url, zone=name)[url], url)
    wanted = [[round(float(v), 4) for v in point] for point in entrance.line]
    raise TruthError(
        f"{url}: its entrance line is {wanted}; no zone of the configuration is this line, so "
        "the truth cannot be compared. Put it there"
    )


def compare(
    truth: Truth,
    entries: Sequence[Mapping[str, Any]],
    alerts: Sequence[Mapping[str, Any]],
    rules: Mapping[str, RuleSettings],
) -> dict[str, Any]:
    """How a replay's entries and alerts agree with the truth.

    Args:
        truth: what really happened.
        entries: ``entries`` of the replay's result.
        alerts: ``alerts`` of the replay's result.
        rules: the rules that were replayed.

    Returns:
        ``counts`` per zone (true and counted), and precision, recall and F1 of entries and alerts
        with what was missed and what was wrong.
    """
    return {
        "counts": _compare_counts(truth, entries),
        "entries": _compare_entries(truth, entries),
        "alerts": {name: _compare_alerts(truth, alerts, name, rules[name]) for name in rules},
    }


def _compare_counts(
    truth: Truth, entries: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, int]]:
    zones = sorted({e.zone for e in truth.entries} | {e["zone"] for e in entries})
    return {
        zone: {
            f"{kind}_{direction}": sum(1 for z, d in pairs if (z, d) == (zone, direction))
            for direction in ("in", "out")
            for kind, pairs in (
                ("true", [(e.zone, e.direction) for e in truth.entries]),
                ("counted", [(e["zone"], e["direction"]) for e in entries]),
            )
        }
        for zone in zones
    }


def _compare_entries(truth: Truth, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    limit = ENTRY_TOLERANCE_S * truth.fps
    gaps = np.full((len(truth.entries), len(entries)), np.inf)
    for i, true in enumerate(truth.entries):
        for j, entry in enumerate(entries):
            gap = abs(true.frame - entry["frame"])
            if (true.zone, true.direction) == (entry["zone"], entry["direction"]) and gap <= limit:
                gaps[i, j] = gap
    pairs = _match(gaps)
    missed = [true for i, true in enumerate(truth.entries) if i not in dict(pairs)]
    wrong = [entry for j, entry in enumerate(entries) if j not in {b for _, b in pairs}]
    return _scores(len(pairs), len(missed), len(wrong)) | {
        "missed": [{"frame": e.frame, "zone": e.zone, "direction": e.direction} for e in missed],
        "wrong": [
            {"frame": e["frame"], "zone": e["zone"], "direction": e["direction"]} for e in wrong
        ],
    }


def _compare_alerts(
    truth: Truth, alerts: Sequence[Mapping[str, Any]], name: str, rule: RuleSettings
) -> dict[str, Any]:
    """Alerts of one rule: each person whom the rule means is due one, at their first entry."""
    due: dict[int, TrueEntry] = {}
    for entry in truth.entries:
        is_meant = entry.direction == rule.direction and (
            not rule.zones or entry.zone in rule.zones
        )
        if is_meant and _wears(truth.garments[entry.person], rule):
            due.setdefault(entry.person, entry)
    fired = [alert for alert in alerts if alert["rule"] == name]
    wanted = list(due.values())
    limit = ALERT_TOLERANCE_S * truth.fps
    gaps = np.full((len(wanted), len(fired)), np.inf)
    for i, true in enumerate(wanted):
        for j, alert in enumerate(fired):
            gap = alert["frame"] - true.frame
            is_near = -ENTRY_TOLERANCE_S * truth.fps <= gap <= limit
            if true.zone == alert["zone"] and is_near:
                is_right = alert["garment"] in truth.garments[true.person]
                gaps[i, j] = abs(gap) + (0.0 if is_right else limit)
    pairs = _match(gaps)
    right = sum(fired[j]["garment"] in truth.garments[wanted[i].person] for i, j in pairs)
    missed = [entry.frame for i, entry in enumerate(wanted) if i not in dict(pairs)]
    wrong = [alert["frame"] for j, alert in enumerate(fired) if j not in {b for _, b in pairs}]
    return _scores(len(pairs), len(missed), len(wrong)) | {
        "garment_right": right,
        "missed_frames": missed,
        "wrong_frames": wrong,
    }


def _wears(garments: frozenset[str], rule: RuleSettings) -> bool:
    has_any = not rule.any_of or bool(garments & set(rule.any_of))
    return has_any and set(rule.all_of) <= garments


def _match(gaps: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[tuple[int, int]]:
    """Pairs of rows and columns with the most matches and the least gap; inf never matches."""
    if not gaps.size:
        return []
    far = 1e9
    rows, columns = linear_sum_assignment(np.where(np.isfinite(gaps), gaps, far))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if np.isfinite(gaps[i, j])]


def _scores(matched: int, missed: int, wrong: int) -> dict[str, Any]:
    """Precision, recall and F1; 1 where there was nothing to find or nothing was said."""
    precision = matched / (matched + wrong) if matched + wrong else 1.0
    recall = matched / (matched + missed) if matched + missed else 1.0
    both = precision + recall
    return {
        "matched": matched,
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / both if both else 0.0, 4),
    }
