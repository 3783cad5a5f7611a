"""``dresscode look``: people, garments and what they wear, in still pictures."""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.app import Networks, open_networks
from edge_app.capture.replay import PICTURE_SUFFIXES, natural_order, read_picture
from edge_app.config.schema import DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.draw import PERSON, REGION, draw_box, save
from edge_app.errors import SourceError
from edge_app.flow import Detections, Float32, Look, UInt8
from edge_app.outfit.stills import LEAST_SCORE, look_at_still
from edge_app.outfit.vote import category_of, wears_of
from edge_app.vocabulary import CATEGORIES


@dataclass(frozen=True)
class Seen:
    """What was seen in one picture: the people, and what was seen of each."""

    people: Detections
    looks: list[Look]


def pictures_in(path: Path) -> list[Path]:
    """The picture itself, or the pictures of a folder and its folders, sorted; not hidden ones.

    Raises:
        SourceError: nothing is there.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(f"{path}: there is no such picture or folder")
    named = (p for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
    # Macs put a hidden ._photo.jpg that is no picture beside each photo on a stick.
    found = [p for p in named if not any(n.startswith(".") for n in p.relative_to(path).parts)]
    if not found:
        known = " ".join(sorted(PICTURE_SUFFIXES))
        raise SourceError(f"{path}: expected pictures ({known}) in this folder, got none")
    return sorted(found, key=lambda p: (p.parent, natural_order(p)))


def open_for_stills(models: Path | None, min_score: float, threads: int = 0) -> Networks:
    """Load the networks as still pictures need them.

    Args:
        models: folder of the three files; None for the shipped ones.
        min_score: weaker people are not looked at.
        threads: of the CPU; 0 for all.

    Raises:
        ModelError: a file is missing or no such model.
    """
    return open_networks(
        InferenceSettings(models=models, threads=threads),
        DetectionSettings(min_score=max(min_score, 0.01)),
        OutfitSettings(garment_score=min(min_score, LEAST_SCORE)),
    )


def see(networks: Networks, picture_bgr: UInt8, min_score: float) -> Seen:
    """Find the people of a picture and look at each, as recordings do, but several times."""
    people = networks.people.detect([picture_bgr])[0]
    people = people[people.scores >= min_score]
    scores = [float(score) for score in people.scores]
    looks = look_at_still(networks.looker, picture_bgr, people.boxes_xyxy, scores)
    return Seen(people, looks)


def describe(seen: Seen, min_score: float) -> list[dict[str, Any]]:
    """The ``people`` of one picture as ``--json`` writes them."""
    described = []
    for i, look in enumerate(seen.looks):
        score = float(seen.people.scores[i])
        garments = []
        for garment in look.garments:
            if garment.score * score < min_score:
                continue
            category, probability = category_of(garment)
            garments.append(
                {
                    "region": garment.region,
                    "box": _rounded(garment.box_xyxy),
                    "score": round(garment.score * score, 4),
                    "category": category,
                    "probability": round(probability, 4),
                }
            )
        worn = (round(float(p), 4) for p in wears_of(look))
        described.append(
            {
                "box": _rounded(seen.people.boxes_xyxy[i]),
                "score": round(score, 4),
                "garments": garments,
                "wears": dict(zip(CATEGORIES, worn, strict=True)),
            }
        )
    return described


def draw(picture_bgr: UInt8, people: list[dict[str, Any]]) -> UInt8:
    """A copy of the picture with what :func:`describe` says drawn onto it."""
    drawn: UInt8 = np.array(picture_bgr)
    for person in people:
        likely = sorted(person["wears"].items(), key=lambda pair: -pair[1])[:3]
        words = [f"{name} {share:.2f}" for name, share in likely]
        draw_box(drawn, person["box"], PERSON, [f"person {person['score']:.2f}", *words])
        for garment in person["garments"]:
            words = [f"{garment['category']} {garment['probability']:.2f}"]
            draw_box(drawn, garment["box"], REGION[garment["region"]], words, is_below=True)
    return drawn


def look(
    networks: Networks,
    paths: list[Path],
    min_score: float,
    draw_dir: Path | None,
    on_skipped: Callable[[str], None],
) -> Iterator[dict[str, Any]]:
    """Look at pictures one by one; yields a line of ``--json`` for each.

    Args:
        networks: as :func:`open_for_stills` gives them.
        paths: of the pictures.
        min_score: weaker people and garments are left out.
        draw_dir: where to save drawings.
        on_skipped: is told why a picture is skipped.

    Raises:
        SourceError: a drawing cannot be written, or would replace a picture; or, after all others,
            pictures were skipped.
    """
    drawings = {} if draw_dir is None else _drawings(paths, draw_dir)
    skipped = 0
    for path in paths:
        try:
            picture = read_picture(path)
        except SourceError as error:
            skipped += 1
            on_skipped(str(error))
            continue
        people = describe(see(networks, picture, min_score), min_score)
        if path in drawings:
            save(draw(picture, people), drawings[path])
        yield {"image": str(path), "people": people}
    if skipped:
        raise SourceError(f"{skipped} of {len(paths)} pictures could not be read and were skipped")


def _drawings(paths: list[Path], folder: Path) -> dict[Path, Path]:
    """Where the drawing of each picture goes; those that differ in their endings keep them."""
    root = os.path.commonpath([path.parent for path in paths])
    named = Counter(path.with_suffix("") for path in paths)
    pictures = {path.resolve() for path in paths}
    drawings = {}
    for path in paths:
        drawing = (folder / path.relative_to(root)).with_suffix(".jpg")
        if drawing.resolve() in pictures:
            raise SourceError(
                f"{path}: its drawing would replace a picture; choose another folder for --draw"
            )
        is_alone = named[path.with_suffix("")] == 1
        drawings[path] = drawing if is_alone else drawing.with_name(f"{path.name}.jpg")
    return drawings


def _rounded(box_xyxy: Float32) -> list[float]:
    return [round(float(v), 1) for v in box_xyxy]
