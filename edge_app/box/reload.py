"""Reading the configuration again: what changed, and whether it can be applied while running.

Rules, zones and masks can; a stream is never dropped for them. Everything else needs a restart, and
is refused as a whole: half of a configuration would be neither the old one nor the new one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_app.box.supervision import Supervision
from edge_app.config.load import load
from edge_app.config.schema import Config
from edge_app.errors import ConfigError

log = logging.getLogger(__name__)

APPLICABLE = re.compile(r"alerts(\.|$)|cameras\.[^.]+\.(zones|privacy_masks)(\.|$)")
"""Key paths that can be changed while running."""


def config_hash(config: Config) -> str:
    """SHA-256 of a configuration, hexadecimal; comments and the order of keys do not matter."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def changed_keys(before: Config, after: Config) -> list[str]:
    """Paths of the keys that differ, in the order of the schema."""
    return list(_changes(before.model_dump(mode="json"), after.model_dump(mode="json"), ""))


def read_again(path: Path, running: Config) -> Config:
    """The configuration file as it is now, if it can be applied to a running box.

    Raises:
        ConfigError: the file is wrong, or something changed that needs a restart.
    """
    config = load(path)
    fixed = [key for key in changed_keys(running, config) if not APPLICABLE.match(key)]
    if fixed:
        raise ConfigError(
            [f"{path}: {key}: changed, which needs a restart; nothing was applied" for key in fixed]
        )
    return config


def reload_for_manager(reload: Callable[[], str], supervision: Supervision) -> None:
    """A reload that nobody waits for but the service manager and the journal.

    Args:
        reload: applies the configuration and says what changed; raises ConfigError.
        supervision: tells the service manager.
    """
    supervision.reloading()
    problems: list[str] = []
    try:
        words = reload()
    except ConfigError as error:
        problems = error.problems
        words = f"refused: {problems[0]}"
    for problem in problems or [words]:
        log.log(logging.ERROR if problems else logging.INFO, "reload: %s", problem)
    supervision.reloaded(f"reload {words}")


def _changes(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            here = f"{path}.{key}" if path else str(key)
            yield from _changes(before.get(key), after.get(key), here)
    elif before != after:
        yield path
