"""Where Q/DQ pairs go, rule by rule, on a network that has a case of each."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper

from calibration.graph import Graph, load_onnx
from calibration.placement import place
from edge_app.inference.model import SHIPPED
from tests.calibration.networks import residual_detector


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(residual_detector())


def quantized(graph: Graph, without: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    """Pairs of reader and tensor that a Q/DQ pair stands between."""
    placement = place(graph, without)
    return {(graph.nodes[p].name, graph.nodes[p].input[i]) for p, i in placement.edges}


def test_every_wide_layer_reads_quantized_values(graph: Graph) -> None:
    layers = {graph.nodes[p].name for p in place(graph).layers}
    assert layers == {"stem", "first", "second", "left", "merge", "narrow"}
    found = quantized(graph)
    assert {("first", "pooled"), ("second", "first_act"), ("merge", "joined")} <= found


def test_no_output_of_a_convolution_is_quantized(graph: Graph) -> None:
    convolutions = {node.output[0] for node in graph.nodes if node.op_type == "Conv"}
    assert {tensor for _, tensor in quantized(graph)} & convolutions == set()


def test_a_residual_sum_is_quantized_on_its_skip_input_only(graph: Graph) -> None:
    assert {tensor for reader, tensor in quantized(graph) if reader == "sum"} == {"pooled"}


def test_what_is_put_together_has_one_scale(graph: Graph) -> None:
    groups = [set(group) for group in place(graph).groups]
    shared = next(group for group in groups if "joined" in group)
    assert shared == {"joined", "left_act", "pooled", "stem_act"}
    assert {("joined", "left_act"), ("joined", "pooled")} <= quantized(graph)


def test_a_pool_reads_what_its_reader_reads(graph: Graph) -> None:
    assert ("pooled", "stem_act") in quantized(graph)
    shared = next(set(group) for group in place(graph).groups if "pooled" in group)
    assert "stem_act" in shared


@pytest.mark.parametrize(("axes", "is_quantized"), [(2, False), (3, True)])
def test_a_product_with_one_vector_per_picture_stays_in_float(
    axes: int, is_quantized: bool
) -> None:
    model = residual_detector()
    shape = [0, 16 * 16] if axes == 2 else [0, 1, 16 * 16]
    weights = np.ones((16 * 16, 32), np.float32)
    new = [
        helper.make_node("ReduceMean", ["merge_act"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Reshape", ["mean", "flat"], ["vector"], name="vector"),
        helper.make_node("MatMul", ["vector", "full"], ["product"], name="product"),
    ]
    model.graph.node.extend(new)
    model.graph.initializer.append(numpy_helper.from_array(np.array(shape), "flat"))
    model.graph.initializer.append(numpy_helper.from_array(weights, "full"))
    model.graph.output.append(helper.make_tensor_value_info("product", 1, ["N", *shape[1:-1], 32]))
    assert (("product", "vector") in quantized(Graph(model))) == is_quantized


@pytest.mark.parametrize(("before", "is_quantized"), [("Softmax", False), ("Sigmoid", True)])
def test_a_mean_under_a_softmax_stays_in_float(before: str, is_quantized: bool) -> None:
    """As boxes of GFL and D-FINE are decoded, in which every step of INT8 is pixels."""
    nodes = [
        helper.make_node(before, ["images"], ["shares"]),
        helper.make_node("Transpose", ["shares"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["turned", "w"], ["boxes"], name="mean"),
    ]
    shapes = {"images": ["N", 32, 4], "boxes": ["N", 4, 32]}
    seen, told = (helper.make_tensor_value_info(n, 1, shape) for n, shape in shapes.items())
    constants = [numpy_helper.from_array(np.ones((32, 32), np.float32), "w")]
    made = helper.make_model(helper.make_graph(nodes, "decoding", [seen], [told], constants))
    assert bool(place(Graph(made)).layers) == is_quantized


@pytest.mark.parametrize(
    ("outwards", "inwards", "kernel", "is_quantized"),
    [
        (17, 17, (1, 3), True),
        (16, 3, (3, 3), True),
        (3, 16, (3, 3), True),
        (16, 3, (1, 3), False),
        (17, 3, (3, 3), False),
        (8, 8, (3, 3), False),
    ],
)
def test_layers_too_narrow_for_int8_stay_in_float(
    outwards: int, inwards: int, kernel: tuple[int, int], is_quantized: bool
) -> None:
    nodes = [
        helper.make_node("Relu", ["images"], ["act"]),
        helper.make_node("Conv", ["act", "w"], ["scores"], name="layer"),
    ]
    weights = np.ones((outwards, inwards, *kernel), np.float32)
    shapes = {"images": ["N", inwards, 9, 9], "scores": ["N", outwards, "H", "W"]}
    seen, told = (helper.make_tensor_value_info(n, 1, shape) for n, shape in shapes.items())
    constants = [numpy_helper.from_array(weights, "w")]
    made = helper.make_model(helper.make_graph(nodes, "narrow", [seen], [told], constants))
    assert bool(place(Graph(made)).layers) == is_quantized


def test_decoding_stays_in_float(graph: Graph) -> None:
    assert {reader for reader, _ in quantized(graph)} & {"scores", "boxes", "nothing"} == set()


def test_a_layer_left_out_reads_float(graph: Graph) -> None:
    found = quantized(graph, without=("merge",))
    assert "merge" not in {reader for reader, _ in found}
    assert "joined" not in {reader for reader, _ in found}, "nobody needs it quantized now"


@pytest.mark.parametrize("task", ["detector", "garments", "classifier"])
def test_shipped_models_have_no_quantized_convolution_output(task: str) -> None:
    graph = Graph(load_onnx(SHIPPED / f"{task}.onnx"))
    placement = place(graph)
    assert len(placement.layers) >= 0.7 * len(graph.weighted())
    for position, index in placement.edges:
        name = graph.nodes[position].input[index]
        if graph.nodes[graph.maker[name]].op_type in ("Conv", "Gemm"):
            # Two convolutions with nothing in between: the second one's input, by the first rule.
            assert position in placement.layers or graph.nodes[position].op_type == "Concat"
