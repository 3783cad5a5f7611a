"""Curves and confusion as pictures; the one module that draws with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

_STYLES = ("-", "--", ":")
_COLOURS = 10


@dataclass(frozen=True)
class Curve:
    """Lines of one kind in one picture.

    Attributes:
        x, y: what the axes are.
        lines: by name, x and y of each point, `[N]` both.
        is_identity_ideal: whether the diagonal is to be drawn as what would be perfect.
    """

    x: str
    y: str
    lines: Mapping[str, tuple[NDArray[np.floating], NDArray[np.floating]]]
    is_identity_ideal: bool = False


@dataclass(frozen=True)
class Matrix:
    """Counts `[K,K]`: truth by claim."""

    names: tuple[str, ...]
    counts: NDArray[np.int64]


def draw_curve(curve: Curve, title: str, path: Path) -> None:
    """Lines between 0 and 1."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.add_subplot()
    if curve.is_identity_ideal:
        axes.plot([0, 1], [0, 1], color="lightgrey", label="perfect")
    for number, (name, (x, y)) in enumerate(curve.lines.items()):
        marker = "o" if len(x) <= 20 else ""
        axes.plot(x, y, _STYLES[number // _COLOURS % 3], marker=marker, markersize=3, label=name)
    axes.set(xlabel=curve.x, ylabel=curve.y, title=title, xlim=(0, 1.01), ylim=(0, 1.01))
    axes.grid(alpha=0.3)
    if curve.lines:
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=110)


def draw_matrix(matrix: Matrix, title: str, path: Path) -> None:
    """Counts, coloured by their share of the row."""
    side = 2.5 + 0.42 * len(matrix.names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    share = matrix.counts / np.maximum(matrix.counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    places = range(len(matrix.names))
    axes.set_xticks(places, matrix.names, rotation=90)
    axes.set_yticks(places, matrix.names)
    axes.set(xlabel="named", ylabel="truth", title=title)
    for row, column in np.argwhere(matrix.counts > 0):
        colour = "white" if share[row, column] > 0.5 else "black"
        count = str(matrix.counts[row, column])
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    figure.savefig(path, dpi=110)


def draw_losses(steps: list[int], parts: dict[str, list[float]], path: Path) -> None:
    """The parts of a training run's loss by step, on a logarithmic scale."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for name, values in parts.items():
        axes.plot(steps, values, label=name, linewidth=1)
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
