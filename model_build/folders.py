"""Where the data sets are, and what is made from them once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_app.inference.model import SHIPPED
from model_build.data.ccp import read_label_names
from model_build.data.garment_pieces import open_pieces
from model_build.data.published.annotated import DataError
from model_build.data.rendered_crops import open_rendered
from model_build.data.seen_clothes import seen_clothes, seen_key
from model_build.data.store import PictureStore
from model_build.data.street_crops import StreetCrops
from model_build.data.street_people import best_person, open_people

_RENDERED_PEOPLE = 12_000


@dataclass(frozen=True)
class Folders:
    """Where things are.

    Attributes:
        data: the data sets.
        cache: what is made from them once.
        judged_on: a file of own pictures to judge by, instead of the held-out ones in `data`.
    """

    data: Path
    cache: Path
    judged_on: Path | None = None

    @property
    def published_detector(self) -> Path:
        """YOLOX-nano as published: where the person detector starts from, and the yardstick."""
        return self.data / "weights" / "yolox_nano_416.onnx"

    def require_data(self, otherwise: str | None = None) -> None:
        """Refuse to go on without the data sets.

        Args:
            otherwise: what can be done without them.

        Raises:
            DataError: there is no such folder.
        """
        if not self.data.is_dir():
            raise DataError(
                f"{self.data}: no such folder; give the data sets with --data or DRESSCODE_DATA"
                + (f", or {otherwise}" if otherwise else "")
            )

    def street_crops(self, held_out: bool) -> StreetCrops:
        """The people of Clothing Co-Parsing on one side of the split."""
        folder = self.data / "ccp"
        find, seen = best_person(SHIPPED / "detector.onnx"), seen_clothes()
        store = open_people(folder, self.cache / f"people-{seen_key()}", find, seen)
        return StreetCrops(store, read_label_names(folder), held_out, seen)

    def pieces(self) -> PictureStore:
        """Single garments, laid out and worn, of both sides of the split."""
        photos, street = self.data / "clothing-dataset", self.data / "ccp"
        return open_pieces(photos, street, self.cache / f"pieces-{seen_key()}", seen_clothes())

    def rendered(self) -> PictureStore:
        """People of the simulated entrance's training seeds."""
        return open_rendered(self.cache / "rendered", _RENDERED_PEOPLE)
