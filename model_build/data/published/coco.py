"""COCO JSON: Fashionpedia, ModaNet, a retailer's own annotations, and what `data` itself writes.

    *.json, annotations/*.json      `images`, `annotations` (xywh boxes), `categories`
    images/… train/… val/… test/…   the pictures, in any of the usual places

A file belongs to the split that its name tells, and its pictures are looked for in that split's
folder first: many tools number the pictures of each split from 0 on. Files of pictures without
annotations, as both public data sets have for their tests, are passed over.

References: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; Jia et al.,
"Fashionpedia: Ontology, Segmentation, and an Attribute Localization Dataset", ECCV 2020; Zheng,
Yang, Kiapour, Piramuthu, "ModaNet: A Large-Scale Street Fashion Dataset with Polygon
Annotations", ACM Multimedia 2018.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from model_build.data.published.annotated import (
    SPLITS,
    Annotated,
    Box,
    DataError,
    Garment,
    check,
    load_json,
    look_up,
)
from model_build.vocabulary import FASHIONPEDIA_NICKNAMES, Labels, unnamed_by

PERSON = "person"
_SPLIT_NAMES = {**{name: name for name in SPLITS}, "valid": "val", "validation": "val"}
_Id = int | str


class _Named(BaseModel):
    id: _Id
    name: str


class _Image(BaseModel):
    """A picture; the fields from `group` on are written by `data`."""

    id: _Id
    file_name: str
    width: int | None = None
    height: int | None = None
    split: str | None = None
    group: str | None = None
    worn: list[tuple[str, ...]] = []
    people: list[Box] = []
    is_complete: bool = True
    unnamed: tuple[str, ...] | None = None


class _Annotation(BaseModel):
    """A garment; the fields from `allowed` on are written by `data`."""

    id: _Id | None = None
    image_id: _Id
    category_id: _Id
    bbox: Box
    iscrowd: int = 0
    attribute_ids: list[_Id] = []
    allowed: tuple[str, ...] | None = None
    region: str | None = None
    is_drawn: bool = True
    attributes: tuple[str, ...] = ()


class _Content(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Named]
    attributes: list[_Named] = []


_CONTENT = TypeAdapter(_Content)


@dataclass(frozen=True)
class _Tables:
    """The tables of a file, by id; `allowed` are the categories that a label may be.

    `unnamed` are those that none of its labels may be, so that the file can tell of nobody whether
    they wear them.
    """

    names: dict[_Id, str]
    allowed: dict[_Id, tuple[str, ...]]
    attributes: dict[_Id, str]
    unnamed: tuple[str, ...]


def read_coco(folder: Path, labels: Labels) -> list[Annotated]:
    """The pictures of every file of annotations in a folder and its `annotations`.

    Raises:
        DataError: there is none, or one breaks the layout; the message gives file and place.
    """
    photos = []
    for path in sorted([*folder.glob("*.json"), *(folder / "annotations").glob("*.json")]):
        content = load_json(path)
        if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
            photos += _read(content, path, labels)
    if not photos:
        raise DataError(f"{folder}: expected annotations in COCO JSON, here or in annotations/")
    return photos


def read_file(path: Path, labels: Labels) -> list[Annotated]:
    """The pictures of one file of annotations.

    Raises:
        DataError: it breaks the layout; the message gives file and place.
    """
    return _read(load_json(path), path, labels)


def _read(loaded: Any, path: Path, labels: Labels) -> list[Annotated]:
    content = check(loaded, _CONTENT, path)
    names: dict[_Id, str] = {}
    for index, category in enumerate(content.categories):
        if category.id in names:
            raise DataError(
                f"{path}: categories.{index}.id: {names[category.id]!r} has the id "
                f"{category.id!r}, too; give each category an id of its own"
            )
        names[category.id] = category.name
    allowed = {
        key: () if name == PERSON else look_up(labels, name, f"{path}: categories")
        for key, name in names.items()
    }
    tables = _Tables(
        names,
        allowed,
        {attribute.id: attribute.name for attribute in content.attributes},
        unnamed_by(allowed.values()),
    )
    of_image: dict[_Id, list[_Annotation]] = {}
    for index, image in enumerate(content.images):
        if image.id in of_image:
            raise DataError(
                f"{path}: images.{index}.id: another image has the id {image.id!r}, too"
            )
        of_image[image.id] = []
    known: set[_Id] = set()
    for index, annotation in enumerate(content.annotations):
        place = f"{path}: annotations.{index}"
        if annotation.id in known:
            raise DataError(
                f"{place}.id: another annotation has the id {annotation.id!r}, too; "
                "leave out what is there twice"
            )
        if annotation.id is not None:
            known.add(annotation.id)
        if annotation.image_id not in of_image:
            raise DataError(f"{place}.image_id: no image has the id {annotation.image_id!r}")
        if annotation.category_id not in names:
            raise DataError(f"{place}.category_id: no category is {annotation.category_id!r}")
        of_image[annotation.image_id].append(annotation)
    find = _Finder(path)
    photos = [_photo(image, find, of_image[image.id], tables) for image in content.images]
    if photos and not any(photo.picture.exists() for photo in photos):
        looked = ", ".join(str(place) for place in find.places)
        raise DataError(f"{path}: none of its pictures was found in {looked}")
    return photos


def _photo(
    image: _Image, find: _Finder, annotations: list[_Annotation], tables: _Tables
) -> Annotated:
    split = find.split if image.split is None else image.split
    name_on_disk = image.file_name.replace("\\", "/")  # as tools on Windows write them
    sized = image.width is not None and image.height is not None
    alone = [annotation for annotation in annotations if not annotation.iscrowd]
    worn = [annotation for annotation in alone if tables.allowed[annotation.category_id]]
    named = [tables.names[annotation.category_id] for annotation in alone]
    people = [a for a, name in zip(alone, named, strict=True) if name == PERSON]
    return Annotated(
        picture=find(name_on_disk),
        split=split,
        group=image.group or find.group(name_on_disk),
        garments=tuple(_garment(annotation, tables) for annotation in worn),
        tags=tuple(image.worn),
        people=tuple(_corners(box) for box in [*image.people, *(a.bbox for a in people)]),
        is_complete=image.is_complete and len(alone) == len(annotations),
        unnamed=tables.unnamed if image.unnamed is None else image.unnamed,
        unused=tuple(
            name
            for annotation, name in zip(alone, named, strict=True)
            if name != PERSON and not tables.allowed[annotation.category_id]
        ),
        size=(image.width or 0, image.height or 0) if sized else None,
    )


def _garment(annotation: _Annotation, tables: _Tables) -> Garment:
    told = [tables.attributes[key] for key in annotation.attribute_ids if key in tables.attributes]
    categories = annotation.allowed or tables.allowed[annotation.category_id]
    settled = {FASHIONPEDIA_NICKNAMES[name] for name in told if name in FASHIONPEDIA_NICKNAMES}
    narrowed = tuple(name for name in categories if name in settled)
    return Garment(
        categories=narrowed or categories,
        box_xyxy=_corners(annotation.bbox) if annotation.is_drawn else None,
        region=annotation.region,
        attributes=(*annotation.attributes, *told),
    )


def _corners(box_xywh: Box) -> Box:
    left, top, width, height = box_xywh
    return left, top, left + width, top + height


class _Finder:
    """Finds the pictures that a file of annotations names, wherever they usually are.

    Attributes:
        split: the one that the file's name tells, or empty.
        places: the folders that may hold its pictures.
    """

    def __init__(self, path: Path) -> None:
        words = re.findall("[a-z]+", path.stem.lower())
        self.split = next((_SPLIT_NAMES[word] for word in words if word in _SPLIT_NAMES), "")
        parts = ("", *SPLITS)
        places = [
            root / folder / part
            for root in (path.parent, path.parent.parent)
            for folder in ("", "images")
            for part in parts
        ]
        self.places = [place for place in places if place.is_dir()]

    def __call__(self, name: str) -> Path:
        """The picture, in the folder of the file's split before all others."""
        for place in sorted(self.places, key=lambda place: place.name != self.split):
            if (place / name).is_file():
                self.places.remove(place)  # the next one is probably there, too
                self.places.insert(0, place)
                return place / name
        return self.places[0] / name

    def group(self, name: str) -> str:
        """The picture's name, with the split where other splits have another of that name."""
        parts = [place / name for place in self.places if place.name in SPLITS]
        found = {path.resolve() for path in parts if path.is_file()}
        return f"{self.split}/{name}" if self.split and len(found) > 1 else name
