"""DeepFashion2: pictures of shops and of their customers, with every garment in them.

    train/image/000001.jpg          validation/image/000001.jpg
    train/annos/000001.json         validation/annos/000001.json

Each JSON has `source` (shop or user), `pair_id` (the item that shop and customers show) and
`item1`, `item2`, …, each with `category_id`, `category_name`, `bounding_box` (x1, y1, x2, y2),
`scale`, `occlusion`, `zoom_in`, `viewpoint`, `style`, `segmentation` and `landmarks`. Pairs are
numbered anew in each set.

Reference: Ge, Zhang, Wang, Tang, Luo, "DeepFashion2: A Versatile Benchmark for Detection, Pose
Estimation, Segmentation and Re-Identification of Clothing Images", CVPR 2019.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from model_build.data.published.annotated import (
    Annotated,
    Box,
    DataError,
    Garment,
    check,
    load_json,
    look_up,
)
from model_build.vocabulary import Labels

_FOLDERS = {"train": "train", "validation": "val"}


class _Item(BaseModel):
    category_id: int
    category_name: str
    bounding_box: Box
    scale: int | None = None
    occlusion: int | None = None
    zoom_in: int | None = None
    viewpoint: int | None = None


class _Picture(BaseModel):
    """A picture's file; its items have names of their own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Item]
    source: Literal["shop", "user"]
    pair_id: int


_CONTENT = TypeAdapter(_Picture)


def read_deepfashion2(folder: Path, labels: Labels) -> list[Annotated]:
    """The pictures of the training and the validation set, by number.

    Raises:
        DataError: a file breaks the layout; the message gives file and place.
    """
    photos = [
        _read_one(path, split, labels)
        for part, split in _FOLDERS.items()
        for path in sorted((folder / part / "annos").glob("*.json"))
    ]
    if not photos:
        raise DataError(f"{folder}: expected train/annos/*.json or validation/annos/*.json")
    return photos


def _read_one(path: Path, split: str, labels: Labels) -> Annotated:
    content = check(load_json(path), _CONTENT, path)
    names = list(labels.categories)
    garments = []
    for key, item in sorted(content.__pydantic_extra__.items()):
        categories = look_up(labels, item.category_name, f"{path}: {key}.category_name")
        number = names.index(item.category_name) + 1
        if item.category_id != number:
            raise DataError(
                f"{path}: {key}.category_id: expected {number} for {item.category_name!r}, "
                f"came {item.category_id}"
            )
        garments.append(Garment(categories, item.bounding_box, attributes=_attributes(item)))
    return Annotated(
        picture=path.parent.parent / "image" / f"{path.stem}.jpg",
        split=split,
        group=f"{split}/pair {content.pair_id}",
        garments=tuple(garments),
        is_complete=True,
        unnamed=labels.unnamed,
    )


def _attributes(item: _Item) -> tuple[str, ...]:
    values = item.model_dump(include={"scale", "occlusion", "zoom_in", "viewpoint"})
    return tuple(f"{name}={value}" for name, value in values.items() if value is not None)
