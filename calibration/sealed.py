"""Calibration pictures in a file: encrypted, and worthless after a date.

No picture leaves the box, and none lies about on its disk. Where calibration has to happen on
another machine, the chosen pictures can be carried in a file that only its key opens, until it
expires. Needs the optional package ``cryptography`` (Fernet: AES-128-CBC and HMAC-SHA256, with
the date under the signature).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.errors import SourceError
from edge_app.flow import UInt8
from edge_app.whole_file import write_whole

DAY_S = 86_400.0
_EXPIRY = "expires_at_s"


def new_key() -> str:
    """A fresh key, to be kept apart from the file."""
    return str(_fernet().generate_key().decode())


def seal(
    pictures: Sequence[UInt8], key: str, path: Path, now_s: float, max_age_days: float = 14.0
) -> None:
    """Encrypt pictures into a file, readable for its owner only.

    Args:
        pictures: uint8 ``[h, w, 3]`` each.
        key: of :func:`new_key`.
        path: written whole or not at all.
        now_s: Unix time of sealing.
        max_age_days: after which nobody may open it.
    """
    packed = io.BytesIO()
    named: dict[str, Any] = {f"{i:06d}": picture for i, picture in enumerate(pictures)}
    named[_EXPIRY] = np.float64(now_s + max_age_days * DAY_S)
    np.savez_compressed(packed, **named)
    token = _fernet()(_checked(key)).encrypt(packed.getvalue())
    write_whole(path, token, mode=0o600)


def unseal(path: Path, key: str, now_s: float) -> list[UInt8]:
    """The pictures of a sealed file; one that has expired is deleted.

    Raises:
        SourceError: it is missing, has expired, or the key is not its key.
    """
    try:
        token = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    fernet = _fernet()(_checked(key))
    try:
        packed = fernet.decrypt(token)
    except _invalid_token() as error:
        raise SourceError(f"{path}: is damaged, or was sealed with another key") from error
    with np.load(io.BytesIO(packed), allow_pickle=False) as table:
        if now_s > float(table[_EXPIRY]):
            path.unlink()
            raise SourceError(f"{path}: has expired, and is deleted now; choose frames anew")
        return [table[name] for name in sorted(table.files) if name != _EXPIRY]


def _checked(key: str) -> bytes:
    try:
        _fernet()(key.strip().encode())
    except ValueError as error:
        raise SourceError(
            "the key is none of this tool; name a --key-file that is not there yet to make one"
        ) from error
    return key.strip().encode()


def _fernet() -> Any:
    try:
        from cryptography.fernet import Fernet
    except ImportError as error:
        raise SourceError(
            "sealed files need the package cryptography: pip install 'dresscode[int8]'"
        ) from error
    return Fernet


def _invalid_token() -> type[Exception]:
    from cryptography.fernet import InvalidToken

    return InvalidToken
