"""Files that are there as a whole, as they were, or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file whole or not at all, even if the power fails; no draft stays behind.

    Args:
        path: of the file; its folder is there.
        content: of the file.
        mode: its permissions, from before anything is in it; None for what the umask leaves.

    Raises:
        OSError: it cannot be written; a file that was there is as before.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.touch(mode=0o666 if mode is None else mode & 0o600)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            part.chmod(mode)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
