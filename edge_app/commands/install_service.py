"""``dresscode install-service``: the unit, its drop-ins and an example configuration, in place.

Everything is a list of steps first, so that ``--dry-run`` shows exactly what would be done. Nothing
that a person wrote is overwritten: an existing store.yaml stays, and uninstalling leaves it, with
the counters, behind. The secrets that store.yaml names are handed over by a drop-in.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_app.commands.sandbox import HIDDEN, hand_over, unreadable, unwritable
from edge_app.commands.systemd_devices import drop_in, find_devices
from edge_app.config.credentials import WRITTEN
from edge_app.config.yaml_tree import YamlSyntaxError, read_tree
from edge_app.errors import ServiceError
from edge_app.whole_file import write_whole

UNIT = "dresscode.service"
UNIT_FOLDER = Path("etc/systemd/system")
CONFIG_FOLDER = Path("etc/dresscode")
CHECKOUT = Path(__file__).resolve().parents[2] / "systemd"
SHIPPED = CHECKOUT if CHECKOUT.is_dir() else Path(sys.prefix) / "share" / "dresscode"
"""The unit and the example; a wheel has no checkout beside it and brings them along."""
DEVICES = "devices.conf"
CREDENTIALS = "credentials.conf"
_CREDENTIAL = re.compile(re.escape(WRITTEN) + r"/([A-Za-z0-9_-][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Step:
    """One thing to be done: a file to be written or removed, or a program to be run.

    Attributes:
        path: the file, or an empty folder to be removed; None for a program.
        text: what the file will hold; None to remove it.
        command: the program and its arguments.
        mode: permissions of the file.
    """

    path: Path | None = None
    text: str | None = None
    command: tuple[str, ...] = ()
    mode: int = 0o644

    def __str__(self) -> str:
        if self.path is None:
            return f"run    {shlex.join(self.command)}"
        return f"{'remove' if self.text is None else 'write '} {self.path}"


def installation(root: Path = Path("/"), program: Path | None = None) -> list[Step]:
    """What installing does.

    Args:
        root: of the system; another one is an image's, or a test's.
        program: the ``dresscode`` that the service runs; None for the one that is running now.

    Raises:
        ServiceError: store.yaml cannot be read, or wants its state where the service cannot write.
    """
    program = program or Path(sys.executable).parent / "dresscode"
    unit = (SHIPPED / UNIT).read_text(encoding="utf-8")
    unit = unit.replace("/opt/dresscode/bin/dresscode", str(program))
    folder = root / UNIT_FOLDER
    steps = [
        Step(folder / UNIT, unit),
        Step(folder / f"{UNIT}.d" / DEVICES, drop_in(find_devices(root / "dev"))),
    ]
    config = root / CONFIG_FOLDER / "store.yaml"
    handed_over = folder / f"{UNIT}.d" / CREDENTIALS
    texts = texts_of(config) if config.exists() else {}
    state_dir = texts.get("state_dir")
    if state_dir and (trouble := unwritable(Path("/") / CONFIG_FOLDER / state_dir)):
        raise ServiceError(f"{config}: state_dir: {state_dir}: {trouble}")
    names = credentials_in(texts)
    if names:
        steps.append(Step(handed_over, credentials_drop_in(names)))
    elif handed_over.exists():
        steps.append(Step(handed_over))
    if not config.exists():
        steps.append(Step(config, (SHIPPED / "store.example.yaml").read_text(encoding="utf-8")))
    if root == Path("/"):
        steps.append(Step(command=("systemctl", "daemon-reload")))
        steps.append(Step(command=("systemctl", "enable", UNIT)))
    return steps


def removal(root: Path = Path("/")) -> list[Step]:
    """What uninstalling does; the configuration and the counters stay."""
    folder = root / UNIT_FOLDER
    drop_ins = folder / f"{UNIT}.d"
    files = [folder / UNIT, *(drop_ins / name for name in (DEVICES, CREDENTIALS))]
    steps = [Step(path) for path in files if path.exists()]
    if drop_ins.is_dir() and set(drop_ins.iterdir()) <= set(files):
        steps.append(Step(drop_ins))
    if root == Path("/"):
        steps.insert(0, Step(command=("systemctl", "disable", "--now", UNIT)))
        steps.append(Step(command=("systemctl", "daemon-reload")))
    return steps


def texts_of(config: Path) -> dict[str, str]:
    """Every text in a configuration as it is written, by its key.

    Raises:
        ServiceError: the configuration cannot be read.
    """
    try:
        tree = read_tree(config.read_text(encoding="utf-8-sig")).value
    except (OSError, ValueError, YamlSyntaxError) as error:
        raise ServiceError(f"cannot read {config}; `dresscode check {config}` says why") from error
    return dict(_texts(tree, ""))


def _texts(tree: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, str):
        yield key.lstrip("."), tree
    elif isinstance(tree, dict):
        for name, child in tree.items():
            yield from _texts(child, f"{key}.{name}")


def credentials_in(texts: Mapping[str, str]) -> list[str]:
    """Names of the files that are to be handed over, written ``${CREDENTIALS_DIRECTORY}/name``."""
    return sorted(set(_CREDENTIAL.findall("\n".join(texts.values()))))


def secrets_by_path(texts: Mapping[str, str]) -> dict[str, Path]:
    """Files of secrets that the service is to read itself, by their keys."""
    return {
        key: Path("/") / CONFIG_FOLDER / text
        for key, text in texts.items()
        if key.endswith(("password_file", "key_file")) and not text.startswith(WRITTEN)
    }


def credentials_drop_in(names: list[str]) -> str:
    """Part of the unit that hands secrets of root's to the service."""
    lines = [f"LoadCredential={name}:/{CONFIG_FOLDER / name}" for name in names]
    about = f"# Written by `dresscode install-service` from what /{CONFIG_FOLDER}/store.yaml names."
    return "\n".join([about, "[Service]", *lines, ""])


