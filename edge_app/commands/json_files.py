"""Results as files: one JSON object, or one per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from edge_app.errors import SourceError


def write_json(described: Mapping[str, Any], path: Path) -> None:
    """Write a result.

    Raises:
        SourceError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from error


def write_lines(lines: Iterable[dict[str, Any]], path: Path) -> None:
    """Write one JSON object per line, each as soon as it is there.

    Raises:
        SourceError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from error
