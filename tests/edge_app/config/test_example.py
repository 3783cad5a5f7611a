"""The commented example: it loads, shows every key of the schema, and tells the true defaults."""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from edge_app.config.load import load, loads
from edge_app.config.schema import Config
from edge_app.config.yaml_tree import read_tree

EXAMPLE = Path(__file__).resolve().parents[3] / "systemd" / "store.example.yaml"


def with_every_option() -> str:
    """The example with the options that are commented out."""
    return re.sub(r"(?m)^( *)# ?((?: {2})?[a-z_]+:(?: .*)?)$", r"\1\2", EXAMPLE.read_text())


def keys_of_schema(annotation: Any, path: str = "") -> set[str]:
    """Every key that the schema allows; `*` stands for an id."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return {key for arm in inner for key in keys_of_schema(arm, path)}
    if origin is dict:
        return keys_of_schema(inner[1], f"{path}.*")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found = set()
        for name, field in annotation.model_fields.items():
            found |= {f"{path}.{name}", *keys_of_schema(field.annotation, f"{path}.{name}")}
        return found
    return set()


def keys_of_text(text: str) -> set[str]:
    found = set()
    for path in read_tree(text).lines:
        parts = [part for part in path if isinstance(part, str)]
        for i, part in enumerate(parts[:-1]):
            if part in ("cameras", "alerts", "zones"):
                parts[i + 1] = "*"
        found.add("".join(f".{part}" for part in parts))
    return found


def test_the_example_loads() -> None:
    assert load(EXAMPLE).cameras["door"].zones.keys() == {"entrance", "fitting-rooms"}


def test_the_example_shows_every_key() -> None:
    loads(with_every_option())
    expected = {key for key in keys_of_schema(Config) if not key.startswith(".headquarters.")}
    assert expected - keys_of_text(with_every_option()) == set()


def sections_with_defaults() -> list[str]:
    return [n for n, f in Config.model_fields.items() if isinstance(f.default, BaseModel)]


@pytest.mark.parametrize("section", sections_with_defaults())
def test_the_example_tells_the_true_defaults(section: str) -> None:
    assert getattr(load(EXAMPLE), section) == Config.model_fields[section].default


def test_values_marked_as_default_are_the_defaults() -> None:
    config = load(EXAMPLE)
    parts: list[tuple[BaseModel, set[str]]] = [
        (config, {"business_day_start", "language", "state_dir"}),
        (config.mqtt, {"allow_insecure", "protocol", "keepalive_s", "connect_timeout_s", "stall_s",
                       "reconnect_max_s"}),
        (config.cameras["door"], {"fps"}),
        (config.cameras["door"].zones["entrance"], {"hysteresis", "hold_s", "uturn_s"}),
        (config.alerts["formalwear"], {"direction", "min_probability", "cooldown_s", "group_s",
                                       "max_per_hour", "expires_s"}),
    ]  # fmt: skip
    for part, keys in parts:
        for key in keys:
            assert getattr(part, key) == type(part).model_fields[key].default, key
