"""Results as files; whether they can be written is found out before the work, which takes hours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import cv2

from edge_app.errors import SourceError


def expect_writable(path: Path | None, makes_folders: bool = False) -> None:
    """See that a file can be written.

    Args:
        path: of the file; None is none.
        makes_folders: its folders will be made where they are missing.

    Raises:
        SourceError: it cannot be.
    """
    if path is None:
        return
    folder = path.parent
    if makes_folders:
        folder = next(one for one in path.absolute().parents if one.exists())
    if not folder.is_dir():
        why = f"there is no folder {folder}; make it, or correct the path"
    elif path.is_dir():
        why = "it is a folder; name a file in it"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        why = "this user may not write there; choose another path"
    else:
        return
    raise SourceError(f"{path}: cannot be written: {why}")


def expect_drawable(clip: str, draw_dir: Path | None, picture_path: Path | None) -> None:
    """See that drawings of a recording have names of pictures, and a place beside it.

    Args:
        clip: the recording; a folder of pictures has no room for others.
        draw_dir: where annotated frames will be saved; None for nowhere.
        picture_path: where a picture of the whole will be saved; None for nowhere.

    Raises:
        SourceError: one of them cannot be used.
    """
    if picture_path is not None and not cv2.haveImageWriter(str(picture_path)):
        raise SourceError(
            f"{picture_path}: expected the name of a picture, got one that ends in "
            f"{picture_path.suffix!r}; let it end in .png or .jpg"
        )
    expect_writable(picture_path, makes_folders=True)
    for folder in (draw_dir, picture_path and picture_path.parent):
        if folder is not None and folder.resolve() == Path(clip).resolve():
            raise SourceError(
                f"{folder}: drawings there would be frames of the recording; choose another folder"
            )


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """Opens the file of a result.

    Raises:
        SourceError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from error


def write_json(described: Mapping[str, Any], path: Path) -> None:
    """Write a result; raises as :func:`writing` does."""
    with writing(path) as file:
        file.write(json.dumps(described, indent=1) + "\n")


def write_lines(lines: Iterable[dict[str, Any]], path: Path) -> None:
    """Write one JSON object per line, each once it is there; raises as :func:`writing` does."""
    with writing(path) as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
