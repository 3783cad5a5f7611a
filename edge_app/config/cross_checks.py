"""What one section of the configuration must know of another, checked on the plain values.

On plain values and not on the finished tree, so that one run lists these problems together with
every other one. Shapes are the schema's business: whatever has the wrong one is passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_app.config.advice import did_you_mean
from edge_app.config.denied import denied
from edge_app.config.sources import no_credentials, source_problem
from edge_app.config.yaml_tree import KeyPath, Problem
from edge_app.flow import ALL


def cross_problems(tree: Any, folder: Path) -> list[Problem]:
    """Problems between sections: zones, rules, sources and their passwords.

    Args:
        tree: plain values as they were written.
        folder: what files named in them are relative to.
    """
    if not isinstance(tree, dict):
        return []
    zones: dict[str, str] = {}
    problems: list[Problem] = []
    for camera_id, camera in _section(tree, "cameras").items():
        if isinstance(camera, dict):
            problems += _source_problems(("cameras", camera_id), camera, folder)
            problems += _zone_problems(camera_id, camera, zones)
    problems += _rule_problems(tree, zones)
    problems += _zone_name_problems(("staff", "zones"), _section(tree, "staff").get("zones"), zones)
    for name in ("mqtt", "headquarters"):
        url = _section(tree, name).get("url")
        if isinstance(url, str) and "@" in url:
            problems.append(((name, "url"), no_credentials("url")))
    return problems


def _zone_problems(
    camera_id: str, camera: dict[str, Any], zones: dict[str, str]
) -> Iterator[Problem]:
    for zone_id in _section(camera, "zones"):
        path: KeyPath = ("cameras", camera_id, "zones", zone_id)
        if zone_id == ALL:
            yield path, "'all' is reserved for the sum of all zones; choose another id"
        elif zone_id in zones:
            yield path, f"camera {zones[zone_id]!r} has a zone of this id too; rename one of them"
        else:
            zones[zone_id] = camera_id


def _rule_problems(tree: dict[str, Any], zones: dict[str, str]) -> Iterator[Problem]:
    for rule_id, rule in _section(tree, "alerts").items():
        yield from _denied_problems(rule_id, rule)
        named = rule.get("zones") if isinstance(rule, dict) else None
        yield from _zone_name_problems(("alerts", rule_id, "zones"), named, zones)


def _zone_name_problems(path: KeyPath, named: Any, zones: dict[str, str]) -> Iterator[Problem]:
    for i, zone_id in enumerate(named if isinstance(named, list) else []):
        if zone_id == ALL:
            yield (*path, i), "'all' is not a zone; name each, or leave zones out"
        elif isinstance(zone_id, str) and zone_id not in zones:
            known = ", ".join(zones) or "none, no camera has zones"
            advice = did_you_mean(zone_id, zones) or f"zones are: {known}"
            yield (*path, i), f"expected the id of a zone of a camera, got {zone_id!r}; {advice}"


def _denied_problems(rule_id: str, rule: Any) -> Iterator[Problem]:
    """Names that describe who somebody is rather than what they wear."""
    labels: list[tuple[KeyPath, Any]] = [(("alerts", rule_id), rule_id)]
    for key in ("any_of", "all_of"):
        garments = rule.get(key) if isinstance(rule, dict) else None
        for i, label in enumerate(garments if isinstance(garments, list) else []):
            labels.append((("alerts", rule_id, key, i), label))
    for path, label in labels:
        what = denied(label) if isinstance(label, str) else None
        if what is not None:
            yield (
                path,
                f"{label!r} describes {what}, which Dresscode refuses to look for or to name; "
                "rules speak of clothes only",
            )


def _source_problems(path: KeyPath, camera: dict[str, Any], folder: Path) -> Iterator[Problem]:
    source = camera.get("source")
    if isinstance(source, str):
        said = source_problem(source, folder)
        if said is not None:
            yield (*path, "source"), said
    elif isinstance(source, int) and source < 0:
        yield (*path, "source"), f"expected a device number of at least 0, got {source}"
    if camera.get("password_file") is not None and camera.get("username") is None:
        yield (*path, "password_file"), "a password_file needs a username beside it; add username:"


def _section(tree: dict[str, Any], key: str) -> dict[str, Any]:
    section = tree.get(key)
    return section if isinstance(section, dict) else {}
