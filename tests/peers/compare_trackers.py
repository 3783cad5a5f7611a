"""Dresscode's tracker beside ByteTrack and OC-SORT of the package ``trackers``.

``make compare-trackers`` runs it, in an environment of its own. All get the same detections, frame
by frame, and are judged by the same rules. The peers run with their own settings and, because
those are meant for another detector, once more with those that suit this one.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import process_time

import numpy as np
import supervision
from trackers import ByteTrackTracker, OCSORTTracker

from edge_app.config.schema import TrackingSettings
from edge_app.flow import Detections
from edge_app.tracking.appearance import describe
from edge_app.tracking.tracker import Tracker
from tests.peers.judge import Tracks, judge, summed
from tests.peers.sequences import Sequence

Update = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""Takes a frame's number; gives track ids and boxes of the people seen in it."""
Start = Callable[[Sequence, list[slice]], Update]


def dresscode(sequence: Sequence, found: list[slice], has_appearance: bool = True) -> Update:
    """Ours, with or without ``tracking.appearance``."""
    tracker = Tracker("camera", TrackingSettings())
    size = (int(sequence.size[0]), int(sequence.size[1]))
    fps = float(sequence.fps[0])
    detections = [
        Detections(
            sequence.found_boxes[which],
            sequence.found_scores[which],
            np.zeros(which.stop - which.start, np.int64),
        )
        for which in found
    ]

    def update(index: int) -> tuple[np.ndarray, np.ndarray]:
        colours = sequence.found_colours[found[index]]
        looks = describe(colours) if has_appearance and len(colours) else None
        tracked = tracker.update(detections[index], index, index / fps, size, looks)
        seen = [track for track in tracked.tracks if track.is_observed]
        boxes = np.array([track.box_xyxy for track in seen], np.float32).reshape(-1, 4)
        return np.array([track.track_id for track in seen], np.int64), boxes

    return update


def peer(make: Callable[[float], ByteTrackTracker | OCSORTTracker]) -> Start:
    """One of the package's trackers."""

    def start(sequence: Sequence, found: list[slice]) -> Update:
        tracker = make(float(sequence.fps[0]))
        detections = [
            supervision.Detections(
                xyxy=sequence.found_boxes[which],
                confidence=sequence.found_scores[which],
                class_id=np.zeros(which.stop - which.start, int),
            )
            for which in found
        ]

        def update(index: int) -> tuple[np.ndarray, np.ndarray]:
            tracked = tracker.update(detections[index])
            ids = np.asarray(tracked.tracker_id, np.int64)
            return ids[ids >= 0], tracked.xyxy[ids >= 0]

        return update

    return start


TRACKERS: dict[str, Start] = {
    "Dresscode": dresscode,
    "Dresscode, no looks": partial(dresscode, has_appearance=False),
    "ByteTrack": peer(lambda fps: ByteTrackTracker(frame_rate=fps)),
    "ByteTrack, suited": peer(
        lambda fps: ByteTrackTracker(
            frame_rate=fps,
            lost_track_buffer=60,
            track_activation_threshold=0.5,
            high_conf_det_threshold=0.4,
        )
    ),
    "OC-SORT": peer(lambda fps: OCSORTTracker(frame_rate=fps)),
    "OC-SORT, suited": peer(
        lambda fps: OCSORTTracker(
            frame_rate=fps,
            lost_track_buffer=60,
            high_conf_det_threshold=0.4,
            minimum_iou_threshold=0.2,
        )
    ),
}


def follow(name: str, sequence: Sequence) -> tuple[Tracks, float]:
    """Take one sequence through one tracker; its tracks, and the seconds of work it took."""
    frames = int(sequence.frames[0])
    ends = np.searchsorted(sequence.found_frame, np.arange(frames + 1))
    found = [slice(int(a), int(b)) for a, b in pairwise(ends)]
    update = TRACKERS[name](sequence, found)
    began_s = process_time()
    answers = [update(index) for index in range(frames)]
    spent_s = process_time() - began_s
    frame = np.repeat(np.arange(frames), [len(ids) for ids, _ in answers])
    track, boxes = (np.concatenate(column) for column in zip(*answers, strict=True))
    return Tracks(frame, track, boxes.astype(np.float32)), spent_s


def main() -> None:
    """Compare on every sequence of a folder and print a table per group of sequences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what tests.peers.sequences kept")
    parser.add_argument("--only", nargs="*", default=list(TRACKERS), choices=TRACKERS)
    arguments = parser.parse_args()
    groups: dict[str, list[Sequence]] = {}
    for path in sorted(arguments.folder.glob("*.npz")):
        group = re.sub(r"-\d+$", "", path.stem).replace("-per-min", " people/min")
        groups.setdefault(group, []).append(Sequence.load(path))
    if not groups:
        raise SystemExit(
            f"{arguments.folder}: expected sequences; tests.peers.sequences makes them"
        )
    print(
        f"{'':22}{'MOTA':>8}{'IDF1':>8}{'HOTA':>8}{'switches':>10}"
        f"{'one id':>9}{'always':>9}{'ms/frame':>10}"
    )
    for group, sequences in groups.items():
        frames = sum(int(sequence.frames[0]) for sequence in sequences)
        print(f"{group}: {len(sequences)} sequences, {frames} frames")
        for name in arguments.only:
            runs = [follow(name, sequence) for sequence in sequences]
            told = summed(
                [judge(s, tracks) for s, (tracks, _) in zip(sequences, runs, strict=True)]
            )
            milliseconds = 1e3 * sum(spent_s for _, spent_s in runs) / frames
            print(
                f"  {name:20}{told['MOTA']:8.3f}{told['IDF1']:8.3f}{told['HOTA']:8.3f}"
                f"{told['switches']:10.0f}{told['one id']:9.1%}{told['always']:9.1%}"
                f"{milliseconds:10.3f}"
                f"   of {told['people']:.0f} people",
                flush=True,
            )


if __name__ == "__main__":
    main()
