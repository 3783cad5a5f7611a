"""INT8 after a concatenation: OpenVINO must answer what the file says."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edge_app.inference.openvino_guard import guard, guard_concatenations, guard_sums
from edge_app.inference.silent_openvino import CORE


def concat_then_convolution() -> bytes:
    """Concat of two inputs, a Q/DQ pair, and a convolution with INT8 weights."""
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.integers(-127, 128, (16, 32, 3, 3)).astype(np.int8),
        "w_scale": np.full(16, 0.001, np.float32),
        "w_zero": np.zeros(16, np.int8),
        "scale": np.float32(4 / 127),
        "zero": np.int8(0),
    }
    nodes = [
        helper.make_node("Concat", ["a", "b"], ["joined"], axis=1),
        helper.make_node("QuantizeLinear", ["joined", "scale", "zero"], ["whole"]),
        helper.make_node("DequantizeLinear", ["whole", "scale", "zero"], ["back"]),
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["weights"], axis=0),
        helper.make_node("Conv", ["back", "weights"], ["y"], pads=[1, 1, 1, 1]),
    ]
    sides = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 16, 8, 8]) for n in "ab"]
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 16, 8, 8])
    initializers = [numpy_helper.from_array(v, name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "joined", sides, [answer], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def by_another(text: bytes, feeds: dict[str, np.ndarray]) -> np.ndarray:
    """The answer of ONNX Runtime, node by node."""
    exact = onnxruntime.SessionOptions()
    exact.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(text, exact, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feeds)[0])


def test_the_answer_is_that_of_an_independent_runtime() -> None:
    text = concat_then_convolution()
    rng = np.random.default_rng(1)
    feeds = {name: rng.normal(0, 1, (1, 16, 8, 8)).astype(np.float32) for name in "ab"}
    expected = by_another(text, feeds)
    network = CORE.read_model(text)
    guard(network)
    found = CORE.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": 1})(feeds)[0]
    np.testing.assert_allclose(found, expected, atol=0.05 * expected.std())


def test_weights_of_seven_bits_answer_nearly_the_same_and_never_overflow() -> None:
    text = concat_then_convolution()
    # As bright as can be: the sums that overflow 16 bits where the processor adds in them.
    feeds = {name: np.full((1, 16, 8, 8), 4, np.float32) for name in "ab"}
    expected = by_another(text, feeds)
    network = CORE.read_model(text)
    assert guard_concatenations(network) == 1
    assert guard_sums(network) == 1
    network.validate_nodes_and_infer_types()
    found = CORE.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": 1})(feeds)[0]
    np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())


def test_a_float_network_is_left_as_it_is() -> None:
    from edge_app.inference.model import SHIPPED

    network = CORE.read_model(SHIPPED / "classifier.onnx")
    count = len(network.get_ops())
    guard(network)
    assert guard_concatenations(network) + guard_sums(network) == 0
    assert len(network.get_ops()) == count
