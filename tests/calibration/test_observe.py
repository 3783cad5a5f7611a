"""What tensors hold: all of it counted, over all pictures."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.graph import Graph
from calibration.observe import BINS, head_names, noise, observe, values_of
from tests.calibration.networks import pictures, residual_detector


def test_values_are_counted_by_size_over_all_pictures() -> None:
    model, shown = residual_detector(), pictures(11)
    (values,) = values_of(model, ["merge_act"], shown)
    assert len(values) == len(shown)
    seen = observe(Graph(model), ["merge_act"], shown)["merge_act"]
    assert seen.largest == pytest.approx(np.abs(values).max())
    expected, _ = np.histogram(np.abs(values), BINS, (0.0, seen.largest))
    assert seen.counts.sum() == values.size
    # On an edge between two bins, rounding decides.
    assert np.abs(np.cumsum(seen.counts - expected)).max() < 0.001 * values.size


def test_heads_are_the_layers_after_which_none_comes() -> None:
    assert head_names(residual_detector()) == ["narrow"]


def test_a_tensor_that_never_changes_has_no_noise_but_its_error() -> None:
    same = np.ones(4, np.float32)
    assert noise([same], [same]) == [0.0]
    assert noise([same + 1], [same])[0] > 1.0
