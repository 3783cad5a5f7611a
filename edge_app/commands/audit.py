"""``dresscode audit verify``: whether the log of what was done from outside is whole."""

from __future__ import annotations

from pathlib import Path

from edge_app.delivery.audit import verify
from edge_app.errors import DresscodeError


def verify_audit(path: Path) -> str:
    """Check an audit log from its first line to its last.

    Args:
        path: the log, or the ``state_dir`` that it lies in.

    Returns:
        What was found, with the hash of the newest line to be compared later.

    Raises:
        DresscodeError: there is no log, or its chain is broken.
    """
    file = path / "audit.jsonl" if path.is_dir() else path
    if not file.exists():
        raise DresscodeError(f"{file}: expected an audit log, got no such file")
    verdict = verify(file)
    if verdict.problem is not None:
        raise DresscodeError(f"{verdict.problem}; sound entries before it: {verdict.entries}")
    return f"{file}: good. Entries: {verdict.entries}, head {verdict.head}"
