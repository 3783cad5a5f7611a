"""The rules for Prometheus: each fires for what it is about, of metrics that a box has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.edge_app.runtime.test_endpoint import filled_page

UNPACKED = Path("build/prometheus/usr/bin/promtool").resolve()
"""Where `make test` puts it."""

PROMTOOL = shutil.which("promtool") or shutil.which(UNPACKED)

pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool: not installed")


TRIED = ("rules.test.yml", "rules_of_days.test.yml")


def promtool(*arguments: str, given: bytes | None = None) -> str:
    done = subprocess.run(
        [PROMTOOL or "", *arguments], input=given, capture_output=True, timeout=60
    )
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, told
    return told


def test_each_rule_fires_for_its_own_trouble_alone(root: Path) -> None:
    promtool("test", "rules", *(str(root / "tests" / "deploy" / file) for file in TRIED))


def test_every_rule_is_tried(root: Path) -> None:
    rules = yaml.safe_load((root / "deploy" / "prometheus" / "rules.yml").read_text())
    tried = "".join((root / "tests" / "deploy" / file).read_text() for file in TRIED)
    names = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    assert {*names} == {*re.findall(r'alertname="(\w+)"', tried)}


def test_rules_and_their_tests_ask_for_metrics_that_a_box_has(root: Path) -> None:
    told = filled_page()
    for file in ("deploy/prometheus/rules.yml", *(f"tests/deploy/{name}" for name in TRIED)):
        text = (root / file).read_text()
        assert {*re.findall(r"dresscode_[a-z_]+", text)} <= {
            *re.findall(r"dresscode_[a-z_]+", told)
        }
        for labels in re.findall(r"dresscode_[a-z_]+\{([^}]*)\}", text):
            named = {*re.findall(r"(\w+)=", labels)} - {"store", "node"}
            assert named <= {*re.findall(r'(\w+)="', told)}


def test_prometheus_has_nothing_to_say_against_the_metrics() -> None:
    assert promtool("check", "metrics", given=filled_page().encode()) == ""


def test_the_box_is_asked_and_tells_which_it_is(root: Path) -> None:
    file = root / "deploy" / "prometheus" / "box.yml"
    promtool("check", "config", "--syntax-only", str(file))
    settings = yaml.safe_load(file.read_text())
    assert {*settings["global"]["external_labels"]} == {"store", "node"}
    assert settings["scrape_configs"][0]["job_name"] == "dresscode"
