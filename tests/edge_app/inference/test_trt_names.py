"""Every name of TensorRT in the code exists in 10.3 (JetPack 6), 10.13 (JetPack 7) and 11.4."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.edge_app.inference import fake_tensorrt

HERE = Path(__file__).parent
SOURCES = sorted((HERE.parents[2] / "edge_app" / "inference").glob("trt_*.py"))
VERSIONS = ["10.3", "10.13", "11.4"]

CLASS_OF = {
    "builder": "Builder",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "config": "IBuilderConfig",
    "profile": "IOptimizationProfile",
    "cache": "ITimingCache",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "context": "IExecutionContext",
}
"""What the variables of these names hold, in all of the code."""

NOT_LISTED = {"__name__", "__version__"}


def dotted(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [*dotted(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else ["?"]


def used_names(source: str) -> set[str]:
    """Names below ``trt``, and names of TensorRT's objects as ``Class.name``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute):
            continue
        path = [part.lstrip("_") if part != "__init__" else part for part in dotted(node)]
        path = path[1:] if path[0] == "self" else path
        if path[0] == "trt" and len(path) > 1 and path[1] not in ("name__", "version__"):
            found.add(".".join(path[1:]))
        elif len(path) == 2 and path[0] in CLASS_OF:
            found.add(f"{CLASS_OF[path[0]]}.{path[1]}")
    return found - NOT_LISTED


def known(version: str) -> set[str]:
    return set((HERE / "tensorrt_names" / f"{version}.txt").read_text().split())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_name_exists(path: Path, version: str) -> None:
    assert used_names(path.read_text()) - known(version) == set()


def test_the_names_are_found_at_all() -> None:
    found = set.union(*(used_names(path.read_text()) for path in SOURCES))
    assert {
        "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
        "IExecutionContext.execute_async_v3",
        "IExecutionContext.set_tensor_address",
        "Runtime.deserialize_cuda_engine",
        "IBuilderConfig.set_timing_cache",
    } <= found
    assert len(found) > 30


@pytest.mark.parametrize(
    "source",
    ["trt.BuilderFlag.FP16", "trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH",
     "self._context.execute_async_v2(1)", "config.int8_calibrator", "engine.device_memory_size"],
)  # fmt: skip
def test_names_that_a_version_lacks_are_noticed(source: str) -> None:
    assert any(used_names(source) - known(version) for version in VERSIONS)


def test_the_fake_has_no_name_that_the_real_one_lacks() -> None:
    classes = {"_Config": "IBuilderConfig", "_Engine": "ICudaEngine", "_Context":
               "IExecutionContext", "_Profile": "IOptimizationProfile", "Builder": "Builder",
               "Runtime": "Runtime", "OnnxParser": "OnnxParser", "ParserError": "ParserError",
               "_TimingCache": "ITimingCache"}  # fmt: skip
    for ours, theirs in classes.items():
        methods = {n for n, m in vars(getattr(fake_tensorrt, ours)).items() if callable(m)}
        for version in VERSIONS:
            names = {f"{theirs}.{n}" for n in methods if not n.startswith("_")}
            assert names - known(version) == set()
