"""What every data set is read into: pictures, and what is known of the garments in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from edge_app.errors import DresscodeError
from model_build.vocabulary import Labels, settled_region

Box = tuple[float, float, float, float]
Content = TypeVar("Content")

SPLITS = ("train", "val", "test")
PICTURE_ENDINGS = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif"]
)
"""Of files that are meant as pictures; those that cannot be decoded are named, not passed over."""


class DataError(DresscodeError):
    """A data set is not in its published layout."""


def published(path: Path, data_set: str) -> Path:
    """A file that a data set is published with.

    Raises:
        DataError: it is not there.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: expected {data_set} as published, got no such file; the folder of all data "
            "sets is given with --data or DRESSCODE_DATA"
        )
    return path


@dataclass(frozen=True)
class Garment:
    """A garment in a picture.

    Attributes:
        categories: all that its label allows; several where the label is partial.
        box_xyxy: in the picture's pixels; None where only the picture as a whole is labelled.
        region: where it is worn, if the data set knows it better than the categories tell.
        attributes: what else the data set says of it, in its own words.
    """

    categories: tuple[str, ...]
    box_xyxy: Box | None = None
    region: str | None = None
    attributes: tuple[str, ...] = ()

    @property
    def settled_region(self) -> str | None:
        """Where it is worn: top, bottom or long; None where its label leaves that open."""
        return self.region or settled_region(self.categories)


@dataclass(frozen=True)
class Annotated:
    """A picture and what a data set says about it.

    Attributes:
        picture: its file.
        split: train, val or test; empty where the data set has no split of its own.
        group: photo, sender, person or item: pictures of a group never part.
        garments: those of the fifteen categories.
        tags: what is worn in it, each as the categories allowed, where no box tells which is which.
        people: boxes, where the data set has them.
        is_complete: whether every garment in it is told; else the rest is unknown, not absent.
        unnamed: categories that its data set, or file, has no label for: they are never told.
        unused: labels in it that are no garments of the fifteen.
        size: width and height that its annotations assume, if they say so.
    """

    picture: Path
    split: str
    group: str
    garments: tuple[Garment, ...]
    tags: tuple[tuple[str, ...], ...] = ()
    people: tuple[Box, ...] = ()
    is_complete: bool = False
    unnamed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    size: tuple[int, int] | None = None

    @property
    def shows_garments(self) -> bool:
        """Whether anything of the fifteen categories is known to be in it."""
        return bool(self.garments or self.tags)

    @property
    def may_show_none(self) -> bool:
        """Whether what could be told is worn by nobody in it, where nothing is told.

        Everybody wears something: where all fifteen categories have a label, it is not labelled.
        """
        return self.is_complete and bool(self.unnamed)

    @property
    def is_told(self) -> bool:
        """Whether anything is known of what is worn in it, or not worn by its people."""
        return self.shows_garments or (self.may_show_none and bool(self.people))


def look_up(labels: Labels, label: str, place: str) -> tuple[str, ...]:
    """The categories that a label allows, none where it is not used.

    Raises:
        DataError: no table knows the label; the message begins with `place`.
    """
    try:
        return labels.allowed(label)
    except KeyError:
        known = ", ".join(labels.categories)
        more = ", several joined by +," if labels.is_own else ""
        raise DataError(
            f"{place}: label {label!r} is not known; expected one of: {known}{more} "
            "or a label named with --unused"
        ) from None


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, from 1 on, without their ends.

    Raises:
        DataError: there is no such file, or it is not text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it belongs to the published layout") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected text in UTF-8: {error}") from error


def load_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: it is missing, or no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it belongs to the published layout") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: expected JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected JSON in UTF-8: {error}") from error


def check(content: Any, expected: TypeAdapter[Content], path: Path) -> Content:
    """The content of the file `path` as the type that is expected.

    Raises:
        DataError: it is not so; the message names the place in the file.
    """
    try:
        return expected.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise DataError(f"{path}: {place}: {first['msg']}; came {first['input']!r:.60}") from error


def pictures_below(folder: Path) -> list[Path]:
    """The picture files in a folder and below, in order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_ENDINGS)
