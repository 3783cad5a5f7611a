"""From what a data set says to what can be trained on: whole pictures, once each, split."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from model_build.convert.duplicates import look_alikes, same_files
from model_build.convert.facts import Facts, PictureError, look_at
from model_build.convert.splits import STRICTNESS, place
from model_build.data.published.annotated import Annotated, Box, DataError, Garment

QUIET = Console(quiet=True)
_LEAST_SIDE_PX = 2.0
_TURNED = (
    "; if it is seen upright thanks to its EXIF orientation, which they do not know of, write the "
    "pictures anew as they are seen, without it, and label those"
)


@dataclass(frozen=True)
class LeftOut:
    """A picture that was not taken over, and why."""

    picture: Path
    reason: str


@dataclass(frozen=True)
class Alike:
    """Two pictures that look the same, both kept, and whether they are labelled the same."""

    picture_a: Path
    picture_b: Path
    same_labels: bool


@dataclass(frozen=True)
class Conversion:
    """What became of a data set.

    Attributes:
        kept: with their final split, size and boxes.
        left_out: in the data set's order.
        without_garments: how many show none of the fifteen categories; some may be kept, because
            nobody in them wears what their file has a label for.
        alike: pairs on the same side of the split.
        bad_boxes: a line for each box that lies outside its picture.
    """

    kept: list[Annotated]
    left_out: list[LeftOut]
    without_garments: int
    alike: list[Alike]
    bad_boxes: list[str]


def convert(
    photos: Sequence[Annotated],
    as_published: bool = False,
    console: Console | None = None,
) -> Conversion:
    """Look at every picture that tells of garments; keep what is whole, once, on one side.

    Of pictures with the same bytes one is kept, the one on the strictest side of the split; a
    picture that looks the same as one on a stricter side is left out as well.

    Args:
        photos: of a data set.
        as_published: keep the published split even where it divides groups.
        console: where progress is shown.

    Raises:
        DataError: nothing is left.
    """
    without_garments = sum(not photo.shows_garments for photo in photos)
    told = [photo for photo in photos if photo.shows_garments or photo.may_show_none]
    splits = place(told, as_published)
    left_out: list[LeftOut] = []
    bad_boxes: list[str] = []
    kept: list[Annotated] = []
    facts: list[Facts] = []
    placed = [dataclasses.replace(p, split=s) for p, s in zip(told, splits, strict=True)]
    looks = _facts_of([photo.picture for photo in placed])
    seen = track(looks, "looking at pictures", len(placed), console=console or QUIET)
    for photo, fact in zip(placed, seen, strict=True):
        if isinstance(fact, LeftOut):
            left_out.append(fact)
            continue
        whole = _fit(photo, fact.size, bad_boxes)
        if isinstance(whole, LeftOut):
            left_out.append(whole)
            continue
        kept.append(whole)
        facts.append(fact)
    repeated, alike = _repeated(kept, facts)
    left_out += [LeftOut(kept[i].picture, reason) for i, reason in sorted(repeated.items())]
    remaining = [photo for i, photo in enumerate(kept) if i not in repeated]
    if not any(photo.shows_garments for photo in remaining):
        first = f"; {left_out[0].picture}: {left_out[0].reason}" if left_out else ""
        raise DataError(f"none of {len(photos)} pictures can be used{first}")
    return Conversion(remaining, left_out, without_garments, alike, bad_boxes)


def _facts_of(pictures: Sequence[Path]) -> Iterator[Facts | LeftOut]:
    """The facts of each picture, or why it cannot be used; several at once."""

    def look(picture: Path) -> Facts | LeftOut:
        try:
            return look_at(picture)
        except PictureError as error:
            return LeftOut(picture, str(error))

    with ThreadPoolExecutor() as threads:
        yield from threads.map(look, pictures)


def _fit(photo: Annotated, size: tuple[int, int], bad_boxes: list[str]) -> Annotated | LeftOut:
    """The picture with its size, and its boxes cut at its edges."""
    if photo.size is not None and photo.size != size:
        expected = f"{photo.size[0]}x{photo.size[1]}"
        came = f"{size[0]}x{size[1]}"
        turned = "" if photo.size != size[::-1] else _TURNED
        reason = f"is {came} pixels, its annotations are for {expected}{turned}"
        return LeftOut(photo.picture, reason)
    garments: list[Garment] = []
    for garment in photo.garments:
        if garment.box_xyxy is None:
            garments.append(garment)
            continue
        box = _cut(garment.box_xyxy, size)
        if box is None:
            sides = ", ".join(f"{side:g}" for side in garment.box_xyxy)
            bad_boxes.append(f"{photo.picture}: box {sides} is empty or outside {size}")
        else:
            garments.append(dataclasses.replace(garment, box_xyxy=box))
    if photo.garments and not garments and not photo.tags:
        return LeftOut(photo.picture, "none of its boxes lies inside it")
    people = [_cut(person, size) for person in photo.people]
    return dataclasses.replace(
        photo,
        garments=tuple(garments),
        people=tuple(person for person in people if person is not None),
        is_complete=photo.is_complete and len(garments) == len(photo.garments),
        size=size,
    )


def _cut(box: Box, size: tuple[int, int]) -> Box | None:
    """A box cut at the edges of a picture; None where next to nothing is left."""
    left, right = (min(max(x, 0.0), float(size[0])) for x in (box[0], box[2]))
    top, bottom = (min(max(y, 0.0), float(size[1])) for y in (box[1], box[3]))
    # A box that is not a number compares as false with everything.
    is_box = right - left >= _LEAST_SIDE_PX and bottom - top >= _LEAST_SIDE_PX
    return (left, top, right, bottom) if is_box else None


def _repeated(
    photos: Sequence[Annotated], facts: Sequence[Facts]
) -> tuple[dict[int, str], list[Alike]]:
    """The numbers of pictures that are to go, each with the reason, and pairs that may stay."""

    def first_choice(index: int) -> tuple[int, int]:
        return -STRICTNESS[photos[index].split], index

    gone: dict[int, str] = {}
    for group in same_files(facts):
        best = min(group, key=first_choice)
        for index in sorted(set(group) - {best}):
            gone[index] = f"the same file as {photos[best].picture}" + _unlike(photos, index, best)
    both_kept = []
    for pair in look_alikes(facts):
        if gone.keys() & set(pair):
            continue
        stricter, other = sorted(pair, key=first_choice)
        if photos[stricter].split != photos[other].split:
            gone[other] = (
                f"looks the same as {photos[stricter].picture} in {photos[stricter].split}"
                + _unlike(photos, other, stricter)
            )
        else:
            both_kept.append(pair)
    # A later pair may have taken one of them out.
    alike = [
        Alike(photos[a].picture, photos[b].picture, _labels(photos[a]) == _labels(photos[b]))
        for a, b in both_kept
        if not gone.keys() & {a, b}
    ]
    return gone, alike


def _labels(photo: Annotated) -> list[tuple[str, ...]]:
    return sorted([*(garment.categories for garment in photo.garments), *photo.tags])


def _unlike(photos: Sequence[Annotated], index: int, other: int) -> str:
    same = _labels(photos[index]) == _labels(photos[other])
    return "" if same else ", but labelled otherwise"
