"""Which side of the split each picture is on: a photo, sender, person or item is on one only."""

from __future__ import annotations

from collections.abc import Sequence

from model_build.data.photos import is_held_out
from model_build.data.published.annotated import SPLITS, Annotated

STRICTNESS = {split: rank for rank, split in enumerate(SPLITS)}
"""What is kept for a later judgement must not be seen before it: test over val over train."""


def place(photos: Sequence[Annotated], as_published: bool = False) -> list[str]:
    """The split of each picture: train, val or test.

    A group that the data set keeps together stays where it is. A group without a split, or one
    that the published split divides, goes to the test set as a whole for a fixed 15 % of groups,
    else to the training set. That is the split of the shipped models, too.

    Args:
        photos: all of a data set.
        as_published: keep the published split even where it divides groups, to compare with
            figures of others.
    """
    published: dict[str, set[str]] = {}
    for photo in photos:
        published.setdefault(photo.group, set()).add(photo.split)
    return [
        photo.split
        if photo.split and (as_published or published[photo.group] == {photo.split})
        else "test"
        if is_held_out(photo.group)
        else "train"
        for photo in photos
    ]
