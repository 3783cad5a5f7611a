"""What the unit's sandbox keeps from the service, told before it runs.

Its user is made up at every start (``DynamicUser=``): it reads what everybody may read, and the
secrets that systemd hands over; it keeps its state where systemd gives it a folder
(``StateDirectory=``), and writes nowhere else (``ProtectSystem=strict``).
"""

from __future__ import annotations

import os
from pathlib import Path

from edge_app.config.credentials import WRITTEN

HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108
"""What ``ProtectHome=`` and ``PrivateTmp=`` hide from the service."""

_STATE = (Path("/var/lib/dresscode"), Path("/var/lib/private/dresscode"))


def is_for_unit(booted: Path = Path("/run/systemd/system")) -> bool:
    """Whether somebody asks for the service of a unit: root, where systemd runs the machine.

    Args:
        booted: is there if it does (sd_booted(3)); not in most containers.
    """
    return os.geteuid() == 0 and booted.is_dir()


def unreadable(path: Path, root: Path = Path("/")) -> str | None:
    """Why the service cannot read a file that is there; None where nothing speaks against it.

    Args:
        path: of the file.
        root: of the system that it is part of; folders above say nothing.
    """
    top = root.resolve()
    whole = path.resolve()
    parts = [part for part in (whole, *whole.parents) if top in part.parents]
    if any(Path("/") / part.relative_to(top) in HIDDEN for part in parts):
        return f"{path} is hidden from the service (ProtectHome=, PrivateTmp=)"
    if any(_is_for_root_alone(part, 0o1 if part.is_dir() else 0o4) for part in parts):
        return f"{path} can be read by root only, and the service is not root"
    return None


def _is_for_root_alone(path: Path, right: int) -> bool:
    """Root owns it, and neither others nor another group than root's have a right to it."""
    status = path.stat()
    wanted = right | (right << 3 if status.st_gid else 0)
    return status.st_uid == 0 and not status.st_mode & wanted


def unwritable(state_dir: Path) -> str | None:
    """Why the service could keep nothing in a state folder, and what to do; None where it can."""
    whole = Path(os.path.normpath(state_dir))
    if any(whole.is_relative_to(folder) for folder in _STATE):
        return None
    return (
        f"the service can write below {_STATE[0]} only, and would keep all counts in memory; leave "
        f"state_dir out, and to have them on another disk mount that at {_STATE[1]}"
    )


def hand_over(path: Path) -> str:
    """How a secret of root's gets to the service."""
    return f"write {WRITTEN}/{path.name} in store.yaml, for /etc/dresscode/{path.name}"
