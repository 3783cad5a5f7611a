"""``dresscode schema``: JSON Schemas of the messages, as shipped, and of the configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from edge_app.config.schema import Config
from edge_app.errors import DresscodeError

FOLDER: Final = Path(__file__).parents[1] / "delivery" / "schemas"


def schema_names() -> list[str]:
    """The documents there are: a schema per kind of message, ``asyncapi``, and ``config``.

    >>> {"alert", "asyncapi", "config"} <= set(schema_names())
    True
    """
    return sorted(["config", *(file.stem for file in FOLDER.glob("*.json"))])


def schema_text(name: str) -> str:
    """One of the documents.

    Raises:
        DresscodeError: there is none of that name.
    """
    if name not in schema_names():
        raise DresscodeError(f"expected one of {', '.join(schema_names())}, got {name}")
    if name == "config":
        # For editors that check YAML.
        described = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        return json.dumps(described | Config.model_json_schema(), indent=2) + "\n"
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")
