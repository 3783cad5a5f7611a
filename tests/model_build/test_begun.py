"""A run goes on with what it was begun with, and its model's card tells what that was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import helper

from edge_app.errors import DresscodeError
from edge_app.inference.model import SHIPPED
from model_build import garment_model
from model_build.begun import license_of_run, note_begun, trained_on
from model_build.convert.conversion import convert
from model_build.convert.write import write_coco
from model_build.data.published.annotated import Annotated, Garment
from model_build.folders import Folders
from model_build.own_data import NO_OWN_DATA, OwnData
from model_build.train.fitting import Schedule
from tests.model_build.data.published.written import write_picture

SCHEDULE = Schedule(steps=4, batch=2, save_every=1, warm_up_steps=1, precision="float32")


def own_file(folder: Path, category: str = "dress") -> Path:
    """A converted file of two garments."""
    photos = []
    for seed in range(2):
        picture = folder / "pictures" / f"{seed}.png"
        write_picture(picture, seed)
        garment = Garment((category,), (5.0, 5.0, 50.0, 70.0))
        photos.append(Annotated(picture, "train", str(seed), (garment,)))
    return write_coco(convert(photos).kept, "own", folder)[0]


def start_file(folder: Path) -> Path:
    """A file with no more than a card."""
    model = onnx.load(SHIPPED / "garments.onnx")
    card = {"training_data": "thousands of dresses", "license": "LicenseRef-Acme"}
    del model.metadata_props[:]
    helper.set_model_props(model, card)
    onnx.save(model, folder / "start.onnx")
    return folder / "start.onnx"


def begin(run: Path, **facts: Any) -> None:
    note_begun(run, facts.pop("schedule", SCHEDULE), facts.pop("own", NO_OWN_DATA), **facts)


def test_a_run_does_not_go_on_with_something_else(tmp_path: Path) -> None:
    run, own = tmp_path / "run", OwnData((own_file(tmp_path / "ours"),), 0.5)
    begin(run, start=None, schedule=replace(SCHEDULE, batch=8))
    begin(run, start=None, own=own, kept=True)  # nothing came of the first one
    (run / "kept").mkdir()
    (run / "kept" / "00000.npz").touch()
    begin(run, start=None, own=own, kept=True)
    begin(run, start=None, own=own, kept=True, schedule=replace(SCHEDULE, steps=9))
    with pytest.raises(DresscodeError, match=r"begun with --batch 2, and is to .* --batch 8; give"):
        begin(run, start=None, own=own, kept=True, schedule=replace(SCHEDULE, batch=8))
    with pytest.raises(DresscodeError, match="begun with --kept, and is to go on with no --kept"):
        begin(run, start=None, own=own, kept=False)
    with pytest.raises(DresscodeError, match=r"begun with no --from, .* --from start\.onnx, "):
        begin(run, start=start_file(tmp_path), own=own, kept=True)
    with pytest.raises(DresscodeError, match=r"50% of the samples\), .* with no own pictures;"):
        begin(run, start=None, kept=True)
    own_file(tmp_path / "ours", "skirt")
    with pytest.raises(DresscodeError, match=r"ours/train\.json \w{8}, .*ours/train\.json \w{8}, "):
        begin(run, start=None, own=own, kept=True)


def test_the_card_names_all_that_the_weights_have_seen_and_no_more(tmp_path: Path) -> None:
    own = (own_file(tmp_path / "ours"),)
    start = start_file(tmp_path)
    for share, told in ((0.4, "street photos; own pictures"), (1.0, "own pictures")):
        run = tmp_path / f"{share}"
        begin(run, own=OwnData(own, share), start=start)
        assert trained_on(run, "ImageNet", "street photos") == (
            f"start.onnx (thousands of dresses); {told} "
            f"(ours/train.json, {share:.0%} of the samples)"
        )
        assert license_of_run(run) == "LicenseRef-Acme"
    begin(tmp_path / "plain", start=None)
    assert trained_on(tmp_path / "plain", "ImageNet", "street photos") == "ImageNet; street photos"
    assert license_of_run(tmp_path / "plain") == "Apache-2.0"


def test_a_run_in_two_parts_is_not_made_longer(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "nowhere", tmp_path / "cache")
    own, start = OwnData((own_file(tmp_path / "ours"),), 1.0), SHIPPED / "garments.onnx"
    garment_model.train_garments(folders, SCHEDULE, tmp_path / "run", start, own)
    longer = replace(SCHEDULE, steps=8)
    with pytest.raises(DresscodeError, match="with --steps 4, and is to go on with --steps 8"):
        garment_model.train_garments(folders, longer, tmp_path / "run", start, own)
