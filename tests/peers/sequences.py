"""What every tracker is given: detections of the shipped detector, and who was really there.

``python -m tests.peers.sequences FOLDER`` looks at simulated entrances once and keeps, per
sequence, the detections, the truth and the times, so that all trackers see exactly the same.
Nothing was ever trained on these seeds. A folder in MOTChallenge's layout (``img1/``,
``gt/gt.txt``, ``seqinfo.ini``) is taken the same way.
"""

from __future__ import annotations

import argparse
import configparser
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.flow import Detections
from edge_app.tracking.appearance import sample

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Found = tuple[int, Float32, Float32, UInt8]
Truth = tuple[int, int, tuple[float, ...], float]

MINUTES = {1: 10.0, 5: 8.0, 15: 4.0, 25: 3.0}
"""How long to look at an entrance, by people per minute."""
SEEDS = (301, 302, 303)
_PERSON_CLASS = 1
"""Of MOT16's ground truth, https://arxiv.org/abs/1603.00831; other classes are not people."""


@dataclass(frozen=True)
class Sequence:
    """One recording as trackers and their judge see it.

    Attributes:
        fps: frames per second.
        size: int64 ``[2]``, width and height in pixels.
        frames: int64 ``[1]``, number of frames.
        found_frame: int64 ``[N]``, the frame of each detection, from 0, never falling.
        found_boxes: float32 ``[N, 4]``, xyxy, pixels.
        found_scores: float32 ``[N]``.
        found_colours: uint8 ``[N, 13, 8, 3]``, BGR, as the tracker samples them.
        true_frame: int64 ``[M]``, the frame of each true box, never falling.
        true_person: int64 ``[M]``.
        true_boxes: float32 ``[M, 4]``, the whole person, clipped to the picture.
        true_visible: float32 ``[M]``, share of the person that can be seen, 0..1.
    """

    fps: npt.NDArray[np.float64]
    size: Int64
    frames: Int64
    found_frame: Int64
    found_boxes: Float32
    found_scores: Float32
    found_colours: UInt8
    true_frame: Int64
    true_person: Int64
    true_boxes: Float32
    true_visible: Float32

    @classmethod
    def load(cls, path: Path) -> Sequence:
        """Read what :meth:`save` wrote."""
        with np.load(path) as kept:
            return cls(**{field.name: kept[field.name] for field in fields(cls)})

    def save(self, path: Path) -> None:
        """Keep everything in one file, which appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npz")
        np.savez_compressed(unfinished, **{f.name: getattr(self, f.name) for f in fields(self)})
        unfinished.rename(path)


def simulated(url: str) -> Sequence:
    """Look at a simulated entrance through the shipped detector."""
    import cv2

    from edge_app.capture.simulated import SimulatedEntrance

    cv2.setNumThreads(1)
    entrance, detect = SimulatedEntrance.from_url(url), _detector()
    found: list[Found] = []
    true: list[Truth] = []
    for index in range(entrance.frame_count or 0):
        rendered = entrance.render(index)
        people = detect([rendered.frame_bgr])[0]
        found.append(_found(index, rendered.frame_bgr, people))
        true += [(index, p.person, p.box_xyxy, p.visible_share) for p in rendered.people]
    settings = entrance.settings
    return _sequence(settings.fps, (settings.width, settings.height), found, true)


def recorded(folder: Path) -> Sequence:
    """Look at a folder of pictures with truth in MOTChallenge's layout."""
    import cv2

    info = configparser.ConfigParser()
    info.read(folder / "seqinfo.ini")
    fps = info.getfloat("Sequence", "frameRate", fallback=25.0)
    rows = np.loadtxt(folder / "gt" / "gt.txt", delimiter=",", ndmin=2)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    found: list[Found] = []
    detect, size = _detector(), (0, 0)
    for index, path in enumerate(sorted((folder / "img1").iterdir())):
        picture = cv2.imread(str(path))
        if picture is None:
            raise SystemExit(f"{path}: expected a picture")
        size = picture.shape[1], picture.shape[0]
        frame = np.asarray(picture, np.uint8)
        found.append(_found(index, frame, detect([frame])[0]))
    true: list[Truth] = []
    for row in rows:
        is_person = row.size < 8 or row[7] in (_PERSON_CLASS, -1)
        is_counted = bool(row[6]) and is_person
        visible = float(row[8]) if row.size > 8 and row[8] >= 0 else 1.0
        left, top, width, height = row[2:6]
        box = (left, top, left + width, top + height)
        true.append((int(row[0]) - 1, int(row[1]), box, visible if is_counted else 0.0))
    return _sequence(fps, size, found, true)


def _detector() -> Callable[[list[UInt8]], list[Detections]]:
    """The shipped detector on one thread, as the product runs it."""
    from edge_app.app import open_networks
    from edge_app.config.schema import DetectionSettings, InferenceSettings, OutfitSettings

    networks = open_networks(InferenceSettings(threads=1), DetectionSettings(), OutfitSettings())
    return networks.people.detect


def _found(index: int, frame_bgr: UInt8, people: Detections) -> Found:
    colours = sample(frame_bgr, people.boxes_xyxy)
    return index, people.boxes_xyxy, people.scores, colours


def _sequence(
    fps: float,
    size: tuple[int, int],
    found: list[Found],
    true: list[Truth],
) -> Sequence:
    return Sequence(
        np.array([fps], np.float64),
        np.array(size, np.int64),
        np.array([len(found)], np.int64),
        np.concatenate([np.full(len(scores), index) for index, _, scores, _ in found]).astype(
            np.int64
        ),
        np.concatenate([boxes for _, boxes, _, _ in found]).astype(np.float32).reshape(-1, 4),
        np.concatenate([scores for _, _, scores, _ in found]).astype(np.float32),
        np.concatenate([colours for _, _, _, colours in found]),
        np.array([row[0] for row in true], np.int64),
        np.array([row[1] for row in true], np.int64),
        np.array([row[2] for row in true], np.float32).reshape(-1, 4),
        np.array([row[3] for row in true], np.float32),
    )


def keep(job: tuple[int, int], folder: Path) -> Path:
    """Look at one entrance, unless that was done before."""
    people_per_min, seed = job
    path = folder / f"{people_per_min:02d}-per-min-{seed}.npz"
    if not path.exists():
        duration_s = 60 * MINUTES[people_per_min]
        simulated(
            f"sim://entrance?seed={seed}&duration_s={duration_s}&people_per_min={people_per_min}"
        ).save(path)
    return path


def main() -> None:
    """Look at everything that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where sequences are kept")
    parser.add_argument("--recorded", type=Path, nargs="*", default=[], help="MOTChallenge folders")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--people-per-min", type=int, nargs="*", default=list(MINUTES))
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    jobs = [(rate, seed) for rate in arguments.people_per_min for seed in arguments.seeds]
    with ProcessPoolExecutor(arguments.processes) as pool:
        for path in pool.map(partial(keep, folder=arguments.folder), jobs):
            print(path, flush=True)
    for sequence in arguments.recorded:
        recorded(sequence).save(arguments.folder / f"{sequence.name}.npz")


if __name__ == "__main__":
    main()
