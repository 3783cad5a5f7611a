"""``dresscode check``: is this configuration fit to run?"""

from __future__ import annotations

from pathlib import Path

from edge_app.capture.simulated import SimulatedEntrance
from edge_app.capture.source import source_kind
from edge_app.config.doubts import doubts
from edge_app.config.load import file_problem, file_problems, load
from edge_app.config.schema import Config
from edge_app.config.yaml_tree import read_tree
from edge_app.errors import ConfigError, SourceError


def check(path: Path) -> tuple[Config, list[str]]:
    """Read a configuration and look at everything that it names.

    Returns:
        The configuration, and what is to be thought over: what is missing on this machine, as the
        file may be meant for another, and what is allowed but hardly meant.

    Raises:
        ConfigError: the file is wrong; with all problems, a line each.
    """
    config = load(path)
    lines = read_tree(path.read_text(encoding="utf-8"))
    missing = file_problems(config)
    problems = []
    for name, camera in config.cameras.items():
        key = f"cameras.{name}.source"
        line = lines.line(("cameras", name, "source"))
        try:
            kind = source_kind(camera.source)
            if kind == "simulated":
                SimulatedEntrance.from_url(str(camera.source))
        except SourceError as error:
            problems.append(f"{path}:{line}: {key}: {error}")
            continue
        if kind == "recording":
            missing += file_problem(key, Path(str(camera.source)), "a file or a folder")
    if problems:
        raise ConfigError(problems)
    return config, [
        *(f"not on this machine: {words}" for words in missing),
        *(f"not likely meant: {words}" for words in doubts(config)),
    ]
