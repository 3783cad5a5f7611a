"""The project's own files: they agree with each other and give nothing away."""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import edge_app

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("edge_app", "model_build", "calibration")
MAX_LINES = 320
MAX_FUNCTION_LINES = 60

# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a package registry": r"pypi" + r"\.org|pythonhosted" + r"\.org|download\.pytorch" + r"\.org",
    # The folder that this checkout lies in, whatever it is called, and anybody's home.
    "a path of one machine": rf"{re.escape(str(ROOT))}\b|{re.escape(str(ROOT.parent / 'shared'))}\b"
    + r"|/home/"
    + r"\w",
    "a private key": r"BEGIN [A-Z ]*PRIVATE " + r"KEY",
}


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("git: not a checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines, docstring left out, of each function of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            first = node.body[0]
            is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            text = (first.end_lineno or 0) - first.lineno + 1 if is_text else 0
            yield (
                f"{path.relative_to(ROOT)}: {node.name}",
                (node.end_lineno or 0) - node.lineno - text,
            )


def test_changelog_begins_with_the_version() -> None:
    headings = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == edge_app.__version__


def test_readme_names_the_commands_that_set_everything_up() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert {"make demo", "make test"} <= set(re.findall(r"make [a-z-]+", readme))
    assert set(re.findall(r"\bmake ([a-z-]+)`", readme)) <= set(targets)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", (ROOT / name).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_licence_files_are_there() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    notice = (ROOT / "NOTICE").read_text()
    assert all(name in notice for name in ("YOLOX", "EfficientNet", "Clothing Co-Parsing"))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tracked_files_do_not_name(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what].encode())
    found = [str(p.relative_to(ROOT)) for p in tracked_files() if pattern.search(p.read_bytes())]
    assert found == []


def test_base_install_needs_neither_torch_nor_a_gpu() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    words = re.findall(r"^[\w.-]+", setup["options"]["install_requires"], re.M)
    assert "numpy" in words
    assert not {"torch", "pycuda", "tensorrt", "amqtt", "onnx", "matplotlib"} & set(words)


def test_modules_are_small() -> None:
    sizes = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in modules()}
    assert len(sizes) > 20
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}


def test_functions_are_short() -> None:
    lengths = dict(pair for path in modules() for pair in functions(path))
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_continuous_integration_calls_what_contributors_call() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert {"make check", "make test"} <= set(script.read_text().splitlines())
