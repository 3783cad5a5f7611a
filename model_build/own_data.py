"""A retailer's own pictures in training: how they are mixed in, and told on the model's card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from model_build.data.converted import read_for_training
from model_build.data.published.annotated import Annotated
from model_build.export import Card

Source = TypeVar("Source")
_NOTE = "own_data.txt"


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

    def note(self, run: Path) -> None:
        """Write down in a run's folder what it learns from, for the card of its model."""
        if self.files and self.share > 0.0:
            names = ", ".join(f"{path.resolve().parent.name}/{path.name}" for path in self.files)
            run.mkdir(parents=True, exist_ok=True)
            (run / _NOTE).write_text(f"own pictures ({names}, {self.share:.0%} of the samples)")


NO_OWN_DATA: Final = OwnData((), 0.0)


def own_card(card: Card, run: Path, license_id: str | None) -> Card:
    """The card of a run's model, with the own pictures that its folder tells of.

    Args:
        card: as of the shipped model.
        run: folder of the run.
        license_id: SPDX identifier of the new weights, if it is another.
    """
    note = run / _NOTE
    told = card.training_data
    if note.exists():
        told = f"{told}; {note.read_text()}"
    return replace(card, training_data=told, license=license_id or card.license)
