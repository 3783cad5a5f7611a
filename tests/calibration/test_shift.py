"""Biases: what rounding moves a layer's output by on the average is taken off."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from calibration.graph import Graph
from calibration.observe import values_of, with_outputs
from calibration.quantize import Quantizer
from calibration.shift import Means, input_means, shift_of
from tests.calibration.networks import pictures, residual_detector


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_shift_is_that_of_the_means(groups: int) -> None:
    rng = np.random.default_rng(groups)
    weights = rng.normal(0, 1, (8, 4 // groups, 3, 3))
    rounded = np.round(weights, 1)
    exact, coarse = rng.normal(0, 1, 4), rng.normal(0, 1, 4)
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=groups)
    each = 4 // groups
    expected = []
    for outward in range(8):
        first = outward // (8 // groups) * each
        inner = range(first, first + each)
        before = sum(weights[outward, i - first].sum() * exact[i] for i in inner)
        after = sum(rounded[outward, i - first].sum() * coarse[i] for i in inner)
        expected.append(after - before)
    found = shift_of(node, weights, rounded, Means(exact, coarse))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_means_are_those_of_the_channels() -> None:
    graph = Graph(residual_detector())
    values = values_of(graph.model, ["sum_act"], pictures())[0]
    found = input_means(graph, {"sum_act": 0.5}, pictures())
    assert set(found) == {"sum_act"}
    np.testing.assert_allclose(found["sum_act"].exact, values.mean(axis=(0, 2, 3)), rtol=1e-4)
    rounded = np.clip(np.rint(values / 0.5), -128, 127) * 0.5
    np.testing.assert_allclose(found["sum_act"].rounded, rounded.mean(axis=(0, 2, 3)), rtol=1e-4)


def _channel_means(model: Any, name: str) -> np.ndarray:
    """Means of a tensor's channels, float ``[C]``; INT8 in exact arithmetic.

    On processors with AVX2 alone, OpenVINO's is off by more than rounding itself is.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    serialized = with_outputs(Graph(model), [name]).SerializeToString()
    session = onnxruntime.InferenceSession(serialized, options, ["CPUExecutionProvider"])
    (values,) = session.run(None, {session.get_inputs()[0].name: pictures()})
    return np.asarray(values).mean(axis=(0, 2, 3))


def test_coarse_ranges_move_a_layer_less(monkeypatch: pytest.MonkeyPatch) -> None:
    model = residual_detector()

    def moved() -> float:
        quantizer = Quantizer(model, pictures(), "minmax")
        before, after = (
            _channel_means(one, "merge")
            for one in (model, quantizer.write(set(quantizer.layers) - {"merge"}))
        )
        return float(np.abs(after - before).mean())

    # A range four times too wide: few levels are left for what is there.
    monkeypatch.setattr("calibration.quantize.scale_of", lambda _c, largest, _m: largest / 30)
    corrected = moved()
    monkeypatch.setattr("calibration.quantize.input_means", lambda *_: {})
    assert corrected < 0.5 * moved()
