"""clothing-dataset: photos of single garments, most laid out or hung, labelled in `images.csv`."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_build.data.published.annotated import DataError, published
from model_build.vocabulary import CLOTHING_DATASET_CATEGORIES

_HELD_OUT_PERCENT = 15


@dataclass(frozen=True)
class GarmentPhoto:
    """One photo of one garment; `categories` are all that its label allows."""

    picture: Path
    sender_id: str
    label: str
    categories: tuple[str, ...]

    @property
    def is_held_out(self) -> bool:
        """Whether the photo is kept for evaluation, by its sender: a sender's photos look alike."""
        digest = hashlib.md5(self.sender_id.encode(), usedforsecurity=False).hexdigest()
        return int(digest, 16) % 100 < _HELD_OUT_PERCENT

    def read_picture(self) -> NDArray[np.uint8]:
        """The photo, uint8 `[H,W,3]` BGR.

        Raises:
            ValueError: the file cannot be decoded.
        """
        picture = cv2.imread(str(self.picture), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{self.picture}: not a readable picture")
        return np.asarray(picture, np.uint8)


def read_garment_photos(folder: Path) -> list[GarmentPhoto]:
    """The photos that show one of the fifteen categories and are there, in the table's order.

    Raises:
        DataError: the folder does not hold the published layout.
    """
    table = published(folder / "images.csv", "clothing-dataset")
    photos = []
    with table.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            categories = CLOTHING_DATASET_CATEGORIES.get(row["label"])
            picture = folder / "images" / f"{row['image']}.jpg"
            if categories is not None and picture.exists():
                photos.append(GarmentPhoto(picture, row["sender_id"], row["label"], categories))
    if not photos:
        raise DataError(f"{table}: no photo of it is in {folder / 'images'}")
    return photos
