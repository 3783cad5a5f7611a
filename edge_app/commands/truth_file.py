"""Truth files: what every reader takes for one, and how one clip is read, changed and written.

A truth file is JSON with one object per clip, looked up by the clip's file name: ``fps``,
``frames``, and ``people``, each with ``entries`` (``frame``, ``zone``, ``direction``),
``garments`` (what a viewer would say) and maybe ``staff``. Frames count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from edge_app.config.advice import did_you_mean, unknown_key
from edge_app.config.explain import explain, show
from edge_app.config.kinds import Garment, Section
from edge_app.errors import TruthError
from edge_app.flow import Direction
from edge_app.whole_file import write_whole

FORMAT = (
    "Per clip: fps, frames, size, zones as in the configuration, people. Frames count from 0. "
    "'frames': first and last frame in which the person can be seen; 'entries': crossings of the "
    "zones; 'garments': what a viewer would say; 'alert': what a rule {any_of: [dress, suit]} must "
    "say for that person. A clip is looked up by its file name."
)
FORMAL = ("dress", "suit")
HEADER_SLACK = 2
"""Frames by which the header of a video may be wrong about their number."""


class LabelledEntry(Section):
    """One crossing."""

    frame: int = Field(ge=0)
    zone: str
    direction: Direction


class LabelledPerson(Section):
    """One person.

    Attributes:
        frames: the first and the last in which they can be seen; None where nobody said.
        alert: of files for the eye; it follows from the rest, and is not read.
    """

    frames: tuple[int, int] | None = None
    entries: tuple[LabelledEntry, ...] = ()
    garments: tuple[Garment, ...] = ()
    clothes: str = Field("", max_length=500)
    staff: bool = False
    alert: Any = None

    def as_json(self) -> dict[str, Any]:
        """The person as truth files have it: ``alert`` follows from the rest."""
        entries = sorted(self.entries, key=lambda entry: entry.frame)
        came_in = any(entry.direction == "in" for entry in entries)
        formal = [garment for garment in FORMAL if garment in self.garments]
        return {
            **({} if self.frames is None else {"frames": list(self.frames)}),
            "entries": [entry.model_dump() for entry in entries],
            "garments": list(self.garments),
            "clothes": self.clothes,
            "alert": formal[0] if formal and came_in and not self.staff else None,
            **({"staff": True} if self.staff else {}),
        }


class Labels(Section):
    """What a person who watches a clip says of it.

    Attributes:
        fps: frames per second of the clip; None before it is known.
        zones: that could be marked, as in the configuration.
    """

    fps: float | None = Field(None, gt=0.0)
    scene: str = Field("", max_length=1000)
    zones: dict[str, Any] = Field(default_factory=dict)
    people: tuple[LabelledPerson, ...] = ()

    @classmethod
    def from_json(cls, described: Any, where: str) -> Labels:
        """Labels from one clip's object of a truth file.

        Args:
            described: the object; keys beside those of a truth are remarks.
            where: named in errors.

        Raises:
            TruthError: something in it is not as it should be; every problem is a line.
        """
        if not isinstance(described, Mapping):
            raise TruthError(
                f"{where}: expected an object with fps and people, got {_came(described)}"
            )
        known = {key: value for key, value in described.items() if key in cls.model_fields}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            raise TruthError("\n".join(_problems(error, known, where))) from error

    def misfits(self, zones: Collection[str], frame_count: int | None) -> list[str]:
        """What does not fit the configuration or the clip, a line each.

        Args:
            zones: of the configuration.
            frame_count: of the clip; None where it is not known.
        """
        found = []
        for i, person in enumerate(self.people):
            for j, entry in enumerate(person.entries):
                place = f"people[{i}].entries[{j}]"
                if entry.zone not in zones:
                    found.append(f"{place}.zone: {_no_such_zone(entry.zone, zones)}")
                if frame_count is not None and entry.frame >= frame_count + HEADER_SLACK:
                    found.append(
                        f"{place}.frame: expected a frame of the clip, 0 to {frame_count - 1}, got "
                        f"{entry.frame}; count frames from 0, at the clip's own rate"
                    )
        return found


def _no_such_zone(name: str, zones: Collection[str]) -> str:
    known = ", ".join(zones) or "none, the camera has no zones"
    advice = did_you_mean(name, zones) or f"zones are: {known}"
    return f"expected a zone of the configuration, got {name!r}; {advice}"


def _problems(error: ValidationError, described: Any, where: str) -> list[str]:
    """Each problem with its place, in the words of the configuration's checks."""
    of_json = {details["loc"]: details for details in error.errors(include_url=False)}
    lines = []
    for path, words in explain(error, described):
        kind, said = of_json[path]["type"] if path in of_json else "", words
        if kind == "extra_forbidden":
            model = LabelledEntry if "entries" in path else LabelledPerson
            said = unknown_key(str(path[-1]), model.model_fields)
        elif kind in ("model_type", "dict_type"):
            said = f"expected an object, got {_came(of_json[path]['input'])}"
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        lines.append(f"{where}: {place.lstrip('.')}: {said}")
    return lines


def _came(value: Any) -> str:
    return "an object" if isinstance(value, dict) else show(value)


def read_clips(path: Path) -> dict[str, Any]:
    """The clips of a truth file by name, with its remarks; none where there is no file yet.

    Raises:
        TruthError: the file cannot be read, or is no truth file.
    """
    if not path.exists():
        return {}
    try:
        clips = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TruthError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TruthError(f"{path}: is not JSON: {error}") from error
    if not isinstance(clips, dict):
        raise TruthError(f"{path}: expected an object with one key per clip")
    return clips


def write_clip(path: Path, name: str, described: Mapping[str, Any]) -> None:
    """Put one clip into a truth file; the others stay, and a crash leaves the old file whole.

    Raises:
        TruthError: the file cannot be written, or is no truth file.
    """
    clips = read_clips(path) or {"_format": FORMAT}
    clips[name] = described
    try:
        write_whole(path, (json.dumps(clips, indent=1) + "\n").encode())
    except OSError as error:
        raise TruthError(f"{path}: cannot be written: {error.strerror}") from error
