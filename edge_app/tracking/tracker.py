"""Detections become people: one track per person, from first sight to leaving.

After ByteTrack (Zhang et al., ECCV 2022): a Kalman filter predicts every box, an optimal
assignment matches good detections first and weak ones second. Three things differ:

- everything is timed in seconds, never counted in frames, so that 5 and 30 frames per second and
  dropped frames need the same settings;
- a new track stays inside until it was seen for ``confirm_s`` on its own: boxes that flicker, and
  second boxes on a person (head and body), never get out;
- a person who was lost and comes back where the filter no longer looks is *re-linked*: when a new
  track is confirmed it takes over the identity of a lost one that can be it (compare the
  observation-centric recovery of OC-SORT, Cao et al., CVPR 2023).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_app.config.schema import TrackingSettings
from edge_app.flow import Detections, Float32, Track, TrackedFrame
from edge_app.tracking.appearance import looks_other, strangeness
from edge_app.tracking.found import Found
from edge_app.tracking.kalman import Float64, Motion
from edge_app.tracking.life import Life
from edge_app.tracking.matching import assign, is_cut_below, is_cut_off, likeness

Rows = npt.NDArray[np.intp]
_NOBODY: Rows = np.zeros(0, np.intp)

_GOOD_LIKENESS = 0.2
_WEAK_LIKENESS = 0.35
_LAST_LIKENESS = 0.35
"""Least likeness of a pair, for good and for weak detections, and for good ones that nobody claims
although some track overlaps them, if not where it was expected."""
_FIXED_LIKENESS = 0.7
"""The same for who has not moved for long: who walks past is not taken for a shelf."""
_PART_WEIGHT = 0.6
"""Likeness of a box that may be a part of the person in another box counts less."""
_WEAK_WITHIN_S = 1.0
"""A track unseen for longer is not continued by a weak detection."""
_NEW_UNSEEN_S = 0.25
"""An unconfirmed track that is unseen for longer was nobody."""
_LEFT_S = 0.4
"""Who was cut off by the edge on the way out and is unseen for this long has left."""
_RELINK_SIZES = 0.35
_RELINK_SIZES_PER_S = 0.45
"""How far from where it was expected a lost person may reappear, in sizes of the person."""
_SAME_SIZES = 0.2
_YOUNG_S = 1.0
"""And so near, for so long after first sight, if the two were seen at once."""


class Tracker:
    """Follows the people of one camera.

    Args:
        camera: id of the camera.
        settings: scores and times.
    """

    def __init__(self, camera: str, settings: TrackingSettings) -> None:
        self._camera = camera
        self._settings = settings
        self._motion = Motion.start(np.zeros((0, 4)), np.zeros(0, bool))
        self._lives: list[Life] = []
        self._last_id = 0
        self._at_s = float("-inf")

    def update(
        self,
        detections: Detections,
        index: int,
        taken_at_s: float,
        size: tuple[int, int],
        looks: Float32 | None = None,
    ) -> TrackedFrame:
        """Follow everybody into the next frame.

        Args:
            detections: people only, in any order, with scores from 0.1 up.
            index: number of the frame.
            taken_at_s: time of the frame in seconds; never less than before.
            size: width and height of the frame in pixels.
            looks: float32 ``[N, D]``, unit length, the detections' appearance; None where people
                are told apart by place and motion alone.
        """
        before_s, self._at_s = self._at_s, taken_at_s
        elapsed_s = max(taken_at_s - before_s, 0.0)
        ended: list[int] = []
        if elapsed_s > self._settings.lost_s:
            ended += self.finish()
            elapsed_s = 0.0
        if self._lives:
            self._predict(elapsed_s, before_s)
        if len(detections):
            self._find(Found.of(detections, looks), size)
        for life in self._lives:
            life.frames += life.last_seen_at_s < taken_at_s
        ended += self._end(taken_at_s, size)
        ended += self._confirm(taken_at_s)
        return TrackedFrame(
            self._camera, index, taken_at_s, size, self._tracks(taken_at_s), tuple(sorted(ended))
        )

    def _find(self, found: Found, size: tuple[int, int]) -> None:
        """Match the detections with the tracks; those that are nobody's begin new ones."""
        rows = columns = np.zeros(0, np.intp)
        if self._lives:
            alike, unlikely = likeness(self._motion, found.boxes, size)
            for scores in (alike, unlikely):
                scores[:, ~found.is_alone] *= _PART_WEIGHT
            if found.looks is not None:
                alike -= strangeness([life.look for life in self._lives], found.looks)
            is_good = found.scores >= self._settings.high_score
            rows, columns, free = self._match(alike, unlikely, is_good)
            is_hint = found.scores >= self._settings.hint_score
            columns = found.wholes_first(columns, free & is_hint)
            self._motion = self._motion.update(rows, found.boxes[columns])
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                self._see(self._lives[row], found, column)
        is_new = found.is_alone & (found.scores >= self._settings.hint_score)
        is_new[columns] = False
        # Nor is it somebody new whose part is somebody already: half hidden, a person is found
        # twice, as what can be seen and as what the detector knows must be there.
        is_new &= ~found.part_of[columns].any(axis=0)
        if is_new.any():
            self._start(found, np.flatnonzero(is_new), size)

    def finish(self) -> tuple[int, ...]:
        """End everybody, at the end of a recording or when a camera is given up.

        Returns:
            Ids of the confirmed tracks that were alive.
        """
        return tuple(sorted(self._keep([False] * len(self._lives))))

    def _predict(self, elapsed_s: float, before_s: float) -> None:
        is_coasting = np.array([life.last_seen_at_s < before_s for life in self._lives], bool)
        self._motion = self._motion.predict(elapsed_s, is_coasting)

    def _match(
        self, alike: Float64, unlikely: Float64, is_good: npt.NDArray[np.bool_]
    ) -> tuple[Rows, Rows, npt.NDArray[np.bool_]]:
        """Pairs of track rows and detections: confirmed tracks first, good detections first.

        Args:
            alike: float64 ``[N, M]``, likeness of tracks and detections.
            unlikely: float64 ``[N, M]``, what is taken away from it, but not in the last round,
                for detections that none of the others can be.
            is_good: bool ``[M]``, the detections of the first round.

        Returns:
            Rows and columns of the pairs, and bool ``[M]``, the detections that are nobody's.
        """
        is_confirmed = np.array([life.track_id > 0 for life in self._lives], bool)
        since_s = self._at_s - _WEAK_WITHIN_S
        is_recent = is_confirmed & [life.last_seen_at_s >= since_s for life in self._lives]
        is_moving = is_confirmed & [not life.is_fixed for life in self._lives]
        row_free, column_free = np.ones(alike.shape[0], bool), np.ones(alike.shape[1], bool)
        all_rows, all_columns = [_NOBODY], [_NOBODY]
        likely = alike - unlikely
        for row, life in enumerate(self._lives):
            if life.is_fixed:
                likely[row, likely[row] < _FIXED_LIKENESS] = 0.0
        for scores, of_rows, of_columns, least in (
            (likely, is_confirmed, is_good, _GOOD_LIKENESS),
            (likely, is_recent, ~is_good, _WEAK_LIKENESS),
            (alike, is_moving, is_good, _LAST_LIKENESS),
            (likely, ~is_confirmed, is_good, _GOOD_LIKENESS),
            (likely, ~is_confirmed, ~is_good, _WEAK_LIKENESS),
        ):
            rows, columns = (
                (of_rows & row_free).nonzero()[0],
                (of_columns & column_free).nonzero()[0],
            )
            if not len(rows) or not len(columns):
                continue
            picked_rows, picked_columns = assign(scores[rows[:, None], columns], least)
            rows, columns = rows[picked_rows], columns[picked_columns]
            row_free[rows] = column_free[columns] = False
            all_rows.append(rows)
            all_columns.append(columns)
        return np.concatenate(all_rows), np.concatenate(all_columns), column_free

    def _see(self, life: Life, found: Found, column: int) -> None:
        """Take note of a matched detection."""
        life.see(
            self._at_s,
            found.boxes[column],
            float(found.scores[column]),
            bool(found.is_alone[column]),
        )
        if found.looks is not None and found.is_clear[column]:
            life.remember(found.looks[column])

    def _end(self, now_s: float, size: tuple[int, int]) -> list[int]:
        """Forget who is gone; ids of those who had been confirmed."""
        return self._keep([not self._is_over(row, now_s, size) for row in range(len(self._lives))])

    def _is_over(self, row: int, now_s: float, size: tuple[int, int]) -> bool:
        life = self._lives[row]
        unseen_s = now_s - life.last_seen_at_s
        if unseen_s <= 0:
            return False
        if life.track_id == 0:
            return unseen_s > _NEW_UNSEEN_S
        if unseen_s > self._settings.lost_s:
            return True
        x, _, top, _ = self._motion.position[row]
        if not (0 <= x <= size[0] and -0.5 * size[1] <= top <= size[1]):
            return True
        speed_x, _, speed_top, _ = self._motion.velocity[row]
        left, _, right, bottom = is_cut_off(life.box_xyxy, size)
        is_leaving = (left and speed_x < 0) or (right and speed_x > 0) or (bottom and speed_top > 0)
        return bool(is_leaving) and unseen_s > _LEFT_S

    def _start(self, found: Found, columns: Rows, size: tuple[int, int]) -> None:
        """Begin a track with every detection that is nobody's, nor a part of somebody.

        Weak ones too: of who walks in over the edge, the first sight is a weak head.
        """
        boxes = found.boxes[columns]
        self._motion = self._motion.joined(Motion.start(boxes, is_cut_below(boxes, size)))
        for column in columns.tolist():
            score = float(found.scores[column])
            life = Life(0, self._at_s, self._at_s, found.boxes[column], score, score)
            if found.looks is not None and found.is_clear[column]:
                life.remember(found.looks[column])
            self._lives.append(life)

    def _confirm(self, now_s: float) -> list[int]:
        """Let out who was seen for long enough, under a lost person's id where that can be it.

        Returns:
            Ids of people who were let out a moment ago and turn out to be somebody lost.
        """
        ended = []
        for row, life in enumerate(self._lives):
            if life.last_seen_at_s < now_s or life.track_id < 0:
                continue
            is_known = life.track_id > 0
            is_young = now_s - life.first_seen_at_s <= _YOUNG_S
            if not (is_young if is_known else life.is_convincing(self._settings)):
                continue
            lost = self._lost_match(row)
            if lost is not None:
                old = self._lives[lost]
                ended += [life.track_id] if is_known else []
                life.track_id, life.first_seen_at_s = old.track_id, old.first_seen_at_s
                old.track_id = -1
            elif not is_known:
                self._last_id += 1
                life.track_id = self._last_id
        self._keep([life.track_id >= 0 for life in self._lives])
        return ended

    def _lost_match(self, row: int) -> int | None:
        """The lost track that a new one continues, or None.

        It was lost before the new one was first seen and is not too far; or both were found on
        one person for a moment, and now the new one alone is, where the other must be.
        """
        new = self._lives[row]
        best, best_distance = None, 1.0
        for other, life in enumerate(self._lives):
            if life.track_id <= 0 or life.last_seen_at_s >= self._at_s or life is new:
                continue
            ratio = life.size / new.size
            if not 0.6 <= ratio <= 1.6 or looks_other(life.look, new.look):
                continue
            gap_s = new.first_seen_at_s - life.last_seen_at_s
            apart = self._motion.position[other] - self._motion.position[row]
            off = float(np.hypot(apart[0], apart[2]))
            if gap_s > 0 and new.track_id == 0:
                reach = _RELINK_SIZES + _RELINK_SIZES_PER_S * gap_s
            elif life.first_seen_at_s < new.first_seen_at_s and not life.is_fixed:
                reach = _SAME_SIZES
            else:
                continue
            distance = off / (reach * max(life.size, new.size))
            if distance < best_distance:
                best, best_distance = other, distance
        return best

    def _keep(self, keep: list[bool]) -> list[int]:
        """Forget the other tracks; ids of those that had been confirmed."""
        if all(keep):
            return []
        gone = [
            life.track_id
            for life, kept in zip(self._lives, keep, strict=True)
            if not kept and life.track_id > 0
        ]
        rows = np.flatnonzero(keep)
        self._motion = self._motion.take(rows)
        self._lives = [self._lives[row] for row in rows]
        return gone

    def _tracks(self, now_s: float) -> tuple[Track, ...]:
        tracks = []
        for row, life in enumerate(self._lives):
            if life.track_id <= 0:
                continue
            is_observed = life.last_seen_at_s >= now_s
            box = life.box_xyxy if is_observed else self._motion.boxes_xyxy[row]
            tracks.append(
                Track(
                    life.track_id,
                    box.astype(np.float32),
                    life.score if is_observed else 0.0,
                    is_observed,
                    life.first_seen_at_s,
                )
            )
        return tuple(sorted(tracks, key=lambda track: track.track_id))
