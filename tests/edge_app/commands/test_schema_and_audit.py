"""What `dresscode schema` and `dresscode audit verify` print."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_app.cli import cli
from edge_app.delivery.audit import Audit
from edge_app.delivery.contract import PAYLOADS

NOW_S = 1_795_230_245.0


def test_schema_names_every_kind_of_message() -> None:
    shown = CliRunner().invoke(cli, ["schema"])
    assert shown.exit_code == 0
    assert set(shown.output.split()) >= {*PAYLOADS, "asyncapi"}


@pytest.mark.parametrize("name", [*PAYLOADS, "asyncapi", "config"])
def test_schema_prints_one(name: str) -> None:
    shown = CliRunner().invoke(cli, ["schema", name])
    assert json.loads(shown.output)
    assert shown.output.endswith("}\n")


def dresscode(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_app", *arguments], capture_output=True, text=True, check=False
    )


def test_schema_refuses_what_is_not_there() -> None:
    done = dresscode("schema", "../../config")
    assert done.returncode == 1
    assert "expected one of agg, alert" in done.stderr


def test_a_whole_audit_log_is_good_and_its_head_is_shown(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    audit.note("command pause", {"user": "anna"}, NOW_S)
    audit.note("done pause", {}, NOW_S)
    shown = CliRunner().invoke(cli, ["audit", "verify", str(tmp_path)])
    assert shown.exit_code == 0
    last = json.loads((tmp_path / "audit.jsonl").read_text().splitlines()[-1])
    assert f"Entries: 2, head {last['hash']}" in shown.output


def test_a_changed_line_is_an_error_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    audit = Audit(file)
    for user in ("anna", "ben", "eve"):
        audit.note("command pause", {"user": user}, NOW_S)
    file.write_text(file.read_text().replace("ben", "eve"))
    done = dresscode("audit", "verify", str(file))
    assert done.returncode == 1
    assert f"{file}:2: the line was changed; sound entries before it: 1\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_log_is_an_error(tmp_path: Path) -> None:
    done = dresscode("audit", "verify", str(tmp_path))
    assert done.returncode == 1
    assert "expected an audit log" in done.stderr
