"""Clothing Co-Parsing as annotated pictures: boxes from its label maps, or its tags."""

from __future__ import annotations

from pathlib import Path

from scipy.io.matlab import MatReadError

from model_build.data.ccp import (
    StreetPhoto,
    garments_in,
    person_box,
    read_label_names,
    read_photos,
)
from model_build.data.published.annotated import Annotated, DataError, Garment, look_up
from model_build.vocabulary import Labels

_BROKEN = (OSError, KeyError, ValueError, IndexError, TypeError, MatReadError)


def read_street(folder: Path, labels: Labels) -> list[Annotated]:
    """All photos of the data set that have annotations, by number; a group is a photo.

    Raises:
        DataError: a file breaks the layout; the message gives the file.
    """
    try:
        names = read_label_names(folder)
        photos = read_photos(folder)
    except _BROKEN as error:
        raise DataError(f"{folder}: expected the layout of Clothing Co-Parsing: {error}") from error
    for name in names:
        look_up(labels, name, f"{folder / 'label_list.mat'}")
    return [
        _tagged(photo, labels) if photo.label_map is None else _mapped(photo, names)
        for photo in photos
    ]


def _tagged(photo: StreetPhoto, labels: Labels) -> Annotated:
    worn = [labels.allowed(tag) for tag in photo.tags]
    return Annotated(
        picture=photo.picture,
        split="",
        group=photo.stem,
        garments=(),
        tags=tuple(dict.fromkeys(categories for categories in worn if categories)),
        is_complete=True,
        unused=tuple(tag for tag in photo.tags if not labels.allowed(tag)),
    )


def _mapped(photo: StreetPhoto, names: tuple[str, ...]) -> Annotated:
    try:
        label_map = photo.read_label_map()
        found = garments_in(label_map, names)
    except _BROKEN as error:
        raise DataError(
            f"{photo.label_map}: expected a `groundtruth` of numbers below {len(names)}: {error}"
        ) from error
    height, width = label_map.shape
    return Annotated(
        picture=photo.picture,
        split="",
        group=photo.stem,
        garments=tuple(Garment((garment.category,), garment.box_xyxy) for garment in found),
        people=(person_box(label_map),),
        is_complete=True,
        size=(width, height),
    )
