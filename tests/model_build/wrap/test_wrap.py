"""Foreign detectors in the contract: networks small enough to know where their boxes are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_app.errors import ModelError
from edge_app.inference.model import load_model
from edge_app.inference.openvino_engine import OpenVinoEngine
from model_build.wrap.wrap import wrap

SIZE = 64
CELLS = 64 + 16 + 4
TOLD = {"version": "1.0.0", "license": "Apache-2.0", "training_data": "none"}


def save(
    path: Path,
    outputs: dict[str, np.ndarray],
    batch: str | int = "N",
    opset: int = 17,
    name: str = "x",
) -> Path:
    """A network with constant outputs, the last scaled by the top left pixel's first channel."""
    nodes = [
        helper.make_node("Slice", [name, "from", "to", "axes"], ["corner"]),
        helper.make_node("Reshape", ["corner", "flat"], ["mark"]),
        helper.make_node("Mul", ["mark", "nil"], ["nothing"]),
    ]
    constants = {
        "from": np.array([0, 0, 0]),
        "to": np.array([1, 1, 1]),
        "axes": np.array([1, 2, 3]),
        "flat": np.array([-1, 1, 1]),
        "nil": np.float32(0),
    }
    infos = []
    for index, (output, value) in enumerate(outputs.items()):
        constants[f"{output}_value"] = value[None].astype(np.float32)
        nodes.append(helper.make_node("Add", ["nothing", f"{output}_value"], [f"{output}_still"]))
        # The last output tells what the network saw.
        last = (
            [f"{output}_still", "mark"] if index == len(outputs) - 1 else [f"{output}_still", "one"]
        )
        constants.setdefault("one", np.float32(1))
        nodes.append(helper.make_node("Mul", last, [output]))
        infos.append(
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, *value.shape])
        )
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 3, SIZE, SIZE])],
        infos,
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def run(path: Path, blue: int = 1, red: int = 255) -> dict[str, Any]:
    """Two equal pictures through the wrapped network; the first one's answers."""
    pictures = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    pictures[..., 0], pictures[..., 2] = blue, red
    answer = OpenVinoEngine(load_model(path, "detector"), threads=1).infer(pictures)
    np.testing.assert_array_equal(answer["boxes"][0], answer["boxes"][1])
    return {name: values[0] for name, values in answer.items()}


def test_yolox_is_decoded(tmp_path: Path) -> None:
    # Scores and offsets are multiplied by the blue of the corner, which is 1: BGR, 0..255.
    raw = np.zeros((CELLS, 7), np.float32)
    raw[:, 4] = 0.01
    cell = 64 + 1 * 4 + 2  # second level, stride 16, row 1, column 2
    raw[cell] = [0.5, 0.25, np.log(2.0), np.log(1.0), 0.9, 0.1, 0.5]
    source = save(tmp_path / "yolox.onnx", {"raw": raw}, name="images")
    wrap(source, tmp_path / "out.onnx", "yolox", "detector", [1], TOLD, candidates=5)
    found = run(tmp_path / "out.onnx")
    assert found["boxes"].shape == (5, 4)
    np.testing.assert_allclose(found["boxes"][0], [24, 12, 56, 28], rtol=1e-5)
    np.testing.assert_allclose(found["scores"][0], [0.45], rtol=1e-5)


def test_yolo_is_decoded(tmp_path: Path) -> None:
    # The red corner, 255, is 1 for a network that takes RGB, 0..1.
    raw = np.zeros((4 + 3, 20), np.float32)
    raw[:, 7] = [30, 20, 10, 8, 0.2, 0.3, 0.8]
    source = save(tmp_path / "yolo.onnx", {"raw": raw})
    wrap(source, tmp_path / "out.onnx", "yolo", "detector", [2], TOLD, candidates=3)
    found = run(tmp_path / "out.onnx")
    np.testing.assert_allclose(found["boxes"][0], [25, 16, 35, 24], rtol=1e-5)
    np.testing.assert_allclose(found["scores"][:, 0], [0.8, 0, 0], rtol=1e-5)


