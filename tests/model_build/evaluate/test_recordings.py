"""The labelled frames of the recordings are read whole, and a missing clip is named."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import SourceError
from model_build.evaluate.recordings import recording_truths


def test_boxes_lie_in_their_frames(clips_dir: Path) -> None:
    truths = list(recording_truths(clips_dir, is_spoilt=False))
    assert len(truths) == 53
    assert sum(int((~truth.is_ignored).sum()) for truth in truths) == 74
    for truth in truths:
        height, width = truth.picture.shape[:2]
        assert (truth.boxes >= 0).all()
        assert (truth.boxes[:, [0, 2]] <= width).all()
        assert (truth.boxes[:, [1, 3]] <= height).all()
        assert (truth.boxes[:, 2:] > truth.boxes[:, :2]).all()


def test_spoilt_frames_are_always_the_same(clips_dir: Path) -> None:
    one, other = (recording_truths(clips_dir, is_spoilt=True) for _ in range(2))
    for _ in range(6):
        assert np.array_equal(next(one).picture, next(other).picture)


def test_a_missing_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"one-by-one-person\.mp4"):
        next(recording_truths(tmp_path, is_spoilt=False))