def still_missing(root: Path = Path("/")) -> list[str]:
    """What the service lacks: secrets that nobody wrote, or that it is to read and cannot."""
    config = root / CONFIG_FOLDER / "store.yaml"
    texts = texts_of(config) if config.exists() else {}
    unwritten = [
        f"/{CONFIG_FOLDER / name} is not there: write the secret into it, and `chmod 600` it"
        for name in credentials_in(texts)
        if not (config.parent / name).exists()
    ]
    return unwritten + [
        f"{key}: {trouble}; {hand_over(path)}"
        for key, path in secrets_by_path(texts).items()
        # Path.exists raises where one may not look.
        if os.path.exists(here := root / path.relative_to("/"))  # noqa: PTH110
        and (trouble := unreadable(here, root))
    ]


def refuse_what_is_hidden(parts: Sequence[Path] = ()) -> None:
    """Look where a program lies: the unit's sandbox hides some folders from the service.

    Args:
        parts: the program, its Python, its packages; empty for those that run now.

    Raises:
        ServiceError: one of them lies in such a folder.
    """
    program = Path(sys.executable)
    for part in parts or (program, program.resolve(), Path(__file__).resolve()):
        if any(hidden in part.parents for hidden in HIDDEN):
            raise ServiceError(
                f"{part} is hidden from the service (ProtectHome=, PrivateTmp=); install into "
                "/opt/dresscode, with the system's Python: /usr/bin/python3 -m venv /opt/dresscode"
            )


def change_service(
    root: Path, is_dry_run: bool, is_removal: bool, say: Callable[[str], None]
) -> None:
    """Install the service or remove it, saying each step.

    Args:
        root: of the system, ``/`` or that of an image.
        is_dry_run: say what would be done, and do nothing.
        is_removal: remove it; configuration and counters stay.
        say: tells the person.

    Raises:
        ServiceError: the program lies where the service cannot see it, or a step failed; nothing
            after it was done.
    """
    if not is_removal and root == Path("/"):
        refuse_what_is_hidden()
    for step in removal(root) if is_removal else installation(root):
        say(str(step))
        if not is_dry_run:
            carry_out(step)
    if is_removal:
        return
    for words in still_missing(root):
        say(f"missing: {words}")
    if not is_dry_run:
        say(
            "done. Edit /etc/dresscode/store.yaml, ask `dresscode check` about it, then "
            "`systemctl restart dresscode`; after naming another secret there, "
            "`dresscode install-service` once more"
        )


def carry_out(step: Step) -> None:
    """Do one step.

    Raises:
        ServiceError: a file cannot be written, or a program failed.
    """
    try:
        if step.path is None:
            subprocess.run(step.command, check=True, capture_output=True, text=True)  # noqa: S603
        elif step.path.is_dir():
            step.path.rmdir()
        elif step.text is None:
            step.path.unlink(missing_ok=True)
        else:
            step.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(step.path, step.text.encode(), step.mode)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ServiceError(f"cannot {step}: {reason}; run it as root (sudo)") from error
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"{shlex.join(step.command)} failed: {error.stderr}") from error
