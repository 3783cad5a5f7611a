"""Clothing Co-Parsing: street photos with label maps, or with tags only, in its published layout.

    photos/0001.jpg …                        annotations/pixel-level/0001.mat   `groundtruth`
    label_list.mat   `label_list`            annotations/image-level/1005.mat   `tags`

Reference: Yang, Luo, Lin, "Clothing Co-Parsing by Joint Image Segmentation and Labeling",
CVPR 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from model_build.data.photos import is_held_out, read_photo
from model_build.data.published.annotated import DataError, published
from model_build.vocabulary import CCP_CATEGORY

LEAST_SHARE = 0.005


@dataclass(frozen=True)
class StreetPhoto:
    """One photo of one person; exactly one of `label_map` and `tags` says what is worn."""

    stem: str
    picture: Path
    label_map: Path | None
    tags: tuple[str, ...]

    @property
    def is_held_out(self) -> bool:
        """Whether the photo is kept for evaluation; never trained on by any model."""
        return is_held_out(self.stem)

    def read_picture(self) -> NDArray[np.uint8]:
        """The photo, uint8 `[H,W,3]` BGR.

        Raises:
            ValueError: the file cannot be decoded.
        """
        return read_photo(self.picture)

    def read_label_map(self) -> NDArray[np.uint8]:
        """The label map, uint8 `[H,W]`: an index into the label list for each pixel, 0 is none.

        Raises:
            ValueError: the photo has tags only.
        """
        if self.label_map is None:
            raise ValueError(f"{self.stem}: this photo has tags, but no label map")
        return np.asarray(loadmat(str(self.label_map))["groundtruth"], np.uint8)


@dataclass(frozen=True)
class WornGarment:
    """A garment found in a label map; `box_xyxy` in the map's pixels."""

    label: int
    category: str
    box_xyxy: tuple[float, float, float, float]


def read_label_names(folder: Path) -> tuple[str, ...]:
    """The names of the labels, by index.

    Raises:
        DataError: the folder does not hold the published layout.
    """
    path = published(folder / "label_list.mat", "Clothing Co-Parsing")
    labels = loadmat(str(path))["label_list"].ravel()
    return tuple(str(item[0]) for item in labels)


def read_photos(folder: Path) -> list[StreetPhoto]:
    """All photos of the data set, by stem.

    Raises:
        DataError: the folder does not hold the published layout.
    """
    names = read_label_names(folder)
    photos = []
    for picture in sorted((folder / "photos").glob("*.jpg")):
        pixel_level = folder / "annotations" / "pixel-level" / f"{picture.stem}.mat"
        image_level = folder / "annotations" / "image-level" / f"{picture.stem}.mat"
        if pixel_level.exists():
            photos.append(StreetPhoto(picture.stem, picture, pixel_level, ()))
        elif image_level.exists():
            tags = loadmat(str(image_level))["tags"].ravel()
            tagged = tuple(names[int(tag)] for tag in tags)
            photos.append(StreetPhoto(picture.stem, picture, None, tagged))
    if not photos:
        raise DataError(f"{folder}: no photos with annotations of Clothing Co-Parsing")
    return photos


def garments_in(
    labels: NDArray[np.uint8], names: tuple[str, ...], least_share: float = LEAST_SHARE
) -> list[WornGarment]:
    """The garments of a label map `[H,W]` that cover at least `least_share` of the person.

    Boxes are the bounds of all pixels of a label, xyxy, right and lower edges exclusive.
    """
    counts = np.bincount(labels.ravel(), minlength=len(names))
    least = max(1.0, least_share * counts[1:].sum())
    garments = []
    for label in np.flatnonzero(counts >= least):
        category = CCP_CATEGORY.get(names[label])
        if category is not None:
            left, top, width, height = cv2.boundingRect((labels == label).astype(np.uint8))
            box = (float(left), float(top), float(left + width), float(top + height))
            garments.append(WornGarment(int(label), category, box))
    return garments


def person_box(labels: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """The person's box, xyxy: the bounds of every labelled pixel of a label map `[H,W]`."""
    left, top, width, height = cv2.boundingRect((labels > 0).astype(np.uint8))
    return float(left), float(top), float(left + width), float(top + height)


def tagged_categories(tags: tuple[str, ...]) -> tuple[str, ...]:
    """The categories that a photo's tags name, each once, in the tags' order."""
    found = [CCP_CATEGORY[tag] for tag in tags if tag in CCP_CATEGORY]
    return tuple(dict.fromkeys(found))
