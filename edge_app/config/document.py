"""The configuration's JSON Schema, for editors that check YAML while it is written."""

from __future__ import annotations

import json

from edge_app.config.schema import Config


def config_schema() -> str:
    """The schema as text; ``dresscode schema config`` prints it."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(described | Config.model_json_schema(), indent=2) + "\n"
