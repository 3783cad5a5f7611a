"""The report on a conversion: what there is, on which side, and what was left out and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from model_build.convert.conversion import Conversion
from model_build.data.published.annotated import SPLITS, Annotated
from model_build.vocabulary import CATEGORY_INDEX

_SHOWN = 10


def label(categories: tuple[str, ...]) -> str:
    """How a label is named in the report: partial ones as alternatives."""
    return "|".join(categories)


def counts(photos: Iterable[Annotated]) -> dict[str, Counter[str]]:
    """For each split how often each label comes, boxes and tags together."""
    found: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for photo in photos:
        for categories in (*(garment.categories for garment in photo.garments), *photo.tags):
            found[photo.split][label(categories)] += 1
    return found


def write_report(done: Conversion, unused: Counter[str], source: str, path: Path) -> None:
    """Write everything that is known as JSON."""
    content = {
        "source": source,
        "splits": {
            split: {
                "pictures": sum(photo.split == split for photo in done.kept),
                "groups": len({photo.group for photo in done.kept if photo.split == split}),
                "labels": dict(found.most_common()),
            }
            for split, found in counts(done.kept).items()
        },
        "without_garments": done.without_garments,
        "kept_without_garments": _without_garments(done),
        "unused_labels": dict(unused.most_common()),
        "left_out": [{"picture": str(one.picture), "reason": one.reason} for one in done.left_out],
        "look_alikes": [
            {"pictures": [str(a.picture_a), str(a.picture_b)], "same_labels": a.same_labels}
            for a in done.alike
        ],
        "bad_boxes": done.bad_boxes,
    }
    path.write_text(json.dumps(content, indent=1))


def show_report(done: Conversion, unused: Counter[str], console: Console) -> None:
    """Print the counts and the first of each kind of trouble."""
    found = counts(done.kept)
    table = Table("label", *SPLITS, title="garments, by box or tag")
    for name in sorted(set().union(*found.values()), key=_place):
        table.add_row(name, *(str(found[split][name] or "") for split in SPLITS))
    pictures = Counter(photo.split for photo in done.kept)
    table.add_section()
    table.add_row("pictures", *(str(pictures[split] or "") for split in SPLITS))
    groups = {split: {p.group for p in done.kept if p.split == split} for split in SPLITS}
    table.add_row("groups", *(str(len(groups[split]) or "") for split in SPLITS))
    console.print(table)
    if done.without_garments:
        console.print(f"pictures that show none of the fifteen categories: {done.without_garments}")
    if bare := _without_garments(done):
        console.print(
            f"of them kept, with people who wear nothing that there is a label for: {bare}"
        )
    if unused:
        told = ", ".join(f"{name} {number}" for name, number in unused.most_common(_SHOWN))
        console.print(f"labels that are not used: {told}", markup=False)
    _show(console, "left out", [f"{one.picture}: {one.reason}" for one in done.left_out])
    _show(console, "boxes dropped", done.bad_boxes)
    _show(
        console,
        "pairs that look the same, both kept",
        [
            f"{one.picture_a} and {one.picture_b}"
            + ("" if one.same_labels else ", but labelled otherwise")
            for one in sorted(done.alike, key=lambda one: one.same_labels)
        ],
    )


def _without_garments(done: Conversion) -> int:
    return sum(not photo.shows_garments for photo in done.kept)


def _place(name: str) -> tuple[int, str]:
    """Labels in the vocabulary's order, partial ones after the first of their categories."""
    return CATEGORY_INDEX[name.split("|")[0]], name


def _show(console: Console, what: str, lines: list[str]) -> None:
    if not lines:
        return
    console.print(f"{len(lines)} {what}:", markup=False)
    for line in lines[:_SHOWN]:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if len(lines) > _SHOWN:
        console.print(f"  … and {len(lines) - _SHOWN} more, in report.json")
