"""DeepFashion, Category and Attribute Prediction: one garment with its box in each photo.

    Anno/list_category_cloth.txt    name, type (1 upper, 2 lower, 3 full)
    Anno/list_category_img.txt      picture, category as a number from 1 on
    Anno/list_bbox.txt              picture, x1, y1, x2, y2
    Anno/list_attr_cloth.txt        name, which may contain spaces, type
    Anno/list_attr_img.txt          picture, a column for each attribute: 1, -1 or 0 for unknown
    Eval/list_eval_partition.txt    picture, train, val or test
    img/ITEM/img_00000001.jpg …

Each file begins with the number of its rows and a header; columns are padded with spaces. Later
releases have `Anno_coarse` for `Anno`. The attributes may be missing.

The published partition is by photo: the photos of an item are on several sides of it.

Reference: Liu, Luo, Qiu, Wang, Tang, "DeepFashion: Powering Robust Clothes Recognition and
Retrieval with Rich Annotations", CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from model_build.data.published.annotated import (
    SPLITS,
    Annotated,
    Box,
    DataError,
    Garment,
    look_up,
    numbered_lines,
)
from model_build.vocabulary import DEEPFASHION_REGION, Labels, settled_region

_TOLD = frozenset(["1", "-1", "0"])


def read_deepfashion(folder: Path, labels: Labels) -> list[Annotated]:
    """All photos of the data set, in its order.

    Raises:
        DataError: a file breaks the layout; the message gives file and line.
    """
    annotations = folder / "Anno"
    if not annotations.is_dir():
        annotations = folder / "Anno_coarse"
    kinds = _read_kinds(annotations / "list_category_cloth.txt", labels)
    boxes = _read_boxes(annotations / "list_bbox.txt")
    splits = _read_splits(folder / "Eval" / "list_eval_partition.txt")
    attributes = _read_attributes(annotations)
    photos = []
    path = annotations / "list_category_img.txt"
    for line, name, (number,) in _rows(path, 1):
        if not number.isdigit() or not 1 <= int(number) <= len(kinds):
            raise _wrong(path, line, f"a category from 1 to {len(kinds)}", number)
        for where, table in (("list_bbox.txt", boxes), ("list_eval_partition.txt", splits)):
            if name not in table:
                raise DataError(f"{path}, line {line}: {name} is not in {where}")
        label, categories, region = kinds[int(number) - 1]
        told = attributes.get(name, ())
        garment = Garment(categories, boxes[name], region, told)
        photos.append(
            Annotated(
                picture=folder / name,
                split=splits[name],
                group=str(Path(name).parent),
                garments=(garment,) if categories else (),
                unused=() if categories else (label,),
            )
        )
    return photos


def _wrong(path: Path, line: int, expected: str, came: str) -> DataError:
    return DataError(f"{path}, line {line}: expected {expected}, came {came!r:.60}")


def _rows(path: Path, columns: int | None) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, name and the columns after it of each row of a list.

    A list without `columns` has names that may contain spaces, and one column after them.
    """
    lines = numbered_lines(path)
    number, first = next(lines, (1, ""))
    if not first.strip().isdigit():
        raise _wrong(path, number, "the number of rows", first)
    next(lines, None)
    rows = 0
    for number, line in lines:
        parts = line.strip().rsplit(maxsplit=1) if columns is None else line.split()
        if len(parts) != 1 + (columns or 1):
            raise _wrong(path, number, f"a name and {columns or 1} column(s)", line)
        rows += 1
        yield number, parts[0], parts[1:]
    if rows != int(first):
        raise DataError(f"{path}, line 1: expected {int(first)} rows, came {rows}")


def _read_kinds(path: Path, labels: Labels) -> list[tuple[str, tuple[str, ...], str | None]]:
    """For each category its name, what it may be here, and its region if that leaves it open."""
    kinds = []
    for line, name, (number,) in _rows(path, 1):
        if number not in ("1", "2", "3"):
            raise _wrong(path, line, "a category type, 1, 2 or 3", number)
        categories = look_up(labels, name, f"{path}, line {line}")
        is_open = settled_region(categories) is None
        kinds.append((name, categories, DEEPFASHION_REGION[int(number)] if is_open else None))
    return kinds


def _read_boxes(path: Path) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for line, name, sides in _rows(path, 4):
        try:
            left, top, right, bottom = (float(side) for side in sides)
        except ValueError:
            raise _wrong(path, line, "x1 y1 x2 y2 in pixels", " ".join(sides)) from None
        boxes[name] = (left, top, right, bottom)
    return boxes


def _read_splits(path: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for line, name, (split,) in _rows(path, 1):
        if split not in SPLITS:
            raise _wrong(path, line, "train, val or test", split)
        splits[name] = split
    return splits


def _read_attributes(annotations: Path) -> dict[str, tuple[str, ...]]:
    """The attributes that each picture has, by name; none where the lists are missing."""
    path = annotations / "list_attr_img.txt"
    if not path.exists():
        return {}
    names = [name for _, name, _ in _rows(annotations / "list_attr_cloth.txt", None)]
    attributes = {}
    for line, picture, values in _rows(path, len(names)):
        if not _TOLD.issuperset(values):
            raise _wrong(path, line, "1, -1 or 0 for each attribute", " ".join(values))
        attributes[picture] = tuple(n for n, told in zip(names, values, strict=True) if told == "1")
    return attributes
