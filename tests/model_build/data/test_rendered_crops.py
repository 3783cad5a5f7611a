"""Rendered people come from training seeds, with boxes inside their pictures."""

from pathlib import Path

import numpy as np

from edge_app.capture.simulated import FIRST_TRAINING_SEED
from model_build.data.rendered_crops import RenderedCrops, RenderedPieces, open_rendered
from model_build.vocabulary import category_mask


def test_rendered_people_are_for_training_and_can_be_drawn(tmp_path: Path) -> None:
    store = open_rendered(tmp_path / "rendered", people=2)
    assert len(store) >= 2
    crops = RenderedCrops(store)
    for index in range(len(store)):
        record = store.record(index)
        assert record["seed"] >= FIRST_TRAINING_SEED
        assert record["categories"]
        height, width = store.picture(index).shape[:2]
        boxes = np.array(record["boxes"]).reshape(-1, 4)
        assert (boxes >= -1).all()
        assert (boxes[:, 2] <= width + 1).all()
        assert (boxes[:, 3] <= height + 1).all()
    shown = [set(crops.plain(position).wears.nonzero()[0]) for position in range(len(crops))]
    for index in range(len(store)):
        worn = store.record(index)["categories"]
        is_alerted = bool({"suit", "blazer", "dress", "skirt", "jumpsuit"} & set(worn))
        times = shown.count(set(category_mask(worn).nonzero()[0]))
        assert times >= (2 if is_alerted else 1)
    rng = np.random.default_rng(0)
    assert crops.hard(0, rng).crop.shape == (256, 128, 3)
    assert RenderedPieces(store).draw(rng).allowed.sum() == 1
