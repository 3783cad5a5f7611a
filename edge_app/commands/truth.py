"""The truth of a recording: made by hand, or known because it was simulated."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.capture.video import count_pictures
from edge_app.commands.truth_file import Labels, read_clips
from edge_app.config.schema import ZoneSettings
from edge_app.errors import TruthError


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
        staff: the people who work here; no alert is due for them.
        seconds: from frame 0 to each frame, of a recording whose rate varies; None: of no other.
    """

    fps: float
    entries: tuple[TrueEntry, ...]
    garments: tuple[frozenset[str], ...]
    staff: frozenset[int] = frozenset()
    seconds: Sequence[float] | None = None

    def place(self, frame: int) -> float:
        """Where a frame lies in time, counted in frames of the rate: its number if that is even."""
        if self.seconds is None:
            return frame
        last = len(self.seconds) - 1
        return self.seconds[min(frame, last)] * self.fps + max(frame - last, 0)


def load_truth(
    path: Path,
    clip: str,
    zones: Collection[str],
    frame_count: int | None = None,
) -> Truth:
    """Read the truth of one clip, and check that it fits.

    Args:
        path: the truth file.
        clip: the clip, whose file name is its key in the file. If it is a video that is here, what
            its header says is not the last word about its length.
        zones: of the configuration.
        frame_count: of the clip; None where it is not known.

    Raises:
        TruthError: the file is missing or malformed, does not name the clip, or names zones or
            frames that are not there; every problem is a line.
    """
    if not path.exists():
        raise TruthError(f"{path}: cannot be read: there is no such file")
    clips = read_clips(path)
    key = Path(clip).name
    if key not in clips:
        known = [name for name in clips if not name.startswith("_")]
        raise TruthError(
            f"{path}: says nothing of {key!r}; it knows {', '.join(known) or 'no clip'}"
        )
    where = f"{path}: {key}"
    labels = _labels_of(clips[key], where)
    misfits = labels.misfits(zones, frame_count)
    if misfits and not labels.misfits(zones, None) and Path(clip).is_file():
        misfits = labels.misfits(zones, count_pictures(clip))
    if misfits:
        raise TruthError("\n".join(f"{where}: {said}" for said in misfits))
    return _truth(labels)


def truth_of(described: Mapping[str, Any], where: str) -> Truth:
    """Truth from one clip's object of a truth file.

    Args:
        described: the object.
        where: named in errors.

    Raises:
        TruthError: a key is missing or of another kind.
    """
    return _truth(_labels_of(described, where))


def _labels_of(described: Any, where: str) -> Labels:
    labels = Labels.from_json(described, where)
    missing = [key for key in ("fps", "people") if described.get(key) is None]
    if missing:
        raise TruthError(
            f"{where}: expected fps and people, got no {' and no '.join(missing)}; add what is "
            'missing, see "Truth files" in the README, or begin with `dresscode label`'
        )
    return labels


def _truth(labels: Labels) -> Truth:
    people = labels.people
    entries = [
        TrueEntry(entry.frame, entry.zone, entry.direction, number)
        for number, person in enumerate(people)
        for entry in person.entries
    ]
    return Truth(
        labels.fps or 0.0,
        tuple(sorted(entries, key=lambda entry: entry.frame)),
        tuple(frozenset(person.garments) for person in people),
        frozenset(number for number, person in enumerate(people) if person.staff),
    )


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
            return truth_of(truth.document(name), url)
    wanted = [[round(float(v), 4) for v in point] for point in entrance.line]
    raise TruthError(
        f"{url}: its entrance line is {wanted}; no zone of the configuration is this line, so "
        "the truth cannot be compared. Put it there to compare"
    )
