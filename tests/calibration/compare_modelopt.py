"""Our INT8 beside nvidia-modelopt's: where the Q/DQ pairs stand, and what entropy costs.

For development only: `make compare-modelopt` runs it in an environment of its own, since ModelOpt
brings a set of exact versions. Ranges are measured on pictures of the training side; the float
model's own answers on hundreds of held-out pictures are the truth, and how sure a difference is,
drawing those pictures again and again tells (the bootstrap).
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

from calibration.accuracy import Answers, answers_of, figures_of, truth_of
from calibration.graph import load_onnx
from calibration.quantize import Quantizer
from calibration.simplify import simplify
from edge_app.inference.model import SHIPPED, Task, load_model
from edge_app.inference.openvino_engine import OpenVinoEngine

TASKS: tuple[Task, ...] = ("detector", "garments", "classifier")
_DRAWS = 400

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


def answers_to(model: Any, task: Task, pictures: np.ndarray) -> Answers:
    """What a model says, in OpenVINO."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, str(path))
        loaded = load_model(path, task)
        return answers_of(loaded, OpenVinoEngine(loaded, threads=1, max_batch=4), pictures)


def drawn(answers: Answers, indices: np.ndarray) -> Answers:
    """The answers about some of the pictures."""
    return Answers(
        tuple(answers.objects[i] for i in indices) if answers.objects else (),
        None if answers.probabilities is None else answers.probabilities[indices],
        None if answers.wears is None else answers.wears[indices],
    )


def compare_accuracy(exact: Answers, ours: Answers, theirs: Answers, count: int) -> Iterator[str]:
    """How far both agree with the float model: the lines of a report."""
    truth = truth_of(exact)
    figures = [figures_of(answers, truth) for answers in (ours, theirs)]
    rng = np.random.default_rng(0)
    gaps: dict[str, list[float]] = {name: [] for name in figures[0]}
    for _ in range(_DRAWS):
        indices = rng.integers(0, count, count)
        again = truth_of(drawn(exact, indices))
        pair = [figures_of(drawn(answers, indices), again) for answers in (ours, theirs)]
        for name, found in gaps.items():
            found.append(pair[0][name] - pair[1][name])
    yield f"  entropy, agreement with float32 on {count} held-out pictures"
    for name, found in gaps.items():
        low, high = np.percentile(found, [2.5, 97.5])
        gap = figures[0][name] - figures[1][name]
        yield (
            f"    {name}: ours {figures[0][name]:.4f}, ModelOpt's {figures[1][name]:.4f}, "
            f"difference {gap:+.4f}, 95 % within {low:+.4f} to {high:+.4f}"
        )
    for kind in ("probabilities", "wears"):
        right = getattr(exact, kind)
        if right is not None:
            each = [np.abs(getattr(a, kind) - right).mean() for a in (ours, theirs)]
            yield f"    {kind} are off by {each[0]:.5f} in ours, {each[1]:.5f} in ModelOpt's"


def compare_placement(task: Task, ours: Any, theirs: Any) -> Iterator[str]:
    """Where the Q/DQ pairs stand: the lines of a report."""
    edges, others = quantized_edges(ours), quantized_edges(theirs)
    yield f"{task}: {len(edges)} quantized inputs of ours, {len(others)} of ModelOpt's"
    yield f"  in both: {_counted(edges & others)}"
    yield f"  ours only: {_counted(edges - others)}"
    yield f"  ModelOpt's only: {_counted(others - edges)}"
    for edge in sorted(edges ^ others):
        yield "    {}: {} {} input {}".format("ours" if edge in edges else "ModelOpt", *edge)


def compare(task: Task, folder: Path | None) -> Iterator[str]:
    """Placement and accuracy of a shipped model: the lines of a report.

    Args:
        task: of the model.
        folder: what :mod:`tests.calibration.modelopt_pictures` wrote; None for placement alone, on
            one picture of noise.
    """
    loaded = load_model(SHIPPED / f"{task}.onnx", task)
    # What our own INT8 begins with: plain float32, without paddings of their own.
    model = simplify(load_onnx(SHIPPED / f"{task}.onnx"))
    if folder is None:
        width, height = loaded.input_size
        seen = np.random.default_rng(0).integers(0, 255, (1, height, width, 3)).astype(np.uint8)
    else:
        pictures = np.load(folder / f"{task}.npz")
        seen, fresh = pictures["ranges"], pictures["held_out"]
    ours, theirs = Quantizer(model, seen, "entropy").write(), by_modelopt(model, seen)
    yield from compare_placement(task, ours, theirs)
    if folder is not None:
        told = [answers_to(one, task, fresh) for one in (model, ours, theirs)]
        yield from compare_accuracy(told[0], told[1], told[2], len(fresh))


def _counted(edges: set[Edge]) -> str:
    counts = Counter(op for op, _, _ in edges).most_common()
    return ", ".join(f"{op} {n}" for op, n in counts) or "none"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=TASKS)
    parser.add_argument("--pictures", type=Path, help="folder of them; none: placement only")
    options = parser.parse_args()
    for task in options.tasks:
        for line in compare(task, options.pictures):
            print(line, flush=True)


if __name__ == "__main__":
    main()
