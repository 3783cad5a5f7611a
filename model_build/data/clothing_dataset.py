"""clothing-dataset: photos of single garments, most laid out or hung, labelled in `images.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_build.data.photos import is_held_out, read_photo
from model_build.data.published.annotated import DataError, published
from model_build.vocabulary import CLOTHING_DATASET_CATEGORIES


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
        return is_held_out(self.sender_id)

    def read_picture(self) -> NDArray[np.uint8]:
        """The photo, uint8 `[H,W,3]` BGR.

        Raises:
            ValueError: the file cannot be decoded.
        """
        return read_photo(self.picture)


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
