"""clothing-dataset as annotated pictures: one garment in each photo, labelled in `images.csv`.

images.csv     image, sender_id, label, kids
images/        IMAGE.jpg
"""

from __future__ import annotations

import csv
from pathlib import Path

from model_build.data.published.annotated import (
    Annotated,
    DataError,
    Garment,
    look_up,
    numbered_lines,
)
from model_build.vocabulary import Labels

_COLUMNS = ("image", "sender_id", "label")


def read_clothes(folder: Path, labels: Labels) -> list[Annotated]:
    """A picture for each row of the table, there or not, in its order; a group is a sender.

    Raises:
        DataError: the table breaks the layout; the message gives file and line.
    """
    path = folder / "images.csv"
    lines = list(numbered_lines(path))
    rows = csv.DictReader(line for _, line in lines)
    missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise DataError(f"{path}, line 1: expected the columns {', '.join(_COLUMNS)}")
    photos = []
    for row in rows:
        place = f"{path}, line {lines[rows.line_num - 1][0]}"
        if not all(row[name] for name in _COLUMNS):
            raise DataError(f"{place}: expected {', '.join(_COLUMNS)}")
        categories = look_up(labels, row["label"], place)
        photos.append(
            Annotated(
                picture=folder / "images" / f"{row['image']}.jpg",
                split="",
                group=row["sender_id"],
                garments=(Garment(categories),) if categories else (),
                unused=() if categories else (row["label"],),
            )
        )
    if not photos:
        raise DataError(f"{path}: expected a row for each photo, came none")
    return photos
