"""A store gives back what was written, by number."""

from pathlib import Path

import numpy as np
import pytest

from model_build.data.store import PictureStore, is_written, write_store


def test_arrays_and_facts_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (size, 3, 3)).astype(np.uint8) for size in (4, 1, 9)]
    path = tmp_path / "cache" / "people"
    assert not is_written(path)
    write_store(
        path,
        (({"picture": p, "labels": p[..., 0]}, {"stem": str(i)}) for i, p in enumerate(pictures)),
    )
    assert is_written(path)
    store = PictureStore(path)
    assert len(store) == 3
    for index, picture in enumerate(pictures):
        assert (store.picture(index) == picture).all()
        assert (store.picture(index, "labels") == picture[..., 0]).all()
        assert store.record(index)["stem"] == str(index)


def test_whoever_waits_for_a_store_is_told_how_far_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    picture = np.zeros((1, 1, 3), np.uint8)
    write_store(tmp_path / "rendered", (({"picture": picture}, {}) for _ in range(2000)))
    told = [record.getMessage() for record in caplog.records]
    assert "rendered: is made now" in told[0]
    assert "2000 pictures so far" in told[-1]
