"""``dresscode doctor``: what works on this machine, what does not, and what to do about it."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import threading
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryFile

import cv2
from rich.console import Console

from edge_app.app import Networks, open_networks
from edge_app.box.clock_health import is_clock_synchronised
from edge_app.box.senders import brokers_of
from edge_app.capture.decoder import FFMPEG, choose_decoder, has_gstreamer_element
from edge_app.capture.replay import picture_paths
from edge_app.capture.source import connect, decoder_of, is_rtsp, source_kind
from edge_app.commands.doctor_gpu import Verdict, gpu_finding, who_runs
from edge_app.commands.doctor_network import broker_findings
from edge_app.commands.install_service import secrets_by_path, texts_of
from edge_app.commands.sandbox import hand_over, unreadable, unwritable
from edge_app.config.credentials import is_out_of_sight
from edge_app.config.schema import CameraSettings, Config, StaffSettings
from edge_app.errors import DresscodeError
from edge_app.runtime.endpoint import ADDRESS, NAME
from edge_app.staff import open_uniform

CAMERA_S = 15.0
"""How long a camera may take to show its first picture."""
_PORT_S = 2.0
_FREE_MB = 500.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: its name.
        verdict: ``good``, ``warning`` (works, but), or ``bad``.
        said: what was found, and what to do where it is not good.
    """

    what: str
    verdict: Verdict
    said: str


def show_findings(config: Config, of_unit: Path | None) -> bool:
    """Print what :func:`examine` finds, as it is found; whether nothing of it is bad."""
    marks = {"good": "[green]good   [/]", "warning": "[yellow]warning[/]", "bad": "[red]BAD    [/]"}
    shown = Console(highlight=False, soft_wrap=True)
    is_good = True
    for found in examine(config, of_unit):
        shown.print(f"{marks[found.verdict]} {found.what}:", end=" ")
        shown.print(found.said, markup=False)
        is_good &= found.verdict != "bad"
    return is_good


def examine(config: Config, of_unit: Path | None = None) -> Iterator[Finding]:
    """Look at everything that the configuration needs, in the order of its importance.

    Args:
        config: of the store.
        of_unit: its file, where root asks what the unit's service will see: root itself may read
            and write everything. None for the user who is to run it.
    """
    trouble = of_unit and unwritable(config.state_dir)
    if trouble:
        yield Finding(f"state folder {config.state_dir}", "bad", trouble)
    else:
        yield _state_folder(config.state_dir, config.outbox.max_mb)
    if config.metrics.port != 0:
        yield _metrics(config.metrics.port)
    yield _clock()
    yield Finding("GPU", *gpu_finding())
    yield from _networks(config, of_unit is not None)
    yield _decoder()
    yield from _secrets(config, secrets_by_path(texts_of(of_unit)) if of_unit else ())
    for name, broker in brokers_of(config).items():
        for what, is_good, said in broker_findings(name, broker, config.store, config.node):
            yield Finding(what, "good" if is_good else "bad", said)
    for name, camera in config.cameras.items():
        yield _camera(name, camera)


def _state_folder(folder: Path, wanted_mb: float) -> Finding:
    what = f"state folder {folder}"
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    is_there = there == folder
    trouble = _trouble_writing(there)
    if isinstance(trouble, PermissionError) and not is_there:
        said = f"is not there yet, and this user cannot make it in {there}; the service's may"
        return Finding(what, "warning", said)
    if isinstance(trouble, PermissionError):
        return Finding(what, "bad", "cannot be written; run as the service's user, or change it")
    if trouble is not None and trouble.errno != errno.ENOSPC:
        verb = "written" if is_there else f"made in {there}"
        said = f"cannot be {verb}: {trouble.strerror}; choose another state_dir"
        return Finding(what, "bad", said)
    free_mb = shutil.disk_usage(there).free / 2**20
    if trouble is not None or free_mb < wanted_mb + _FREE_MB:
        return Finding(
            what, "bad", f"{free_mb:.0f} MB are free, {wanted_mb + _FREE_MB:.0f} wanted; make room"
        )
    if not is_there:
        return Finding(what, "warning", "is not there yet; the service makes it at its first start")
    return Finding(what, "good", f"can be written, {free_mb:.0f} MB are free")


def _trouble_writing(folder: Path) -> OSError | None:
    """Write a file there, which is gone at once; why that failed, or None."""
    try:
        with TemporaryFile(dir=folder) as probe:
            probe.write(b"dresscode doctor")
    except OSError as error:
        return error
    return None


def _metrics(port: int) -> Finding:
    """Whether the metrics page can have its port; a box that runs may have it already."""
    what = f"metrics port {port}"
    try:
        with socket.create_server((ADDRESS, port)):
            return Finding(what, "good", "is free")
    except OSError as error:
        trouble = error
    if trouble.errno != errno.EADDRINUSE:
        said = f"cannot be used: {trouble.strerror}; choose another metrics.port"
        return Finding(what, "warning", said)
    if _is_dresscode(port):
        return Finding(what, "good", "is in use by a dresscode that runs")
    return Finding(
        what, "warning", "is in use by another program, so there are no metrics; choose another "
        "metrics.port",
    )  # fmt: skip


