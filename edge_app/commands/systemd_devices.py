"""``dresscode systemd-devices``: a drop-in for the unit with the GPU and cameras of this machine.

The unit closes every device. Which ones CUDA, TensorRT and the decoders open differs between a
graphics card and each JetPack, so the list is made from what exists.
"""

from __future__ import annotations

import stat
from pathlib import Path

PATTERNS = (
    # NVIDIA graphics cards
    "nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset",
    "nvidia-caps/*",
    # Jetson: memory, host1x channels, the GPU, decoders, and what newer JetPacks call them
    "nvmap", "nvhost-*", "nvgpu/*", "nvgpu/*/*", "host1x-fence", "nvsciipc", "nvidia-soc-*",
    "v4l2-nvdec", "v4l2-nvenc", "dri/card*", "dri/renderD*",
    # cameras
    "video[0-9]*", "media[0-9]*",
)  # fmt: skip


def find_devices(dev: Path = Path("/dev")) -> list[Path]:
    """Device nodes of this machine that Dresscode may need, in the order of their names."""
    found = {path for pattern in PATTERNS for path in dev.glob(pattern)}
    return sorted(path for path in found if _is_device(path))


def drop_in(devices: list[Path]) -> str:
    """The text of ``dresscode.service.d/devices.conf``."""
    lines = [
        "# Written by `dresscode systemd-devices`; write it again after an upgrade of the system."
    ]
    if not devices:
        lines.append("# No GPU and no camera device was found here: networks run on the CPU.")
    is_nvidia = any(path.name.startswith("nvidia") for path in devices)
    if is_nvidia:
        # systemd resolves devices before ExecStartPre; what is not there then stays closed.
        lines += [
            "[Unit]",
            "Wants=modprobe@nvidia_uvm.service",
            "After=modprobe@nvidia_uvm.service",
        ]
    lines.append("[Service]")
    lines += [f"DeviceAllow={path} rw" for path in devices]
    if is_nvidia:
        # NoNewPrivileges keeps the driver's setuid loader from making these nodes later.
        lines += ["DeviceAllow=char-nvidia* rw", "ExecStartPre=+-/usr/bin/nvidia-modprobe -u -c0"]
    if any("dri" in path.parts for path in devices):
        lines.append("SupplementaryGroups=render")
    return "\n".join(lines) + "\n"


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False
