"""Our INT8 beside nvidia-modelopt's: where the Q/DQ pairs stand, and what entropy costs.

For development only: `make compare-modelopt` runs it in an environment of its own, since ModelOpt
brings torch and a set of exact versions. Pictures are those of the simulated entrance; the float
model's own answers on frames of another seed are the truth.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from calibration.frames import FramePool
from calibration.gate import Judge
from calibration.graph import Graph, load_onnx
from calibration.inputs import frames_of, inputs_in
from calibration.quantize import Quantizer
from edge_app.config.schema import CameraSettings
from edge_app.inference.model import SHIPPED, Task, load_model

TASKS: tuple[Task, ...] = ("detector", "garments", "classifier")
SOURCE = "sim://entrance?people_per_min=20&seed={seed}&duration_s={seconds}"

Edge = tuple[str, str, int]
"""A node's operator and name, and which of its inputs comes from a DequantizeLinear."""


def quantized_edges(model: Any) -> set[Edge]:
    """Where a model reads INT8."""
    dequantized = {n.output[0] for n in model.graph.node if n.op_type == "DequantizeLinear"}
    return {
        (node.op_type, node.name, index)
        for node in model.graph.node
        for index, name in enumerate(node.input)
        if name in dequantized and node.op_type not in ("QuantizeLinear", "DequantizeLinear")
    }


def by_modelopt(model: Any, pictures: np.ndarray) -> Any:
    """The model in INT8 by ModelOpt, entropy over the same pictures, in float32 elsewhere."""
    from modelopt.onnx.quantization import quantize

    with tempfile.TemporaryDirectory() as folder:
        source, target = (Path(folder) / name for name in ("float.onnx", "int8.onnx"))
        onnx.save(model, str(source))
        quantize(
            str(source),
            quantize_mode="int8",
            calibration_data={model.graph.input[0].name: pictures},
            calibration_method="entropy",
            calibration_eps=["cpu"],
            high_precision_dtype="fp32",
            output_path=str(target),
            log_level="ERROR",
        )
        made = onnx.load(str(target))
    del made.metadata_props[:]
    made.metadata_props.extend(model.metadata_props)
    return made


def entrance(seed: int, seconds: int, count: int) -> list[np.ndarray]:
    """Frames of a simulated entrance that look different."""
    pool = FramePool(count)
    for picture in frames_of(CameraSettings(source=SOURCE.format(seed=seed, seconds=seconds)), 0.0):
        pool.add(picture)
    return pool.choose()


def compare_placement(task: Task, ours: Any, theirs: Any) -> Iterator[str]:
    """Where the Q/DQ pairs stand: the lines of a report."""
    edges, others = quantized_edges(ours), quantized_edges(theirs)
    yield f"{task}: {len(edges)} quantized inputs of ours, {len(others)} of ModelOpt's"
    yield f"  in both: {_counted(edges & others)}"
    yield f"  ours only: {_counted(edges - others)}"
    yield f"  ModelOpt's only: {_counted(others - edges)}"
    for edge in sorted(edges ^ others):
        yield "    {}: {} {} input {}".format("ours" if edge in edges else "ModelOpt", *edge)


def compare(task: Task, seconds: int, count: int) -> Iterator[str]:
    """Placement and accuracy of a shipped model: the lines of a report.

    Args:
        task: of the model.
        seconds: of the simulated entrance; 0 for placement alone, on one picture of noise.
        count: of pictures.
    """
    loaded = load_model(SHIPPED / f"{task}.onnx", task)
    # Half-precision storage of weights is ours; ModelOpt is given plain float32.
    model = Graph(load_onnx(SHIPPED / f"{task}.onnx")).model
    if seconds == 0:
        width, height = loaded.input_size
        seen = np.random.default_rng(0).integers(0, 255, (1, height, width, 3)).astype(np.uint8)
    else:
        seen = inputs_in(loaded, entrance(11, seconds, count), count)
    ours, theirs = Quantizer(model, seen, "entropy").write(), by_modelopt(model, seen)
    yield from compare_placement(task, ours, theirs)
    if seconds:
        fresh = inputs_in(loaded, entrance(12, seconds, count), count)
        judge = Judge(model, task, fresh, allowed=1.0)
        for name, made in (("ours", ours), ("ModelOpt's", theirs)):
            figures = judge.judge(made).after.items()
            yield f"  entropy, {name}: " + ", ".join(f"{k} {v:.4f}" for k, v in figures)


def _counted(edges: set[Edge]) -> str:
    counts = Counter(op for op, _, _ in edges).most_common()
    return ", ".join(f"{op} {n}" for op, n in counts) or "none"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=TASKS)
    parser.add_argument("--seconds", type=int, default=120, help="0: placement only")
    parser.add_argument("--count", type=int, default=64, help="pictures for calibration")
    options = parser.parse_args()
    for task in options.tasks:
        for line in compare(task, options.seconds, options.count):
            print(line, flush=True)


if __name__ == "__main__":
    main()