def _is_dresscode(port: int) -> bool:
    """Whether what listens on a port of the loopback calls itself so."""
    connection = HTTPConnection(ADDRESS, port, timeout=_PORT_S)
    try:
        connection.request("GET", "/healthz")
        return (connection.getresponse().getheader("Server") or "").startswith(NAME)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _clock() -> Finding:
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    if is_clock_synchronised():
        return Finding("clock", "good", f"synchronised, {now} UTC")
    return Finding(
        "clock", "warning",
        f"not known to be synchronised, {now} UTC; enable systemd-timesyncd or chrony, or counts "
        "land in the wrong hours",
    )  # fmt: skip


def _networks(config: Config, is_for_unit: bool) -> Iterator[Finding]:
    try:
        networks = open_networks(config.inference, config.detection, config.outfit)
    except DresscodeError as error:
        yield Finding("networks", "bad", str(error))
        return
    versions = ", ".join(f"{task} {model.version}" for task, model in networks.models.items())
    verdict, runs = who_runs(networks, config.inference)
    yield Finding("networks", verdict, f"{versions}; {runs}")
    if config.staff.uniform is not None:
        yield _uniform(config.staff, config.staff.uniform, networks, is_for_unit)
    networks.close()


def _uniform(
    settings: StaffSettings, folder: Path, networks: Networks, is_for_unit: bool
) -> Finding:
    """Which of the example pictures show a uniform, and whether the service can read them."""
    told: list[str] = []
    try:
        uniform = open_uniform(settings, networks.people, networks.looker, told.append)
        paths = picture_paths(folder) if uniform else []
    except DresscodeError as error:
        return Finding("staff.uniform", "bad", str(error))
    unread = [why for path in paths if is_for_unit and (why := unreadable(path))]
    count = uniform.count if uniform else 0
    words = [f"examples: {count}", *(why.removeprefix("staff.uniform: ") for why in told)]
    if unread:
        advice = "make pictures readable for everybody, outside /home and /tmp"
        words.append(f"{len(unread)} are of no use to the service: {unread[0]}; {advice}")
    verdict: Verdict = "bad" if unread or not uniform else "warning" if told else "good"
    return Finding("staff.uniform", verdict, "; ".join(words))


def _decoder() -> Finding:
    decoder = choose_decoder()
    built = cv2.getBuildInformation()
    has_ffmpeg = any("FFMPEG" in line and "YES" in line for line in built.splitlines())
    if decoder.name == FFMPEG and not has_ffmpeg:
        return Finding("decoder", "bad", "OpenCV without FFmpeg; install opencv-python-headless")
    others = [name for name in ("nvh264dec", "vah264dec") if has_gstreamer_element(name)]
    more = f"; gst:// sources may use {', '.join(others)}" if others else ""
    return Finding("decoder", "good", f"{decoder}{more}")


def _secrets(config: Config, by_path: Container[str]) -> Iterator[Finding]:
    """Whether the files of secrets can be read, and by too many.

    Args:
        config: of the store.
        by_path: keys of those that the unit's service is to read itself.
    """
    files = {
        f"{name}.{key}": getattr(section, key)
        for name, section in (("mqtt", config.mqtt), ("headquarters", config.headquarters))
        for key in ("password_file", "key_file")
        if section is not None and getattr(section, key) is not None
    }
    for name, camera in config.cameras.items():
        if camera.password_file is not None:
            files[f"cameras.{name}.password_file"] = camera.password_file
    for key, path in files.items():
        if not os.access(path, os.R_OK):
            hint = (
                "systemd shows it to the running service alone; to look from here: "
                "sudo CREDENTIALS_DIRECTORY=/etc/dresscode dresscode doctor ..."
                if is_out_of_sight(path)
                else f"create it, or {hand_over(path)}"
            )
            yield Finding(key, "bad", f"{path} cannot be read; {hint}")
        elif key in by_path and (trouble := unreadable(path)):
            yield Finding(key, "bad", f"{trouble}; {hand_over(path)}")
        elif path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            way = f", and {hand_over(path)}" if key in by_path else ""
            yield Finding(key, "warning", f"{path} is readable for others; chmod 600 {path}{way}")
        else:
            yield Finding(key, "good", f"{path} is readable for its owner only")


def _camera(name: str, settings: CameraSettings) -> Finding:
    """Open a camera and wait for a picture, in a thread: some drivers never come back."""
    answer: list[tuple[Verdict, str]] = []
    looking = threading.Thread(
        target=lambda: answer.append(_first_picture(name, settings)), daemon=True
    )
    looking.start()
    looking.join(CAMERA_S)
    verdict, said = answer[0] if answer else ("bad", f"no picture in {CAMERA_S:.0f} s")
    return Finding(f"camera {name}", verdict, said)


def _first_picture(name: str, settings: CameraSettings) -> tuple[Verdict, str]:
    began_s = time.monotonic()
    kind: str = ""
    try:
        kind = source_kind(settings.source)
        camera = connect(name, settings)
        frame = camera.read()
        camera.close()
    except DresscodeError as error:
        # What is wrong with a recording says itself what to do.
        has_cable = kind not in ("recording", "simulated")
        return "bad", f"{error}{'; check source, cable and password' if has_cable else ''}"
    if frame is None:
        return "bad", "opened, but shows no picture"
    width, height = frame.size
    if is_rtsp(settings.source):
        kind = f"{kind}, decoded by {decoder_of(settings)}"
    took_s = time.monotonic() - began_s
    return "good", f"{kind}, {width} x {height}, first picture in {took_s:.1f} s"
