"""From a source to pictures at a model's input size: frames, person crops or garment crops."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calibration.accuracy import Truth
from calibration.frames import FramePool
from edge_app.app import Networks, open_networks
from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.replay import read_picture
from edge_app.capture.source import connect, open_replay, source_kind
from edge_app.config.load import load
from edge_app.config.schema import (
    CameraSettings,
    DetectionSettings,
    InferenceSettings,
    OutfitSettings,
)
from edge_app.errors import ConfigError, SourceError
from edge_app.flow import Detections, UInt8
from edge_app.geometry import Letterbox, widen
from edge_app.inference.model import Model
from edge_app.inference.preprocess import letterbox, stretch
from edge_app.outfit.crops import MARGIN
from edge_app.outfit.garments import CLASSIFIER_MARGIN

_PEOPLE_AT_ONCE = 4


def frames_of(settings: CameraSettings, seconds: float) -> Iterator[UInt8]:
    """The frames of a recording, or of a live source for some time, BGR with masks applied.

    Raises:
        SourceError: it cannot be read.
    """
    masks = PrivacyMasks(settings.privacy_masks)
    if source_kind(settings.source) in ("recording", "simulated"):
        camera: Any = open_replay("calibration", settings)
        until_s = float("inf")
    else:
        camera, until_s = connect("calibration", settings), seconds
    first_s = None
    try:
        while (frame := camera.read()) is not None:
            first_s = frame.taken_at_s if first_s is None else first_s
            if frame.taken_at_s - first_s > until_s:
                return
            yield masks.apply(frame.frame_bgr)
    finally:
        camera.close()


def camera_of(source: str, config: Path | None) -> CameraSettings:
    """What a source on the command line stands for.

    Args:
        source: a camera's name in the configuration; without one, a source itself.
        config: a store's YAML file.

    Raises:
        ConfigError: the file is wrong, or knows no such camera.
    """
    if config is None:
        return CameraSettings(source=int(source) if source.isdigit() else source)
    cameras = load(config).cameras
    if source not in cameras:
        known = ", ".join(cameras)
        raise ConfigError([f"{config}: has no camera {source!r}; it knows {known}"])
    return cameras[source]


def inputs_in(model: Model, frames: Sequence[UInt8], count: int) -> UInt8:
    """What a model is given to see while the store's software looks at frames.

    Args:
        model: of the contract.
        frames: uint8 ``[h, w, 3]`` each.
        count: of people, or garments, to choose among all that are found.

    Returns:
        uint8 ``[N, H, W, 3]``.

    Raises:
        SourceError: nothing for the model is in the frames.
    """
    chosen = list(frames)
    if model.task != "detector":
        networks = open_networks(InferenceSettings(), DetectionSettings(), OutfitSettings())
        try:
            people = FramePool(count)
            people_in(networks, chosen, people)
            chosen = people.choose()
            if model.task == "classifier":
                garments = FramePool(count)
                garments_in(networks, chosen, garments)
                chosen = garments.choose()
        finally:
            networks.close()
    return as_inputs(model, chosen)


def people_in(networks: Networks, pictures: Sequence[UInt8], pool: FramePool) -> None:
    """Put the person crops of pictures into a pool, as the store's software cuts them."""
    for start in range(0, len(pictures), _PEOPLE_AT_ONCE):
        few = pictures[start : start + _PEOPLE_AT_ONCE]
        for picture, found in zip(few, networks.people.detect(few), strict=True):
            height, width = picture.shape[:2]
            people = found[found.scores >= 0.3]
            for x1, y1, x2, y2 in widen(people.boxes_xyxy, MARGIN, (width, height)):
                pool.add(picture[y1:y2, x1:x2])


def garments_in(networks: Networks, crops: Sequence[UInt8], pool: FramePool) -> None:
    """Put the garment crops of person crops into a pool, as the store's software cuts them."""
    for crop in crops:
        height, width = crop.shape[:2]
        box = np.array([0, 0, width, height])
        look = networks.looker.look([(crop, box)], [1.0])[0]
        boxes = [np.asarray(garment.box_xyxy, np.float32) for garment in look.garments]
        if boxes:
            for x1, y1, x2, y2 in widen(np.stack(boxes), CLASSIFIER_MARGIN, (width, height)):
                pool.add(crop[y1:y2, x1:x2])


def as_inputs(model: Model, pictures: Sequence[UInt8]) -> UInt8:
    """Pictures fitted to a model's input as it is fitted in the store.

    Returns:
        uint8 ``[N, H, W, 3]``.

    Raises:
        SourceError: there are none.
    """
    if not pictures:
        raise SourceError(
            f"no picture for the {model.task} was found in the source; "
            "give one that shows people, and longer"
        )
    width, height = model.input_size
    out = np.empty((len(pictures), height, width, 3), np.uint8)
    for picture, place in zip(pictures, out, strict=True):
        if model.task == "classifier":
            stretch(picture, np.array([0, 0, picture.shape[1], picture.shape[0]]), place)
        else:
            letterbox(picture, place)
    return out


def labelled(model: Model, folder: Path, labels: Path) -> tuple[UInt8, Truth]:
    """Pictures of a folder with hand-made labels.

    The file is a JSON object of picture names: for a classifier the right category or a list of
    those that may be right, for a detector a list of ``[label, x1, y1, x2, y2]`` in pixels.

    Raises:
        SourceError: a picture or its label cannot be used.
    """
    try:
        told = json.loads(labels.read_text(encoding="utf-8-sig"))
        pictures = [read_picture(folder / name) for name in told]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SourceError(f"{labels}: expected a JSON object of picture names: {error}") from error
    try:
        if model.task == "classifier":
            right = {n: {v} if isinstance(v, str) else set(v) for n, v in told.items()}
            indices = tuple(
                frozenset(_index(model, label, f"{labels}: {name}") for label in names)
                for name, names in right.items()
            )
            return as_inputs(model, pictures), Truth(categories=indices)
        objects = tuple(
            _objects(model, picture, rows, f"{labels}: {name}")
            for picture, (name, rows) in zip(pictures, told.items(), strict=True)
        )
    except (ValueError, TypeError, IndexError) as error:
        known = " ".join(model.labels)
        raise SourceError(f"{labels}: {error}; the labels are {known}") from error
    return as_inputs(model, pictures), Truth(objects)


def _index(model: Model, label: Any, place: str) -> int:
    if label not in model.labels:
        known = " ".join(model.labels)
        raise SourceError(f"{place}: {label!r} is none of the labels, which are {known}")
    return model.labels.index(label)


def _objects(model: Model, picture: UInt8, rows: list[Any], place: str) -> Detections:
    """Hand-made boxes of one picture, in pixels of the model's input."""
    height, width = picture.shape[:2]
    fit = Letterbox.fit((width, height), model.input_size)
    boxes = np.array([row[1:5] for row in rows], np.float32).reshape(-1, 4)
    is_inside = (boxes >= -1.0).all(1) & (boxes <= np.array([width, height] * 2) + 1.0).all(1)
    is_box = (boxes[:, 2:] > boxes[:, :2]).all(1) & is_inside
    if not is_box.all():
        came = ", ".join(f"{side:g}" for side in boxes[int(is_box.argmin())])
        raise SourceError(
            f"{place}: expected boxes as x1, y1, x2, y2 in its {width}x{height} pixels; came {came}"
        )
    boxes[:, 0::2] *= fit.scale_x
    boxes[:, 1::2] *= fit.scale_y
    marks = np.array([_index(model, row[0], place) for row in rows], np.int64)
    return Detections(boxes, np.ones(len(rows), np.float32), marks)
