"""A folder per category: how a retailer has pictures of single garments at once.

dress/0815.jpg               a picture of its own
dress/item-4711/front.jpg    pictures of one item, which stay together
jacket+coat/0816.jpg         either of them
train/dress/0815.jpg …       where the pictures are split already: train, val, test; an item whose
                             pictures are in several of them stays together all the same
"""

from __future__ import annotations

from pathlib import Path

from model_build.data.published.annotated import (
    SPLITS,
    Annotated,
    DataError,
    Garment,
    look_up,
    pictures_below,
)
from model_build.vocabulary import Labels


def read_folders(folder: Path, labels: Labels) -> list[Annotated]:
    """Every picture below the categories' folders, by split, category and name.

    Raises:
        DataError: a folder's name is no category, or there is no picture.
    """
    splits = [name for name in SPLITS if (folder / name).is_dir()]
    photos = []
    for split in splits or [""]:
        for part in sorted(path for path in (folder / split).iterdir() if path.is_dir()):
            categories = look_up(labels, part.name, f"{part}")
            photos += [
                Annotated(
                    picture=picture,
                    split=split,
                    group=str(_group(picture.relative_to(folder / split), split)),
                    garments=(Garment(categories),) if categories else (),
                    unused=() if categories else (part.name,),
                )
                for picture in pictures_below(part)
            ]
    if not photos:
        raise DataError(f"{folder}: expected a folder for each category with pictures in it")
    return photos


def _group(inside: Path, split: str) -> Path:
    """The item's folder, whatever its split, where there is one; else the picture."""
    category, item, *rest = inside.parts
    return Path(category, item) if rest else split / inside
