"""Which reader reads which data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from model_build.data.published.annotated import Annotated, DataError
from model_build.data.published.clothes import read_clothes
from model_build.data.published.coco import read_coco
from model_build.data.published.deepfashion import read_deepfashion
from model_build.data.published.deepfashion2 import read_deepfashion2
from model_build.data.published.folders import read_folders
from model_build.data.published.street import read_street
from model_build.vocabulary import LABELS, Labels

READERS: Final[dict[str, Callable[[Path, Labels], list[Annotated]]]] = {
    "deepfashion": read_deepfashion,
    "deepfashion2": read_deepfashion2,
    "fashionpedia": read_coco,
    "modanet": read_coco,
    "coco": read_coco,
    "ccp": read_street,
    "clothing-dataset": read_clothes,
    "folders": read_folders,
}


def read_source(source: str, folder: Path, unused: Iterable[str] = ()) -> list[Annotated]:
    """The pictures of a data set in its published layout.

    Args:
        source: a key of `READERS`.
        folder: where the data set is.
        unused: further labels that are no garments.

    Raises:
        DataError: the folder or a file in it is not as published.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    labels = LABELS[source]
    labels = dataclasses.replace(labels, unused=labels.unused | frozenset(unused))
    return READERS[source](folder, labels)
