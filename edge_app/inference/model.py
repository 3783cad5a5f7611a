"""A model file: loaded, and checked against the model contract before anything runs it.

The contract (see DESIGN): everything numeric is inside the graph. A *detector* takes ``images``
uint8 ``[N, H, W, 3]`` and gives ``boxes`` ``[N, K, 4]`` and ``scores`` ``[N, K, C]``, a garment
detector maybe ``wears`` ``[N, 15]`` too; a *classifier* takes ``crops`` uint8 ``[M, h, w, 3]`` and
gives ``probabilities`` ``[M, 15]`` and ``embedding`` ``[M, D]``. All pictures are BGR.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge_app.config.denied import denied
from edge_app.errors import ModelError
from edge_app.inference.silent_openvino import CORE
from edge_app.vocabulary import CATEGORIES, REGIONS

Task = Literal["detector", "garments", "classifier"]

SHIPPED = Path(__file__).parent.parent / "models"
"""The folder of the models that Dresscode ships."""

CALLED: dict[Task, str] = {
    "detector": "detector",
    "garments": "garment detector",
    "classifier": "classifier",
}
"""What the model of a task is called in errors."""

INPUT: dict[Task, str] = {"detector": "images", "garments": "images", "classifier": "crops"}
"""Name of the only input of a task's model."""

_OUTPUTS = {
    "detector": {"boxes": 3, "scores": 3},
    "garments": {"boxes": 3, "scores": 3},
    "classifier": {"probabilities": 2, "embedding": 2},
}
_LABELS: dict[str, tuple[str, ...]] = {
    "detector": ("person",),
    "garments": REGIONS,
    "classifier": CATEGORIES,
}

_AGAIN = "Copy the file again, or reinstall Dresscode where it came with it"


@dataclass(frozen=True)
class Model:
    """A model that keeps the contract.

    Attributes:
        path: the ONNX file.
        task: ``detector``, ``garments`` or ``classifier``.
        labels: of the scores or probabilities, in their order.
        input_size: width and height of its input in pixels.
        outputs: names of its outputs.
        version: as its metadata says.
        sha256: of the file, hexadecimal.
        network: OpenVINO's reading of the file, not yet compiled.
    """

    path: Path
    task: Task
    labels: tuple[str, ...]
    input_size: tuple[int, int]
    outputs: tuple[str, ...]
    version: str
    sha256: str
    network: Any


def load_model(path: Path, task: Task) -> Model:
    """Read a model file and check it against the contract.

    Args:
        path: an ONNX file.
        task: what it is to be used for.

    Raises:
        ModelError: it is missing, unreadable or breaks the contract.
    """
    if not path.is_file():
        raise ModelError(
            f"{path}: there is no such model file; expected a {CALLED[task]} in ONNX. {_AGAIN}"
        )
    try:
        return _read(path, task)
    except (RuntimeError, ValueError) as error:
        # OpenVINO's own errors, and texts in the file, or in those errors, that are no texts.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ModelError(
            f"{path}: cannot be read as an ONNX model: {reason.rstrip('.')}. {_AGAIN}"
        ) from error


def _read(path: Path, task: Task) -> Model:
    network = CORE.read_model(path)
    _refuse_denied(path, network)
    size = _check_input(path, task, network)
    outputs = _check_outputs(path, task, network)
    labels = _check_labels(path, task, network, outputs)
    return Model(
        path=path,
        task=task,
        labels=labels,
        input_size=size,
        outputs=tuple(outputs),
        version=_metadata(network, "version") or "unknown",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        network=network,
    )


def _refuse_denied(path: Path, network: Any) -> None:
    """A model that judges who people are is refused, whatever else it can do."""
    names = [name for port in network.outputs for name in port.get_names()]
    for label in [*names, *re.findall(r'"([^"]*)"', _metadata(network, "labels") or "")]:
        what = denied(label)
        if what is not None:
            raise ModelError(
                f"{path}: {label!r} describes {what}, which Dresscode refuses to look for; use a "
                "model that knows clothes only"
            )


def _check_input(path: Path, task: Task, network: Any) -> tuple[int, int]:
    name = INPUT[task]
    names = [port.get_any_name() for port in network.inputs]
    if names != [name]:
        raise ModelError(
            f"{path}: a {CALLED[task]} has the one input {name!r}; this model has {names}"
        )
    port = network.inputs[0]
    shape, kind = port.get_partial_shape(), port.get_element_type().get_type_name()
    is_fit = (
        kind == "u8"
        and shape.rank.is_static
        and len(shape) == 4
        and shape[0].is_dynamic
        and all(shape[i].is_static for i in (1, 2, 3))
        and shape[3].get_length() == 3
    )
    if not is_fit:
        raise ModelError(
            f"{path}: input {name!r} must be uint8 [N,H,W,3] with N dynamic; it is {kind} {shape}. "
            "Export the network to the model contract"
        )
    return shape[2].get_length(), shape[1].get_length()


def _check_outputs(path: Path, task: Task, network: Any) -> dict[str, Any]:
    shapes = {port.get_any_name(): port.get_partial_shape() for port in network.outputs}
    for name, rank in _OUTPUTS[task].items():
        if name not in shapes:
            raise ModelError(
                f"{path}: a {CALLED[task]} has the outputs {', '.join(_OUTPUTS[task])}; "
                f"{name!r} is missing among {', '.join(shapes) or 'none'}"
            )
        if shapes[name].rank.is_dynamic or len(shapes[name]) != rank:
            raise ModelError(f"{path}: output {name!r} must have {rank} axes; it is {shapes[name]}")
    boxes = shapes.get("boxes")
    if boxes is not None and not (boxes[2].is_static and boxes[2].get_length() == 4):
        raise ModelError(f"{path}: output 'boxes' must be [N,K,4]; it is {boxes}")
    return shapes


def _check_labels(path: Path, task: Task, network: Any, shapes: dict[str, Any]) -> tuple[str, ...]:
    text = _metadata(network, "labels")
    try:
        labels = tuple(json.loads(text or ""))
    except (json.JSONDecodeError, TypeError, RecursionError):
        labels = ()
    if labels != _LABELS[task]:
        raise ModelError(
            f"{path}: the metadata 'labels' of a {CALLED[task]} must be the JSON list "
            f"{json.dumps(_LABELS[task])}; it is {text!r}"
        )
    last = "probabilities" if task == "classifier" else "scores"
    for name, wanted in ((last, len(labels)), ("wears", len(CATEGORIES))):
        if name in shapes:
            axis = shapes[name][-1]
            if axis.is_dynamic or axis.get_length() != wanted:
                raise ModelError(
                    f"{path}: the last axis of {name!r} must be {wanted}, one per label; "
                    f"the output is {shapes[name]}"
                )
    return labels


def _metadata(network: Any, key: str) -> str | None:
    if not network.has_rt_info(["framework", key]):
        return None
    return str(network.get_rt_info(["framework", key]).value)
