"""A retailer's own pictures in training: how they are mixed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from model_build.data.converted import read_for_training
from model_build.data.published.annotated import Annotated

Source = TypeVar("Source")


@dataclass(frozen=True)
class OwnData:
    """Pictures to train on besides, or instead of, those of the shipped models.

    Attributes:
        files: that `data` wrote.
        share: of the samples, that come from them, 0..1.
    """

    files: tuple[Path, ...]
    share: float

    @property
    def is_all(self) -> bool:
        """Whether there is nothing else to train on."""
        return bool(self.files) and self.share == 1.0

    def mixed(
        self,
        shipped: Callable[[], list[tuple[Source, float]]],
        own: Callable[[Sequence[Annotated]], Source],
    ) -> list[tuple[Source, float]]:
        """Sources with their shares; the shipped ones are opened only if they have any.

        Raises:
            DataError: a file cannot be trained on.
        """
        if not self.files or self.share == 0.0:
            return shipped()
        photos = [photo for path in self.files for photo in read_for_training(path)]
        if self.is_all:
            return [(own(photos), 1.0)]
        sources = shipped()
        total = sum(share for _, share in sources)
        rest = [(source, share / total * (1.0 - self.share)) for source, share in sources]
        return [*rest, (own(photos), self.share)]


NO_OWN_DATA: Final = OwnData((), 0.0)