def test_a_head_without_suppression_is_sorted_by_class(tmp_path: Path) -> None:
    raw = np.array([[1, 2, 3, 4, 0.9, 5], [5, 6, 9, 9, 0.6, 0], [7, 7, 8, 8, 0.7, 0]], np.float32)
    source = save(tmp_path / "free.onnx", {"raw": raw})
    wrap(source, tmp_path / "out.onnx", "nms-free", "detector", [0], TOLD, candidates=2)
    found = run(tmp_path / "out.onnx")
    np.testing.assert_allclose(found["boxes"], [[7, 7, 8, 8], [5, 6, 9, 9]], rtol=1e-5)
    np.testing.assert_allclose(found["scores"][:, 0], [0.7, 0.6], rtol=1e-5)


def test_a_detr_is_decoded_and_its_names_do_not_clash(tmp_path: Path) -> None:
    logits = np.full((6, 4), -9.0, np.float32)
    logits[3, 1] = 0.0
    boxes = np.full((6, 4), 0.1, np.float32)
    boxes[3] = [0.5, 0.25, 0.25, 0.5]
    source = save(tmp_path / "detr.onnx", {"scores": logits, "boxes": boxes})
    target = tmp_path / "a new folder" / "out.onnx"
    wrap(source, target, "detr", "detector", [1], TOLD, candidates=2)
    found = run(target)
    np.testing.assert_allclose(found["boxes"][0], [24, 0, 40, 32], rtol=1e-5)
    np.testing.assert_allclose(found["scores"][0], [0.5], rtol=1e-5)


def test_three_classes_become_three_regions(tmp_path: Path) -> None:
    raw = np.zeros((4 + 5, 8), np.float32)
    raw[:, 2] = [30, 20, 10, 8, 0, 0.1, 0.2, 0.3, 0]
    raw[:, 5] = [30, 40, 10, 8, 0, 0.9, 0.2, 0.1, 0]
    source = save(tmp_path / "yolo.onnx", {"raw": raw})
    wrap(source, tmp_path / "out.onnx", "yolo", "garments", [3, 1, 2], TOLD, candidates=2)
    model = load_model(tmp_path / "out.onnx", "garments")
    pictures = np.full((1, SIZE, SIZE, 3), 255, np.uint8)
    scores = OpenVinoEngine(model, threads=1).infer(pictures)["scores"][0]
    np.testing.assert_allclose(scores, [[0.1, 0.9, 0.2], [0.3, 0.1, 0.2]], rtol=1e-5)


@pytest.mark.parametrize(
    ("style", "outputs", "more", "told"),
    [
        ("yolox", {"raw": np.zeros((80, 7))}, {}, "has 84 cells at the strides"),
        ("yolo", {"a": np.zeros((9, 8)), "b": np.zeros((9, 8))}, {}, "one output with 3 axes"),
        ("yolo", {"raw": np.zeros((5, 8))}, {}, "has 1 classes; there is no class 1"),
        ("nms-free", {"raw": np.zeros((9, 8))}, {}, "six numbers per box, not 8"),
        ("detr", {"raw": np.zeros((9, 8))}, {}, "without its post-processor"),
        ("yolo", {"raw": np.zeros((9, 8))}, {"batch": 1}, "batch is fixed to 1"),
        ("yolo", {"raw": np.zeros((9, 8))}, {"opset": 12}, "opset 12 is too old"),
    ],
)
def test_what_does_not_fit_is_told(
    tmp_path: Path, style: str, outputs: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    source = save(tmp_path / "in.onnx", outputs, **more)
    with pytest.raises(ModelError, match=told):
        wrap(source, tmp_path / "out.onnx", style, "detector", [1], TOLD)


def test_a_missing_class_is_told(tmp_path: Path) -> None:
    source = save(tmp_path / "in.onnx", {"raw": np.zeros((9, 8))})
    with pytest.raises(ModelError, match="give a class for each"):
        wrap(source, tmp_path / "out.onnx", "yolo", "garments", [1], TOLD)


def test_the_command_writes_a_model_and_needs_no_data_sets(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from model_build.__main__ import main

    save(tmp_path / "in.onnx", {"raw": np.zeros((9, 8))})
    source, target = str(tmp_path / "in.onnx"), str(tmp_path / "out.onnx")
    options = ["--style", "yolo", "--license", "MIT", "--training-data", "none"]
    absent = ["--data", str(tmp_path / "absent")]
    result = CliRunner().invoke(
        main, [*absent, "wrap", source, target, *options, "--candidates", "5"]
    )
    assert result.exit_code == 0, result.output
    assert load_model(Path(target), "detector").version == "1.0.0"
