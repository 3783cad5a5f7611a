"""From a YAML file to a checked :class:`Config`, or every problem of the file at once."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edge_app.config.credentials import is_out_of_sight, whole_name
from edge_app.config.cross_checks import cross_problems
from edge_app.config.explain import explain, show
from edge_app.config.schema import Config
from edge_app.config.secrets import read_password, redact
from edge_app.config.yaml_tree import KeyPath, Problem, YamlSyntaxError, dotted, read_tree
from edge_app.errors import ConfigError

_FILE_KEYS = frozenset(
    {"password_file", "ca_file", "certificate_file", "key_file", "models", "engines", "state_dir",
     "uniform"}
)  # fmt: skip


def load(path: Path) -> Config:
    """Read a configuration; files that it names are relative to its own folder.

    Raises:
        ConfigError: with all problems, a line each:
            ``store.yaml:12: cameras.door.fps: expected more than 0, got -1``.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(
            [f"{path}: expected a configuration file, got: {reason}; check the path"]
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            [f"{path}:{line}: expected UTF-8 text, got other bytes; save the file as UTF-8"]
        ) from error
    return loads(text, str(path), path.parent)


def loads(text: str, name: str = "store.yaml", folder: Path | None = None) -> Config:
    """Like :func:`load`, from a text.

    Args:
        text: the YAML.
        name: what problems call the file.
        folder: what files named in the text are relative to; None for the current folder.

    Raises:
        ConfigError: as :func:`load`.
    """
    try:
        tree = read_tree(text)
    except YamlSyntaxError as error:
        raise ConfigError([f"{name}:{error.line}:{error.column}: not YAML: {error}"]) from error
    if tree.value is None and not tree.problems:
        raise ConfigError(
            [
                f"{name}:1: expected a configuration, got an empty file; "
                "begin with systemd/store.example.yaml"
            ]
        )
    bad_paths: list[Problem] = []
    folder = folder or Path.cwd()
    whole = _with_whole_paths(tree.value, folder, (), bad_paths)
    problems = [*tree.problems, *cross_problems(tree.value, folder), *bad_paths]
    config: Config | None = None
    try:
        config = Config.model_validate(whole)
    except ValidationError as error:
        known = {path for path, _ in problems}
        problems += [(path, said) for path, said in explain(error, tree.value) if path not in known]
    if config is not None and not bad_paths:
        problems += _changeable_models(config)
    if config is None or problems:
        ordered = sorted((tree.line(path), i) for i, (path, _) in enumerate(problems))
        raise ConfigError([_line(name, line, *problems[i]) for line, i in ordered])
    return config


def _changeable_models(config: Config) -> list[Problem]:
    """Models are programs: whoever broke into the service must not be able to leave others."""
    models = config.inference.models
    for folder in (config.state_dir, config.inference.engines):
        if models is not None and models.resolve().is_relative_to(folder.resolve()):
            said = f"the service can write to {folder}; put the models where only root can"
            return [(("inference", "models"), said)]
    return []


def file_problems(config: Config) -> list[str]:
    """What is wrong with the files that a configuration names, a line each; for ``check``."""
    brokers = [("mqtt", config.mqtt), ("headquarters", config.headquarters)]
    problems = []
    for name, broker in brokers:
        for key in ("ca_file", "certificate_file", "key_file"):
            file = getattr(broker, key, None)
            if file is not None and not is_out_of_sight(file):
                problems += file_problem(f"{name}.{key}", file, "a file")
        if broker is not None and broker.password_file is not None:
            problems += _password_problems(f"{name}.password_file", broker.password_file)
    for camera_id, camera in config.cameras.items():
        if camera.password_file is not None:
            key = f"cameras.{camera_id}.password_file"
            problems += _password_problems(key, camera.password_file)
    folders = {"inference.models": config.inference.models, "staff.uniform": config.staff.uniform}
    for key, folder in folders.items():
        if folder is not None:
            problems += file_problem(key, folder, "a folder")
    return problems


def file_problem(key: str, path: Path, expected: str) -> list[str]:
    """What is wrong with one of the files that a configuration names, in a line; or nothing.

    Args:
        key: that names it.
        path: where it should be.
        expected: ``a file``, ``a folder`` or ``a file or a folder``.
    """
    try:
        got = "a folder" if path.is_dir() else "a file" if path.exists() else "nothing"
    except OSError as error:
        got = f"{error.strerror or type(error).__name__}, for this user,"
    return [] if got in expected else [f"{key}: expected {expected}, got {got} at {path}"]


def _password_problems(key: str, path: Path) -> list[str]:
    if is_out_of_sight(path):
        return []
    try:
        read_password(path)
    except ConfigError as error:
        return [f"{key}: {problem}" for problem in error.problems]
    return []


def _line(name: str, line: int, path: KeyPath, said: str) -> str:
    key = dotted(path)
    text = redact(f"{name}:{line}: {key}: {said}" if key else f"{name}:{line}: {said}")
    # Keys are shown as they were written, whatever was written.
    return "".join(c if c.isprintable() else " " for c in text)


def _with_whole_paths(value: Any, folder: Path, path: KeyPath, problems: list[Problem]) -> Any:
    """The tree with every file and folder name made whole; a source may be something else."""
    if isinstance(value, dict):
        return {
            name: _with_whole_paths(child, folder, (*path, name), problems)
            for name, child in value.items()
        }
    key = path[-1] if path else ""
    if not isinstance(value, str) or not value:
        return value
    if key == "source" and value.isdecimal() and len(value) < 5:
        return int(value)
    if key in _FILE_KEYS or (key == "source" and "://" not in value and not value.isdecimal()):
        reason = None
        try:
            whole = folder / Path(whole_name(value)).expanduser()
            whole.stat()
        except RuntimeError:
            reason = "no home folder of that user is known"
        except OSError as error:
            # Any other may be the machine's that the file is not meant for.
            if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                reason = error.strerror
        if reason is None:
            return str(whole)
        said = f"expected the path of a file, got {show(value)}: {reason}; write another path"
        problems.append((path, said))
    return value
