"""The four rings of DESIGN: every import, also those inside functions, points inwards."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VALUES = {"flow", "geometry", "errors", "ports", "vocabulary", "suppression", "whole_file"}
SERVICES = {"config", "inference"}
STAGES = {"capture", "detection", "tracking", "outfit", "events", "delivery", "runtime"}

NEVER_IN_THE_STORE = {"torch", "torchvision", "model_build", "calibration", "matplotlib"}
ONLY_IN = {
    "paho": {"edge_app/delivery/mqtt.py"},
    "amqtt": {"edge_app/delivery/broker.py"},
    "tensorrt": {"edge_app/inference/trt_engine.py", "edge_app/inference/cuda.py"},
    "tensorrt_rtx": {"edge_app/inference/trt_engine.py", "edge_app/inference/cuda.py"},
    "pycuda": {"edge_app/inference/trt_engine.py", "edge_app/inference/cuda.py"},
    "openvino": {"edge_app/inference/silent_openvino.py"},
}


def imported(source: str) -> Iterator[str]:
    """Whole names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from edge_app import flow` imports edge_app.flow.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def ring(part: str) -> int:
    if part in VALUES:
        return 0
    if part in SERVICES:
        return 1
    return 2 if part in STAGES else 3


def wrong_imports(path: str, source: str) -> list[str]:
    """What is wrong with the imports of a module of edge_app, at ``path`` below the checkout."""
    own = path.removeprefix("edge_app/").split("/")[0].removesuffix(".py")
    wrong = []
    for name in imported(source):
        package, *rest = name.split(".")
        if package in NEVER_IN_THE_STORE:
            wrong.append(f"{path} imports {name}: edge_app runs without {package}")
        if package in ONLY_IN and path not in ONLY_IN[package]:
            wrong.append(f"{path} imports {name}: only {sorted(ONLY_IN[package])} may")
        # The package itself holds nothing but its version.
        if package == "edge_app" and rest and rest[0] != "__version__" and rest[0] != own:
            if ring(rest[0]) > ring(own):
                wrong.append(f"{path} imports {name}: outwards")
            elif ring(rest[0]) == ring(own) == 2:
                wrong.append(f"{path} imports {name}: one stage imports another")
    return wrong


def modules() -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for p in (ROOT / "edge_app").rglob("*.py"))


@pytest.mark.parametrize("path", modules())
def test_imports_point_inwards(path: str) -> None:
    assert wrong_imports(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        pytest.param("edge_app/flow.py", "import edge_app.config.schema", id="value-service"),
        pytest.param("edge_app/config/load.py", "from edge_app import capture", id="service-stage"),
        pytest.param("edge_app/events/a.py", "from edge_app.outfit.vote import V", id="stages"),
        pytest.param("edge_app/runtime/a.py", "from edge_app.app import A", id="stage-wiring"),
        pytest.param("edge_app/outfit/a.py", "def f():\n    import torch", id="lazy-torch"),
        pytest.param("edge_app/cli.py", "from model_build.data import ccp", id="model-build"),
        pytest.param("edge_app/app.py", "import paho.mqtt.client", id="paho"),
        pytest.param("edge_app/app.py", "import openvino", id="openvino"),
        pytest.param(
            "edge_app/inference/choose.py",
            "import importlib\nimportlib.import_module('tensorrt')",
            id="import-module",
        ),
    ],
)
def test_a_wrong_import_is_noticed(path: str, source: str) -> None:
    assert len(wrong_imports(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        pytest.param("edge_app/events/a.py", "from edge_app.flow import Entry", id="stage-value"),
        pytest.param("edge_app/events/a.py", "from edge_app.events.b import B", id="same-stage"),
        pytest.param("edge_app/app.py", "from edge_app import __version__", id="version"),
        pytest.param("edge_app/cli.py", "from edge_app.capture import source", id="wiring-stage"),
        pytest.param("edge_app/delivery/mqtt.py", "import paho.mqtt.client", id="paho-at-home"),
    ],
)
def test_a_right_import_is_not(path: str, source: str) -> None:
    assert wrong_imports(path, source) == []


@pytest.mark.parametrize("folder", ["calibration", "model_build", "tests"])
def test_openvino_is_silent_everywhere(folder: str) -> None:
    wrong = [
        path
        for path in (ROOT / folder).rglob("*.py")
        if any(name.split(".")[0] == "openvino" for name in imported(path.read_text()))
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["edge_app", "calibration", "model_build", "tests"])
def test_openvino_has_one_core(folder: str) -> None:
    makes = re.compile(r"\bov\.(Core|compile_model)\(")
    wrong = [p for p in (ROOT / folder).rglob("*.py") if makes.search(p.read_text())]
    assert wrong == [ROOT / "edge_app/inference/silent_openvino.py"] * (folder == "edge_app")


def test_every_folder_of_edge_app_is_in_a_ring() -> None:
    folders = {p.parent.name for p in (ROOT / "edge_app").glob("*/__init__.py")}
    assert folders <= VALUES | SERVICES | STAGES | {"box", "commands"}
