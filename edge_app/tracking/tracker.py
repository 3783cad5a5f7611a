"""Detections become people: one track per person, from first sight to leaving.

After ByteTrack (Zhang et al., ECCV 2022): a Kalman filter predicts every box, an optimal
assignment matches good detections first and weak ones second. Eight things differ:

- everything is timed in seconds, never counted in frames, so that 5 and 30 frames per second and
  dropped frames need the same settings;
- a new track stays inside until it was seen for ``confirm_s`` on its own (half of it, if it was
  surely found): boxes that flicker, and second boxes on a person (head and body), never get out;
- a box that overlaps a better one by much is a weak one, whatever it scores: two people side by
  side keep their tracks, and a second box on one person makes nobody new;
- what has not moved for ten seconds since first sight is a thing and is kept inside: it takes its
  own boxes, so that nobody who walks past is taken for it;
- looks say who is likely, and a good box that is nobody's by its look goes to whoever was there a
  moment ago: half of them is hidden, and the box shows somebody else's clothes too;
- a box around several people is nobody's: all of them go along with it until they part;
- a person who was lost and comes back where the filter no longer looks is *re-linked*: when a new
  track is confirmed it takes over the identity of a lost one that can be it (compare the
  observation-centric recovery of OC-SORT, Cao et al., CVPR 2023);
- who comes in over the picture's edge is nobody who was lost within it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_app.config.schema import TrackingSettings
from edge_app.flow import Detections, Float32, Track, TrackedFrame
from edge_app.geometry import is_cut_off
from edge_app.tracking import relinking, sharing
from edge_app.tracking.found import Found
from edge_app.tracking.life import Life
from edge_app.tracking.matching import Expected
from edge_app.tracking.rounds import Pair, choose, judge_looks, possible_pairs

_SHARES_WITHIN_S = 1.0
_SHARES_FOR_S = 6.0
"""Who was seen within the first, and on their own within the second, may share a box."""
_OWN_LIKENESS = 0.4
"""Who is this much like another good detection does not share one."""
_NEW_UNSEEN_S = 0.25
"""An unconfirmed track that is unseen for longer was nobody."""
_LEFT_S = 0.4
"""Who was cut off by the edge on the way out and is unseen for this long has left,"""
_LEAVING_SHARE = 0.5
"""over the lower edge only if no more of them than this share is expected to be in the picture:
with more, somebody walks before them."""


class Tracker:
    """Follows the people of one camera.

    Args:
        camera: id of the camera.
        settings: scores and times.
    """

    def __init__(self, camera: str, settings: TrackingSettings) -> None:
        self._camera = camera
        self._settings = settings
        self._lives: list[Life] = []
        self._last_id = 0
        self._at_s = float("-inf")
        self._has_looks = False
        self._size = (0, 0)

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
        # Nobody can be expected in pictures of another size, nor after so long.
        if elapsed_s > self._settings.lost_s or size != self._size:
            ended += self.finish()
            self._size = size
        for life in self._lives:
            life.motion.predict(elapsed_s, life.apart_at_s < before_s)
        if len(detections):
            self._has_looks = looks is not None
            good_score = min(self._settings.high_score, self._settings.new_score)
            self._find(Found.of(detections, looks, good_score))
        for life in self._lives:
            life.frames += life.last_seen_at_s < taken_at_s
        ended += self._end([life for life in self._lives if self._is_over(life)])
        ended += self._confirm()
        return TrackedFrame(
            self._camera, index, taken_at_s, size, self._tracks(), tuple(sorted(ended))
        )

    def finish(self) -> tuple[int, ...]:
        """End everybody, at the end of a recording or when a camera is given up.

        Returns:
            Ids of the confirmed tracks that were alive.
        """
        return tuple(sorted(self._end(self._lives)))

    def _find(self, found: Found) -> None:
        """Match the detections with the tracks; those that are nobody's begin new ones."""
        expected = [Expected.of(life.motion, self._size) for life in self._lives]
        pairs = possible_pairs(expected, found, self._size)
        pairs = [
            pair
            for pair in pairs
            if not relinking.is_newcomer(
                self._lives[pair.row],
                expected[pair.row].box,
                found.boxes[pair.column],
                self._at_s,
                self._size,
            )
        ]
        taken = self._share(pairs, expected, found)
        if taken:
            shared = {row for rows in taken.values() for row in rows}
            pairs = [p for p in pairs if p.column not in taken and p.row not in shared]
        pairs = judge_looks(pairs, self._lives, found, self._settings, self._at_s)
        made = choose(pairs, self._lives, found, self._settings, self._at_s)
        for row, column in made:
            self._see(self._lives[row], found, column)
        seen = {*taken, *(column for _, column in made)}
        # Nor is it somebody new whose part is somebody already: half hidden, a person is found
        # twice, as what can be seen and as what the detector knows must be there.
        known = {whole for column in seen for whole in found.part_of[column]}
        for column, score in enumerate(found.scores):
            is_new = score >= self._settings.hint_score and column not in seen
            if is_new and not found.part_of[column] and column not in known:
                self._start(found, column)

    def _see(self, life: Life, found: Found, column: int) -> None:
        """Take note of a matched detection."""
        is_alone = not (found.part_of[column] or found.is_doubtful[column])
        life.see(self._at_s, found.boxes[column], found.scores[column], is_alone)
        if found.looks is not None and found.is_clear[column]:
            life.remember(found.looks[column], self._at_s)

    def _share(
        self, pairs: Sequence[Pair], expected: Sequence[Expected], found: Found
    ) -> dict[int, list[int]]:
        """Take people along with a box that is around several of them.

        Returns:
            The rows of the tracks that share it, by the detection's column.
        """
        since_s, apart_s = self._at_s - _SHARES_WITHIN_S, self._at_s - _SHARES_FOR_S
        able = [
            row
            for row, life in enumerate(self._lives)
            if life.track_id
            and life.last_seen_at_s >= since_s
            and life.apart_at_s >= apart_s
            and not life.is_fixed
        ]
        taken: dict[int, list[int]] = {}
        if len(able) < 2:
            return taken
        for column, box in enumerate(found.boxes):
            if found.scores[column] < self._settings.high_score:
                continue
            rows = [row for row in able if sharing.is_inside(expected[row].box, box)]
            if len(rows) < 2 or not sharing.shared_by(box, [expected[row].box for row in rows]):
                continue
            if any(
                pair.row in rows and pair.column != column and pair.likely >= _OWN_LIKENESS
                for pair in pairs
            ):
                continue
            taken[column] = rows
            able = [row for row in able if row not in rows]
            across, down = sharing.shift(box, [expected[row].box for row in rows])
            for row in rows:
                self._lives[row].see_shared(self._at_s, found.scores[column], across, down)
        return taken

    def _start(self, found: Found, column: int) -> None:
        """Begin a track with a detection that is nobody's, nor a part of somebody.

        Weak ones too: of who walks in over the edge, the first sight is a weak head.
        """
        box = found.boxes[column]
        is_alone = not found.is_doubtful[column]
        is_entering = is_cut_off(box, self._size)[3]
        life = Life(self._at_s, box, found.scores[column], is_entering, is_alone)
        if found.looks is not None and found.is_clear[column]:
            life.remember(found.looks[column], self._at_s)
        self._lives.append(life)

    def _is_over(self, life: Life) -> bool:
        """Whether somebody is gone."""
        unseen_s = self._at_s - life.last_seen_at_s
        if unseen_s <= 0:
            return False
        if life.track_id == 0:
            return unseen_s > _NEW_UNSEEN_S
        settings = self._settings
        longest_s = settings.lost_s if life.look is None else settings.known_again_s
        if unseen_s > max(longest_s, settings.lost_s):
            return True
        x, _, top, _ = life.motion.position
        width, height = self._size
        if not (0 <= x <= width and -0.5 * height <= top <= height):
            return True
        speed_x, _, speed_top, _ = life.motion.velocity
        left, _, right, bottom = is_cut_off(life.box_xyxy, self._size)
        is_leaving = (
            (left and speed_x < 0)
            or (right and speed_x > 0)
            or (bottom and speed_top > 0 and top > height - _LEAVING_SHARE * life.size)
        )
        return is_leaving and unseen_s > _LEFT_S

    def _confirm(self) -> list[int]:
        """Let out who was seen for long enough, under a lost person's id where that can be it.

        Returns:
            Ids of people who were let out a moment ago and turn out to be somebody lost.
        """
        ended = []
        for life in self._lives:
            if life.last_seen_at_s < self._at_s or life.track_id < 0:
                continue
            is_known = life.track_id > 0
            if is_known and not relinking.is_young(life, self._at_s):
                continue
            if not is_known and not life.is_convincing(self._settings):
                continue
            old = relinking.lost_match(
                life, self._lives, self._size, self._at_s, self._settings, self._has_looks
            )
            if old is not None:
                ended += [life.track_id] if is_known else []
                life.track_id, life.first_seen_at_s = old.track_id, old.first_seen_at_s
                life.has_moved |= old.has_moved
                old.track_id = -1
            elif not is_known:
                self._last_id += 1
                life.track_id = self._last_id
        self._lives = [life for life in self._lives if life.track_id >= 0]
        return ended

    def _end(self, lives: Sequence[Life]) -> list[int]:
        """Forget tracks; ids of those that had been confirmed."""
        self._lives = [life for life in self._lives if life not in lives]
        return [life.track_id for life in lives if life.track_id > 0]

    def _tracks(self) -> tuple[Track, ...]:
        tracks = []
        for life in self._lives:
            if life.track_id > 0 and not life.is_thing:
                is_observed = life.last_seen_at_s >= self._at_s
                box = life.box_xyxy if is_observed else life.motion.box_xyxy
                score = life.score if is_observed else 0.0
                xyxy = np.array(box, np.float32)
                tracks.append(Track(life.track_id, xyxy, score, is_observed, life.first_seen_at_s))
        return tuple(sorted(tracks, key=lambda track: track.track_id))
