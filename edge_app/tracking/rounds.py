"""Who is which detection: rounds of assignment, the surest first.

Confirmed tracks choose before new ones and good detections are given away before weak ones
(ByteTrack). Place and motion say who is possible, looks who is likely: whose look agrees may have
moved in a way that nobody expected, whose look does not is somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_app.config.schema import TrackingSettings
from edge_app.flow import ROUNDING_S
from edge_app.tracking.appearance import SURELY_SAME, agreements, strangeness, sureness
from edge_app.tracking.found import Found
from edge_app.tracking.life import Life
from edge_app.tracking.matching import Claim, Expected, assign, likeness, whole_end

_GOOD_LIKENESS = 0.2
_WEAK_LIKENESS = 0.35
_LAST_LIKENESS = 0.3
"""Least likeness of a pair, for good and for weak detections, and for good ones that nobody claims
although some track is there, if not quite where it was expected or with another look."""
_FIXED_LIKENESS = 0.7
"""The same for who has not moved for long: who walks past is not taken for a shelf."""
_LAST_STRANGENESS = 0.5
_LAST_SEEN_S = 0.5
"""Whose track was seen this recently is rather half hidden than gone, and a good box at that place
rather theirs than somebody new's: if nobody claims it, a look that disagrees counts half, and not
at all where it is not the box's own (:attr:`Found.is_clear`)."""
_PART_WEIGHT = 0.6
"""Likeness of a box that may be a part of the person in another box counts less."""
_WEAK_WITHIN_S = 1.5
"""A track unseen for longer is not continued by a weak detection."""


class Pair(NamedTuple):
    """A track that a detection may be.

    Attributes:
        row: of the track.
        column: of the detection.
        alike: how much the two are alike, at most 1; less where looks clearly differ.
        likely: the same, less where the person can hardly have got to or looks different.
    """

    row: int
    column: int
    alike: float
    likely: float


def possible_pairs(expected: Sequence[Expected], found: Found, size: tuple[int, int]) -> list[Pair]:
    """All pairs that are alike at all, by place and motion.

    Args:
        expected: where the tracks should be.
        found: the detections.
        size: width and height of the picture.
    """
    ends = [whole_end(box, size) for box in found.boxes]
    pairs = []
    for row, each in enumerate(expected):
        left, right = each.reach
        for column, box in enumerate(found.boxes):
            if box[2] < left or box[0] > right:
                continue
            alike, unlikely = likeness(each, box, ends[column])
            if alike >= _GOOD_LIKENESS:
                weight = _PART_WEIGHT if found.part_of[column] else 1.0
                pairs.append(Pair(row, column, weight * alike, weight * (alike - unlikely)))
    return pairs


def judge_looks(
    pairs: Sequence[Pair],
    lives: Sequence[Life],
    found: Found,
    settings: TrackingSettings,
    now_s: float,
) -> list[Pair]:
    """The same pairs, more or less likely by how the two look.

    Args:
        pairs: by place and motion.
        lives: the tracks.
        found: the detections; the pairs stay as they are if it has no looks.
        settings: who was lost for ``lost_s`` is continued by whoever surely looks the same only.
        now_s: time of the detections.
    """
    if found.looks is None:
        return list(pairs)
    known = {row: life.look for row, life in enumerate(lives) if life.look is not None}
    agreed = dict(zip(known, agreements(list(known.values()), found.looks), strict=True))
    same = [agreed[row][column] if row in agreed else None for row, column, _, _ in pairs]
    best: dict[int, float] = {}
    for (_, column, _, _), agrees in zip(pairs, same, strict=True):
        if agrees is not None and agrees > best.get(column, 0.0):
            best[column] = agrees
    judged = []
    for pair, agrees in zip(pairs, same, strict=True):
        row, column, alike, likely = pair
        unseen_s = now_s - lives[row].last_seen_at_s
        if unseen_s > settings.lost_s and (agrees is None or agrees < SURELY_SAME):
            continue
        if agrees is None:
            judged.append(pair)
            continue
        unlikely = (alike - likely) * (1 - sureness(agrees))
        strange = strangeness(agrees, best.get(column, 0.0))
        likely = alike - unlikely - strange
        if unseen_s <= _LAST_SEEN_S + ROUNDING_S:
            strange *= _LAST_STRANGENESS if found.is_clear[column] else 0.0
        judged.append(Pair(row, column, alike - strange, likely))
    return judged


def choose(
    pairs: Sequence[Pair],
    lives: Sequence[Life],
    found: Found,
    settings: TrackingSettings,
    now_s: float,
) -> list[tuple[int, int]]:
    """Rows and columns of the pairs that are made."""
    rounds: tuple[list[Claim], ...] = ([], [], [], [], [])
    sure, weak, last, new, new_weak = rounds
    fixed = [life.is_fixed for life in lives]
    for row, column, alike, likely in pairs:
        life, is_fixed = lives[row], fixed[row]
        is_likely = likely >= (_FIXED_LIKENESS if is_fixed else _GOOD_LIKENESS)
        if found.scores[column] >= settings.high_score:
            if is_likely:
                (sure if life.track_id else new).append((likely, row, column))
            if life.track_id and not is_fixed and alike >= _LAST_LIKENESS:
                last.append((alike, row, column))
        elif is_likely and likely >= _WEAK_LIKENESS:
            if not life.track_id:
                new_weak.append((likely, row, column))
            elif life.last_seen_at_s >= now_s - _WEAK_WITHIN_S:
                weak.append((likely, row, column))
    made: list[tuple[int, int]] = []
    rows: set[int] = set()
    columns: set[int] = set()
    for claims in rounds:
        left = [claim for claim in claims if claim[1] not in rows and claim[2] not in columns]
        for row, column in assign(left) if left else ():
            made.append((row, column))
            rows.add(row)
            columns.add(column)
    return made
