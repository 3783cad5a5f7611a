"""What the steps of a run learn from: batches by number, and which source each sample is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import cv2
import numpy as np
from torch.utils.data import DataLoader, Dataset

from model_build.train.processes import join_processes

Batch = TypeVar("Batch")
Source = TypeVar("Source")


class Batches(Dataset[Batch]):
    """The batches of a run from one step on; a batch follows from the schedule and its number.

    Attributes:
        draw: makes the batch of a number: of the step, or, with several processes, of one of
            `step * processes` and those after it.
        steps: the steps that are left.
    """

    def __init__(self, draw: Callable[[int], Batch], steps: range) -> None:
        self.draw = draw
        self.steps = steps
        here = join_processes()
        self._count, self._rank = here.count, here.rank

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Batch:
        cv2.setNumThreads(1)
        return self.draw(self.steps[index] * self._count + self._rank)

    def made_ahead(self, is_apart: bool = True) -> Iterable[Batch]:
        """All of them in order, made in another process if `is_apart`.

        A spawned process: OpenVINO's and OpenCV's threads do not survive a fork, and a second
        thread of this process would fight for the interpreter.
        """
        if not is_apart:
            return (self[index] for index in range(len(self)))
        return DataLoader(
            self,
            batch_size=None,
            num_workers=1,
            prefetch_factor=4,
            multiprocessing_context="spawn",
        )


def picked(
    sources: Sequence[tuple[Source, float]], count: int, rng: np.random.Generator
) -> Iterator[Source]:
    """So many of the sources, each as often as its share says.

    One by one: what is drawn from a source by the same chance comes before the next is picked.
    """
    shares = np.cumsum([share for _, share in sources])
    for _ in range(count):
        yield sources[int(np.searchsorted(shares, rng.random() * shares[-1]))][0]
