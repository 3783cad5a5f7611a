"""Writes converted pictures as COCO JSON, one file for each side of the split.

Categories are the fifteen, with their region as supercategory. What COCO has no place for is in
further fields: `allowed` (all categories that a partial label may be; `category_id` is the first
of them), `region`, `is_drawn` (False where the box is the whole picture because nobody drew one),
`attributes`; for images `split`, `group`, `people`, `worn`, `is_complete` and `unnamed`.
`model_build.data.published.coco` reads them all back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_app.vocabulary import CATEGORIES, REGION_OF
from model_build.data.published.annotated import SPLITS, Annotated, Box, Garment


def write_coco(photos: Sequence[Annotated], source: str, out: Path) -> list[Path]:
    """Write `out`/train.json, val.json, test.json, as far as there are such pictures.

    Pictures stay where they are; files name them relative to `out`.

    Args:
        photos: with their sizes known.
        source: where they come from, for the files' info.
        out: folder, made if need be.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for split in SPLITS:
        path = out / f"{split}.json"
        path.unlink(missing_ok=True)
        chosen = [photo for photo in photos if photo.split == split]
        if chosen:
            path.write_text(json.dumps(_content(chosen, f"{source}, {split}", out)))
            written.append(path)
    return written


def _content(photos: Sequence[Annotated], description: str, out: Path) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    images = []
    for number, photo in enumerate(photos, 1):
        size = photo.size or (0, 0)
        images.append(
            {
                "id": number,
                "file_name": _way_to(photo.picture, out),
                "width": size[0],
                "height": size[1],
                "split": photo.split,
                "group": photo.group,
                "people": [_xywh(person) for person in photo.people],
                "worn": photo.tags,
                "is_complete": photo.is_complete,
                "unnamed": photo.unnamed,
            }
        )
        for garment in photo.garments:
            annotations.append(_annotation(len(annotations) + 1, number, garment, size))
    return {
        "info": {"description": description},
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": index, "name": name, "supercategory": REGION_OF[name]}
            for index, name in enumerate(CATEGORIES, 1)
        ],
    }


def _way_to(picture: Path, out: Path) -> str:
    """The picture's name for files in `out`, of which either may be reached by a link."""
    return Path(os.path.relpath(picture.resolve(), out.resolve())).as_posix()


def _annotation(number: int, image: int, garment: Garment, size: tuple[int, int]) -> dict[str, Any]:
    bbox = _xywh(garment.box_xyxy or (0.0, 0.0, float(size[0]), float(size[1])))
    return {
        "id": number,
        "image_id": image,
        "category_id": 1 + CATEGORIES.index(garment.categories[0]),
        "bbox": bbox,
        "area": round(bbox[2] * bbox[3], 2),
        "iscrowd": 0,
        "segmentation": [],
        "allowed": garment.categories,
        "region": garment.settled_region,
        "is_drawn": garment.box_xyxy is not None,
        "attributes": garment.attributes,
    }


def _xywh(box: Box) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(side, 2) for side in box)
    return left, top, round(right - left, 2), round(bottom - top, 2)
