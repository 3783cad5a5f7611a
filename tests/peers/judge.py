"""How well tracks agree with the truth: MOTA, IDF1, HOTA, and people with one id for life.

The three figures are those of ``trackers.eval``, which follows TrackEval. People of whom too
little can be seen are ignored as in MOTChallenge (https://arxiv.org/abs/1603.00831, 4.1.3): nobody
gains or loses by following them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from trackers import eval as peers_eval

from tests.peers.sequences import Float32, Int64, Sequence

LEAST_VISIBLE = LEAST_OVERLAP = 0.5
"""Share of a person that must be seen for the person to count in a frame: a box of what is seen of
others cannot overlap their whole box by enough."""
ONE_ID_SHARE = 0.95
"""Of the time that an id is on a person: where two overlap, boxes change owners for a moment."""
LEAST_SEEN_S = 0.5
"""People who can be seen for less are not asked for one id."""

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Tracks:
    """What a tracker made of a sequence, boxes of people that it saw in the frame itself.

    Attributes:
        frame: int64 ``[N]``, from 0, never falling.
        track: int64 ``[N]``.
        boxes: float32 ``[N, 4]``, xyxy, pixels.
    """

    frame: Int64
    track: Int64
    boxes: Float32


@dataclass(frozen=True)
class Scene:
    """One frame that is left to be judged: true people, tracks, their overlap ``[P, T]``."""

    people: Int64
    tracks: Int64
    overlap: Floats


@dataclass(frozen=True)
class Verdict:
    """What one sequence says of a tracker: dictionaries of ``trackers.eval``, and ids."""

    clear: dict[str, object]
    identity: dict[str, object]
    hota: dict[str, object]
    people: int
    one_id: int
    always_one_id: int


def judge(sequence: Sequence, tracks: Tracks) -> Verdict:
    """Compare one sequence's tracks with its truth."""
    scenes = _scenes(sequence, tracks)
    people = np.unique(np.concatenate([scene.people for scene in scenes]))
    ids = np.unique(np.concatenate([scene.tracks for scene in scenes]))
    rows = [
        [np.searchsorted(people, scene.people) for scene in scenes],
        [np.searchsorted(ids, scene.tracks) for scene in scenes],
        [scene.overlap for scene in scenes],
    ]
    asked, one_id, always = ids_per_person(scenes, float(sequence.fps[0]))
    return Verdict(
        peers_eval.compute_clear_metrics(*rows, threshold=LEAST_OVERLAP),
        peers_eval.compute_identity_metrics(*rows, threshold=LEAST_OVERLAP),
        peers_eval.compute_hota_metrics(*rows),
        asked,
        one_id,
        always,
    )


def summed(verdicts: list[Verdict]) -> dict[str, float]:
    """The figures of several sequences together."""
    clear = peers_eval.aggregate_clear_metrics([verdict.clear for verdict in verdicts])
    identity = peers_eval.aggregate_identity_metrics([verdict.identity for verdict in verdicts])
    hota = peers_eval.aggregate_hota_metrics([verdict.hota for verdict in verdicts])
    people = sum(verdict.people for verdict in verdicts)
    return {
        "MOTA": clear["MOTA"],
        "IDF1": identity["IDF1"],
        "HOTA": hota["HOTA"],
        "switches": clear["IDSW"],
        "people": people,
        "one id": sum(verdict.one_id for verdict in verdicts) / max(people, 1),
        "always": sum(verdict.always_one_id for verdict in verdicts) / max(people, 1),
    }


def _scenes(sequence: Sequence, tracks: Tracks) -> list[Scene]:
    """Every frame without the ignored people and the boxes on them."""
    scenes = []
    for index in range(int(sequence.frames[0])):
        true = slice(*np.searchsorted(sequence.true_frame, [index, index + 1]))
        seen = slice(*np.searchsorted(tracks.frame, [index, index + 1]))
        people, boxes = sequence.true_person[true], sequence.true_boxes[true]
        is_asked = sequence.true_visible[true] >= LEAST_VISIBLE
        ids, found = tracks.track[seen], tracks.boxes[seen]
        overlap, share = _overlaps(boxes, found)
        rows, columns = _pairs(overlap)
        is_judged = np.ones(len(ids), bool)
        is_judged[columns[~is_asked[rows]]] = False
        free = np.setdiff1d(np.arange(len(ids)), columns)
        if (~is_asked).any():
            is_judged[free] = share[~is_asked][:, free].max(axis=0) < LEAST_OVERLAP
        kept = overlap[is_asked][:, is_judged]
        scenes.append(Scene(people[is_asked], ids[is_judged], kept))
    return scenes


def ids_per_person(scenes: list[Scene], fps: float) -> tuple[int, int, int]:
    """How many people could be seen for long enough, and how many had one id of their own.

    They had if one id is on them for nearly all the time that any is, and if it was on nobody
    else for longer; the last number is of those who had it in every single frame. Whose box is
    whose is decided as MOTA does: a pair that overlaps by half stays together while it does.
    """
    last: dict[int, int] = {}
    ids_of: defaultdict[int, Counter[int]] = defaultdict(Counter)
    people_of: defaultdict[int, Counter[int]] = defaultdict(Counter)
    seen: Counter[int] = Counter()
    for scene in scenes:
        stays = np.array([last.get(int(person), -1) for person in scene.people])
        bonus = 10.0 * (stays[:, None] == scene.tracks[None])
        rows, columns = _pairs(scene.overlap, bonus)
        seen.update(scene.people.tolist())
        for row, column in zip(rows, columns, strict=True):
            person, track = int(scene.people[row]), int(scene.tracks[column])
            last[person] = track
            ids_of[person][track] += 1
            people_of[track][person] += 1
    asked = [person for person, frames in seen.items() if frames >= LEAST_SEEN_S * fps]
    good = always = 0
    for person in asked:
        if not ids_of[person]:
            continue
        track, frames = ids_of[person].most_common(1)[0]
        is_one = frames >= ONE_ID_SHARE * ids_of[person].total()
        is_own = people_of[track].most_common(1)[0][0] == person
        good += is_one and is_own
        always += len(ids_of[person]) == 1 and is_own
    return len(asked), good, always


def _pairs(overlap: Floats, bonus: Floats | float = 0.0) -> tuple[Int64, Int64]:
    is_usable = overlap >= LEAST_OVERLAP
    rows, columns = linear_sum_assignment(is_usable * (overlap + bonus), maximize=True)
    good = is_usable[rows, columns]
    return rows[good], columns[good]


def _overlaps(true: Float32, found: Float32) -> tuple[Floats, Floats]:
    """Intersection over union, and the share of the found box within the true one, ``[P, T]``."""
    low = np.maximum(true[:, None, :2], found[None, :, :2])
    high = np.minimum(true[:, None, 2:], found[None, :, 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=2)
    area = np.clip(true[:, 2:] - true[:, :2], 0.0, None).prod(axis=1)
    other = np.clip(found[:, 2:] - found[:, :2], 0.0, None).prod(axis=1)
    union = area[:, None] + other[None] - shared
    return shared / np.maximum(union, 1e-9), shared / np.maximum(other, 1e-9)[None]
