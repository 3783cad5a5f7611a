"""Decoded pictures of different sizes in one flat file, memory-mapped: loaders stay cheap."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Entry = tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]
"""Arrays by name, and facts."""

_LOG_EVERY = 1000


class PictureStore:
    """uint8 arrays of any shape, by number, each with a small record of facts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: list[dict[str, Any]] = json.loads(path.with_suffix(".json").read_text())
        self._bytes = np.memmap(path.with_suffix(".bin"), np.uint8, "r")

    def __reduce__(self) -> tuple[type[PictureStore], tuple[Path]]:
        """Another process opens the file itself instead of receiving its content."""
        return PictureStore, (self._path,)

    def __len__(self) -> int:
        return len(self._records)

    def record(self, index: int) -> dict[str, Any]:
        """The facts that were stored with a picture."""
        return self._records[index]

    def picture(self, index: int, name: str = "picture") -> NDArray[np.uint8]:
        """One of the arrays of entry `index`; a view into the file, not to be written to."""
        start, shape = self._records[index]["arrays"][name]
        end = start + int(np.prod(shape))
        view: NDArray[np.uint8] = self._bytes[start:end].reshape(shape)
        return view


def open_store(path: Path, entries: Callable[[], Iterable[Entry]]) -> PictureStore:
    """The store at a path; if it is not there, it is written from what `entries` then gives."""
    return PictureStore(path) if is_written(path) else write_store(path, entries())


def write_store(path: Path, entries: Iterable[Entry]) -> PictureStore:
    """Write `path`.bin and `path`.json, and open them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logger.info("%s: is made now, which takes minutes, and found there from then on", path)
    records: list[dict[str, Any]] = []
    position = 0
    with path.with_suffix(".bin").open("wb") as file:
        for arrays, facts in entries:
            placed = {}
            for name, array in arrays.items():
                placed[name] = (position, list(array.shape))
                position += file.write(np.ascontiguousarray(array).tobytes())
            records.append({**facts, "arrays": placed})
            if len(records) % _LOG_EVERY == 0:
                logger.info("%s: %d pictures so far", path, len(records))
    path.with_suffix(".json").write_text(json.dumps(records))
    return PictureStore(path)


def is_written(path: Path) -> bool:
    """Whether a store was written completely: the table of records is written last."""
    return path.with_suffix(".json").exists()
