"""Files that systemd hands to the service alone, written ``${CREDENTIALS_DIRECTORY}/name``.

With ``LoadCredential=name:/etc/dresscode/name`` systemd reads a file as root, shows a copy to the
service and to nobody else, and names the folder in the environment; see systemd.exec(5).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

WRITTEN: Final = "${CREDENTIALS_DIRECTORY}"
OF_THE_UNIT: Final = "/run/credentials/dresscode.service"
"""Where systemd puts them for the shipped unit; there only while it runs."""


def whole_name(name: str) -> str:
    """A file's name as written in the configuration, with the folder of the credentials filled in.

    >>> whole_name("mqtt-password")
    'mqtt-password'
    """
    folder, slash, rest = name.partition("/")
    if folder != WRITTEN:
        return name
    return os.environ.get("CREDENTIALS_DIRECTORY", OF_THE_UNIT) + slash + rest


def is_out_of_sight(path: Path) -> bool:
    """Only the running service could look for this file: nothing can be said about it here."""
    return "CREDENTIALS_DIRECTORY" not in os.environ and Path(OF_THE_UNIT) in path.parents
