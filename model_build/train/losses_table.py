"""The losses of a run as a table and as a picture."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from model_build.evaluate.plots import draw_losses

_BETWEEN_PICTURES_S = 60.0


class LossesTable:
    """`losses.csv`: the mean of each part of the loss since the row before.

    Attributes:
        unwritten: by part, the values since the last row; what a checkpoint must keep.
    """

    def __init__(self, path: Path, step: int, unwritten: Mapping[str, list[float]]) -> None:
        """A run's table; rows of steps after `step`, which are taken anew, are dropped."""
        self._path = path
        self._drawn_s = time.monotonic()
        self.unwritten = {name: list(values) for name, values in unwritten.items()}
        if path.exists():
            rows = [row for row in self._rows() if int(row["step"]) <= step]
            unfinished = path.with_suffix(".new")  # so that a full disk loses no row
            unfinished.unlink(missing_ok=True)
            for row in rows:
                _append(unfinished, row)
            if rows:
                unfinished.replace(path)
            else:
                path.unlink()

    def add(self, parts: Mapping[str, Tensor]) -> None:
        """Take in the parts of a step's loss."""
        for name, part in parts.items():
            self.unwritten.setdefault(name, []).append(float(part.detach()))

    def write(self, step: int, steps_per_s: float) -> dict[str, str]:
        """Append a row, and give it."""
        row = {"step": str(step)}
        for name, values in self.unwritten.items():
            row[name] = f"{sum(values) / len(values):.5f}"
        row["steps_per_s"] = f"{steps_per_s:.3f}"
        self.unwritten.clear()
        _append(self._path, row)
        return row

    def draw(self, is_finished: bool) -> None:
        """Draw the table beside itself, as `losses.png`; once a minute is enough before the end."""
        is_due = is_finished or time.monotonic() - self._drawn_s >= _BETWEEN_PICTURES_S
        rows = self._rows() if is_due and self._path.exists() else []
        if rows:
            self._drawn_s = time.monotonic()
            names = [name for name in rows[0] if name not in ("step", "steps_per_s")]
            parts = {name: [float(row[name]) for row in rows] for name in names}
            draw_losses([int(row["step"]) for row in rows], parts, self._path.with_suffix(".png"))

    def _rows(self) -> list[dict[str, str]]:
        """The rows that are whole: one may have been cut off, by a disk that was full."""
        with self._path.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if all(row.values())]


def _append(path: Path, row: Mapping[str, str]) -> None:
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)
