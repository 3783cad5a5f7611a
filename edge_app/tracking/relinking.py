"""Who was lost and is back: the lost track that a new one continues.

Compare the observation-centric recovery of OC-SORT (Cao et al., CVPR 2023): who stopped or turned
while nobody saw them is not where the filter looks, but not far either.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from edge_app.config.schema import TrackingSettings
from edge_app.flow import ROUNDING_S
from edge_app.geometry import Box
from edge_app.tracking.appearance import KNOWN_AGAIN, agreement, looks_other
from edge_app.tracking.life import Life
from edge_app.tracking.matching import Expected, comes_from_beyond

_INSIDE_S = 0.3
"""Who is cut off by an edge came from beyond it, and is nobody lost inside for longer."""
_RELINK_SIZES = 0.35
_RELINK_SIZES_PER_S = 0.45
"""How far from where it was expected a lost person may reappear, in sizes of the person,"""
_UNKNOWN_SIZES = 0.1
"""and how far where others are known by their looks but one of the two is not."""
_SAME_SIZES = 0.2
_YOUNG_S = 1.0
"""And so near, for so long after first sight, if the two were seen at once."""


def is_young(life: Life, now_s: float) -> bool:
    """Whether somebody who was let out already may still turn out to be somebody lost."""
    return now_s - life.first_seen_at_s <= _YOUNG_S


def is_newcomer(
    life: Life, expected: Box, box_xyxy: Box, seen_at_s: float, size: tuple[int, int]
) -> bool:
    """Whether a box at the edge shows somebody else than who was lost inside.

    Args:
        life: who was lost, if they were.
        expected: the box where they should be.
        box_xyxy: the box at the edge, if it is there.
        seen_at_s: when that was seen.
        size: width and height of the picture.
    """
    if seen_at_s - life.last_seen_at_s <= _INSIDE_S + ROUNDING_S:
        return False
    return comes_from_beyond(box_xyxy, (life.box_xyxy, expected), size)


def lost_match(
    new: Life,
    lives: Sequence[Life],
    size: tuple[int, int],
    now_s: float,
    settings: TrackingSettings,
    has_looks: bool,
) -> Life | None:
    """The lost track that a new one continues, or None.

    It was lost before the new one was first seen and is not too far; or both were found on
    one person for a moment, and now the new one alone is, where the other must be.

    Args:
        new: a track that was seen for long enough.
        lives: all tracks.
        size: width and height of the picture.
        now_s: time of the frame.
        settings: how long a track may be lost.
        has_looks: whether people are told apart by their looks.
    """
    best, best_distance = None, 1.0
    for life in lives:
        if life.track_id <= 0 or life.last_seen_at_s >= now_s or life is new:
            continue
        if not 0.6 <= life.size / new.size <= 1.6 or looks_other(life.look, new.look):
            continue
        expected = Expected.of(life.motion, size).box
        if is_newcomer(life, expected, new.first_box_xyxy, new.first_seen_at_s, size):
            continue
        gap_s = new.first_seen_at_s - life.last_seen_at_s
        agrees = None if life.look is None or new.look is None else agreement(life.look, new.look)
        is_same = agrees is not None and agrees >= KNOWN_AGAIN
        if gap_s > settings.lost_s and not is_same:
            continue
        x, _, top, _ = life.motion.position
        new_x, _, new_top, _ = new.motion.position
        if gap_s > 0 and (new.track_id == 0 or is_same):
            reach = _RELINK_SIZES + _RELINK_SIZES_PER_S * gap_s
            if agrees is None and has_looks:
                reach = _UNKNOWN_SIZES
        elif life.first_seen_at_s < new.first_seen_at_s and not life.is_fixed:
            reach = _SAME_SIZES
        else:
            continue
        distance = hypot(x - new_x, top - new_top) / (reach * max(life.size, new.size))
        if distance < best_distance:
            best, best_distance = life, distance
    return best
