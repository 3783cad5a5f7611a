"""Truth files as people write them: one clip is read, changed and written, the others stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from edge_app.config.kinds import Garment, Id, Section
from edge_app.errors import TruthError
from edge_app.flow import Direction

FORMAT = (
    "Per clip: fps, frames, size, zones as in the configuration, people. Frames count from 0. "
    "'frames': first and last frame in which the person can be seen; 'entries': crossings of the "
    "zones; 'garments': what a viewer would say; 'alert': what a rule {any_of: [dress, suit]} must "
    "say for that person. A clip is looked up by its file name."
)
FORMAL = ("dress", "suit")


class LabelledEntry(Section):
    """One crossing."""

    frame: int = Field(ge=0)
    zone: Id
    direction: Direction


class LabelledPerson(Section):
    """One person; ``frames`` are the first and the last in which they can be seen."""

    frames: tuple[int, int]
    entries: tuple[LabelledEntry, ...] = ()
    garments: tuple[Garment, ...] = ()
    clothes: str = Field("", max_length=500)
    staff: bool = False

    def as_json(self) -> dict[str, Any]:
        """The person as truth files have it: ``alert`` follows from the rest."""
        entries = sorted(self.entries, key=lambda entry: entry.frame)
        came_in = any(entry.direction == "in" for entry in entries)
        formal = [garment for garment in FORMAL if garment in self.garments]
        return {
            "frames": list(self.frames),
            "entries": [entry.model_dump() for entry in entries],
            "garments": list(self.garments),
            "clothes": self.clothes,
            "alert": formal[0] if formal and came_in and not self.staff else None,
            **({"staff": True} if self.staff else {}),
        }


class Labels(Section):
    """What a person who watches a clip says of it."""

    scene: str = Field("", max_length=1000)
    people: tuple[LabelledPerson, ...] = ()

    @classmethod
    def from_json(cls, described: Mapping[str, Any], where: str) -> Labels:
        """Labels from one clip's object of a truth file.

        Raises:
            TruthError: something in it is not as it should be; every problem is named.
        """
        people = [
            {key: value for key, value in person.items() if key != "alert"}
            if isinstance(person, dict)
            else person
            for person in described.get("people", ())
        ]
        try:
            return cls.model_validate({"scene": described.get("scene", ""), "people": people})
        except ValidationError as error:
            problems = (
                f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()
            )
            raise TruthError(f"{where}: {'; '.join(problems)}") from error


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
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(json.dumps(clips, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise TruthError(f"{path}: cannot be written: {error.strerror}") from error
