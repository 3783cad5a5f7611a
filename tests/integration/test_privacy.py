"""The canary: a pattern in every picture is searched for everywhere that the program can write.

The whole daemon runs under strace with a broker, a metrics reader and debug logs. Every byte that
it writes to a file, a socket or a pipe is compared with bytes of the pictures as they are, as
text, and with the beginnings of picture files.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.delivery.broker import EmbeddedBroker, find_mosquitto
from tests.tiny_models import save_all

ROOT = Path(__file__).resolve().parents[2]
CANARY = bytes.fromhex("c3a91f77d25e0b94e86d3af15284")[:12]
"""Four pixels, repeated over the whole picture."""

CALLS = "connect,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg"
PICTURE_FILES = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n", b"BM6", b"RIFF", b"\x00\x00\x00\x01\x67")

CONFIG = """
store: acme-1
node: edge-1
timezone: UTC
state_dir: state
mqtt: {{url: "{url}"}}
inference: {{models: models, threads: 1}}
outfit: {{min_looks: 2, min_weight: 0.2}}
cameras:
  door:
    source: clip
    fps: 10
    zones: {{shop: {{area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}}
alerts: {{any: {{any_of: [shirt, dress, jeans], min_probability: 0.3, cooldown_s: 0}}}}
metrics: {{port: {port}}}
logs: {{level: debug}}
"""

pytestmark = pytest.mark.timeout(180)


def traces(data: bytes) -> list[str]:
    """What in some bytes comes from a picture."""
    # Whatever the first pixel, and whether or not the rows were cut.
    turned = [CANARY[i:] + CANARY[:i] for i in range(3)]
    wanted = {f"canary at {i}": part for i, part in enumerate(turned)}
    wanted |= {f"canary as hex at {i}": part.hex().encode() for i, part in enumerate(turned)}
    wanted["canary as base64"] = base64.b64encode(CANARY)
    wanted["canary as numbers"] = ", ".join(map(str, CANARY)).encode()
    wanted["canary as an array"] = " ".join(map(str, CANARY)).encode()
    return [name for name, part in wanted.items() if part in data]


def written(log: Path) -> bytes:
    """All bytes that strace saw written, one call after another."""
    found = re.findall(r'"((?:\\x[0-9a-f]{2})*)"', log.read_text(errors="replace"))
    return b"\n".join(bytes.fromhex(text.replace("\\x", "")) for text in found)


def addresses(log: Path) -> set[str]:
    """Machines that strace saw connected to, or written to without a connection."""
    calls = [line for line in log.read_text(errors="replace").splitlines() if "sin" in line]
    found = re.findall(
        r'inet_(?:addr|pton)\((?:AF_INET6, )?"((?:\\x[0-9a-f]{2})*)"', "\n".join(calls)
    )
    return {bytes.fromhex(text.replace("\\x", "")).decode() for text in found}


def test_the_search_finds_what_is_there() -> None:
    row = np.frombuffer(CANARY * 8, np.uint8)
    assert traces(row.tobytes())
    assert traces(row[3:].tobytes())
    assert traces(str(list(CANARY)).encode())
    assert traces(base64.b64encode(row.tobytes()))
    assert traces(b"frame: " + row.tobytes().hex().encode())
    assert not traces(bytes(range(256)) * 10)


@pytest.mark.parametrize(
    "module", ["edge_app.inference.choose", "calibration.observe", "model_build.evaluate.latency"]
)
def test_openvino_cannot_report_to_its_makers(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([n for n, m in sys.modules.items() if n.startswith('openvino_telemetry') and m])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_crash_leaves_no_core_file_which_would_hold_pictures(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    if most == 0:
        pytest.skip("core files are switched off for good here")
    os.mkfifo(tmp_path / "fifo.yaml")  # the program waits for its configuration
    box = subprocess.Popen(
        ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh",
         sys.executable, "-m", "edge_app", "run", "-c", str(tmp_path / "fifo.yaml")],
        cwd=tmp_path, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        with (tmp_path / "fifo.yaml").open("w"):  # which it has opened now
            limits = resource.prlimit(box.pid, resource.RLIMIT_CORE)
            box.send_signal(signal.SIGABRT)
            assert box.wait(30) == -signal.SIGABRT
    finally:
        box.kill()
    assert limits[0] == 0
    assert not list(tmp_path.glob("core*"))


def test_no_pixel_leaves_the_program(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None or find_mosquitto() is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("strace, mosquitto and mosquitto_sub are needed")
    save_all(tmp_path / "models")
    (tmp_path / "clip").mkdir()
    picture = np.frombuffer(CANARY * (128 * 64), np.uint8).reshape(128, 256, 3)
    # Whoever is there in the first ten seconds was there before, and is not announced.
    for i in range(150):
        shown = np.zeros_like(picture) if i < 115 else picture
        assert cv2.imwrite(str(tmp_path / "clip" / f"{i:03d}.png"), shown)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    private = tmp_path / "tmp"
    private.mkdir()
    with EmbeddedBroker("mosquitto") as broker:
        (tmp_path / "store.yaml").write_text(CONFIG.format(url=broker.url, port=port))
        reader = subprocess.Popen(
            ["mosquitto_sub", "-p", broker.url.rpartition(":")[2], "-V", "5", "-v", "-t", "#"],
            stdout=subprocess.PIPE,
        )
        box = subprocess.Popen(
            [strace, "-f", "-qq", "-xx", "-s", "1048576", "--seccomp-bpf",
             "-e", f"trace={CALLS}", "-o", str(tmp_path / "strace.log"),
             sys.executable, "-m", "edge_app", "run", "-c", str(tmp_path / "store.yaml")],
            cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(private)},
        )  # fmt: skip
        page = b""
        deadline = time.monotonic() + 90.0
        while box.poll() is None and time.monotonic() < deadline:
            time.sleep(0.5)
            url = f"http://127.0.0.1:{port}/metrics"  # not there before the box is, nor after
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as got:
                page = got.read() or page
        said = box.communicate(timeout=10)[1]
        time.sleep(0.5)
        reader.send_signal(signal.SIGTERM)
        heard = reader.communicate(timeout=10)[0]
    assert box.returncode == 0, said.decode()
    # The program did work: it saw somebody, told it, and was measured.
    assert b"/alert/shop/any" in heard
    assert b'dresscode_frames_total{camera="door"}' in page
    everything = {
        "what strace saw": written(tmp_path / "strace.log"),
        "the journal": said,
        "what the broker got": heard,
        "the metrics": page,
    }
    for path in [*(tmp_path / "state").rglob("*"), *private.rglob("*")]:
        if path.is_file():
            everything[str(path)] = path.read_bytes()
    assert len(everything["what strace saw"]) > 10_000
    # Nobody but the broker and who asks for the metrics is spoken to: no library sends anything.
    assert addresses(tmp_path / "strace.log") == {"127.0.0.1"}
    assert {where: traces(data) for where, data in everything.items() if traces(data)} == {}
    pictures = {
        where: start
        for where, data in everything.items()
        for start in PICTURE_FILES
        if start in data and where != "what the broker got"
    }
    assert pictures == {}
