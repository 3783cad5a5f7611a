"""Certificates made with the openssl program, for one test run."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, name: str = "authority", days: int = 2) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            "req", "-x509", *_new_key(self._key), "-subj", f"/CN={name}", "-days", str(days),
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", str(self.ca_file),
        )  # fmt: skip

    def issue(self, name: str, host: str = "IP:127.0.0.1", days: int = 2) -> tuple[Path, Path]:
        """A certificate and its key; with negative days it has expired."""
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        certificate, extra = self.folder / f"{name}.pem", self.folder / f"{name}.ext"
        extra.write_text(f"subjectAltName={host}\n")
        _openssl("req", *_new_key(key), "-subj", f"/CN={name}", "-out", str(request))
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.ca_file), "-CAkey",
            str(self._key), "-CAcreateserial", "-days", str(days), "-extfile", str(extra),
            "-out", str(certificate),
        )  # fmt: skip
        return certificate, key


def _new_key(file: Path) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(file)]


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
