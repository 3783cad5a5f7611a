"""The shipped unit under a real systemd, which is the first process of namespaces of its own.

``make systemd-test`` runs it, as root; nothing of this machine is touched. The program, its
interpreter and its configuration are mounted where the unit's sandbox lets them be seen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge_app.tiny_store import noise_pictures, write_clip
from tests.tiny_models import save_all

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = Path("/sys/fs/cgroup")
LAB = "/run/lab"

pytestmark = [
    pytest.mark.skipif("DRESSCODE_SYSTEMD" not in os.environ, reason="run it by make systemd-test"),
    pytest.mark.timeout(280),
]

CONFIG = """
store: acme-1
node: edge-1
timezone: UTC
mqtt: {url: "mqtt://127.0.0.1:1"}
inference: {models: models, threads: 1}
metrics: {port: 0}
cameras:
  door: {source: clip, fps: 2, zones: {shop: {area: [[0, 0], [1, 0], [1, 1], [0, 1]]}}}
"""
DROP_IN = f"""
[Service]
ExecStart=
ExecStart={LAB}/python/bin/python{sys.version_info[0]}.{sys.version_info[1]} \
-m edge_app run -c {LAB}/store/store.yaml
Environment=PYTHONHOME={LAB}/python PYTHONPATH={LAB}/source:{LAB}/packages
Environment=LD_LIBRARY_PATH={LAB}/python/lib
# Shorter, so that the test is.
WatchdogSec=6
RestartSec=1
StandardError=append:/run/lab/journal
"""
TARGET = "[Unit]\nWants=dresscode.service\n"
BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p {lab}/python {lab}/packages {lab}/source {lab}/store {lab}/units
mount --bind {python} {lab}/python
mount --bind {packages} {lab}/packages
mount --bind {root} {lab}/source
mount --bind {store} {lab}/store
mount --bind {units} {lab}/units
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH={lab}/units \
    {systemd} --system --log-target=console --show-status=no --crash-shell=no --unit=lab.target
"""
# Into a group of its own first, so that no process of the machine is seen, or moved.
START = """
for tree in systemd unified; do
    mkdir -p {cgroups}/$tree/{name}
    echo $$ > {cgroups}/$tree/{name}/cgroup.procs
done
exec unshare --fork --pid --mount --uts --ipc --cgroup bash {boot}
"""


class Lab:
    """A systemd within ``with``."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store"
        self._folder = folder
        self._name = f"lab-{os.getpid()}"
        units = folder / "units"
        (units / "dresscode.service.d").mkdir(parents=True)
        shutil.copy(ROOT / "systemd" / "dresscode.service", units)
        (units / "dresscode.service.d" / "lab.conf").write_text(DROP_IN)
        (units / "lab.target").write_text(TARGET)
        # Those of the machine would set it up a second time.
        for name in ("sysinit", "basic", "shutdown", "network-online", "time-sync"):
            (units / f"{name}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        boot = BOOT.format(
            lab=LAB, root=ROOT, store=self.store, units=units, systemd=SYSTEMD,
            python=Path(sysconfig.get_config_var("prefix")), packages=sysconfig.get_path("purelib"),
        )  # fmt: skip
        (folder / "boot.sh").write_text(boot)
        start = START.format(cgroups=CGROUPS, name=self._name, boot=folder / "boot.sh")
        (folder / "start.sh").write_text(start)

    def __enter__(self) -> Lab:
        with (self._folder / "console").open("w") as console:
            self._outer = subprocess.Popen(
                ["bash", str(self._folder / "start.sh")], stdout=console, stderr=console
            )
        self.until(lambda: self._first() is not None, 20.0)
        return self

    def __exit__(self, *_: object) -> None:
        first = self._first()
        if first is not None:
            os.kill(first, 9)  # with the first process every other one of the namespace ends
        self._outer.wait(20)
        for tree in ("systemd", "unified"):
            groups = sorted((CGROUPS / tree / self._name).rglob("*"), reverse=True)
            for group in [g for g in groups if g.is_dir()] + [CGROUPS / tree / self._name]:
                group.rmdir()

    def _first(self) -> int | None:
        listed = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text()
        return int(listed.split()[0]) if listed.split() else None

    def inside(self, *command: str) -> str:
        wanted = ["nsenter", "--target", str(self._first()), "--mount", "--pid", "--cgroup"]
        done = subprocess.run([*wanted, *command], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def show(self, key: str) -> str:
        wanted = ["--all"] if key == "*" else ["--property", key, "--value"]
        return self.inside("systemctl", "show", "dresscode.service", *wanted).strip()

    def said(self) -> str:
        return self.inside("cat", f"{LAB}/journal") + (self._folder / "console").read_text()

    def until(self, done: Callable[[], bool], timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, self.said() + self.show("*")
            time.sleep(0.3)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    if os.geteuid() != 0 or not SYSTEMD.exists() or not (CGROUPS / "systemd").is_dir():
        pytest.skip("systemd: needs root, systemd, and the cgroup tree 'systemd'")
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.owner() == "root" and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    made = Lab(tmp_path)
    save_all(made.store / "models")
    write_clip(made.store / "clip", noise_pictures(), 600)
    (made.store / "store.yaml").write_text(CONFIG)
    with made:
        yield made


def test_the_shipped_unit_starts_reloads_is_ended_by_the_watchdog_and_stops(lab: Lab) -> None:
    lab.until(lambda: lab.show("ActiveState") == "active", 90.0)
    assert "1 of 1 cameras" in lab.show("StatusText")
    pid = lab.show("MainPID")
    status = lab.inside("cat", f"/proc/{pid}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    uid = int(facts["Uid"].split()[0])
    print({name: facts[name] for name in ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")})
    assert 61184 <= uid <= 65519  # of DynamicUser
    assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
    assert facts["CoreDumping"] == "0"

    (lab.store / "store.yaml").write_text("store: [")
    lab.inside("systemctl", "reload", "dresscode.service")
    lab.until(lambda: "reload refused: " in lab.show("StatusText"), 20.0)
    lab.until(lambda: "frames/s" in lab.show("StatusText"), 30.0)
    assert "the changed configuration was refused: " in lab.show("StatusText")

    (lab.store / "store.yaml").write_text(CONFIG.replace("shop:", "back-room:"))
    lab.inside("systemctl", "reload", "dresscode.service")
    lab.until(lambda: "reload applied: cameras.door.zones.shop" in lab.show("StatusText"), 20.0)
    assert lab.show("MainPID") == pid

    # A process that stands still as a whole, as one does that waits for a driver.
    lab.inside("kill", "-STOP", pid)
    lab.until(lambda: int(lab.show("NRestarts") or 0) >= 1, 60.0)
    assert "Fatal Python error: Aborted" in lab.said()
    lab.until(lambda: lab.show("ActiveState") == "active", 90.0)

    asked = time.monotonic()
    lab.inside("systemctl", "stop", "dresscode.service")
    assert time.monotonic() - asked < 10.0
    assert (lab.show("ActiveState"), lab.show("Result")) == ("inactive", "success")
    kept = lab.inside("ls", "/var/lib/private/dresscode")
    assert "outbox.sqlite" in kept
