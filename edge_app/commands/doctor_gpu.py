"""The doctor's look at the GPU: whether its driver, pycuda and TensorRT work, and what it runs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Literal

from edge_app.app import Networks
from edge_app.commands.systemd_devices import find_devices
from edge_app.config.schema import InferenceSettings
from edge_app.errors import EngineError
from edge_app.inference.choose import describe_engine, describe_gpu, open_engine
from edge_app.inference.fallback import gpu_state

Verdict = Literal["good", "warning", "bad"]


def _start_driver() -> int:
    return int(ctypes.CDLL("libcuda.so.1").cuInit(0))


def gpu_finding(start_driver: Callable[[], int] = _start_driver) -> tuple[Verdict, str]:
    """Whether networks can run on the GPU, and what to do where they cannot.

    Args:
        start_driver: CUDA's ``cuInit``; raises OSError where there is none.
    """
    works, said = describe_gpu()
    if works:
        return "good", said
    try:
        status = start_driver()
    except OSError:
        if any("nv" in path.name for path in find_devices()):
            return "bad", "devices but no libcuda.so.1; install NVIDIA's driver"
        return "warning", "none here; the networks run on the CPU"
    if status != 0:
        return "bad", (
            f"cuInit failed with {status}; load the driver (`nvidia-modprobe -u`), and give the "
            "service its devices (`dresscode systemd-devices`)"
        )
    return "warning", f"CUDA starts, and the GPU is not used: {said}"


def who_runs(networks: Networks, settings: InferenceSettings) -> tuple[Verdict, str]:
    """What the networks run on; a warning with the reason where it is not the GPU that works."""
    on = {task: describe_engine(engine) for task, engine in networks.engines.items()}
    said = "run by " + " and ".join(sorted(set(on.values())))
    left = next((task for task, name in on.items() if "CPU" in name), None)
    if settings.device == "cpu" or left is None:
        return "good", said
    if not describe_gpu()[0]:
        if gpu_state(networks.engines).trouble is None:
            return "good", said
        return "warning", (
            f"{said}; its engines are in {settings.engines}: bring it back, or set "
            "inference.device to cpu"
        )
    only_gpu = settings.model_copy(update={"device": "gpu"})
    try:
        open_engine(only_gpu, networks.models[left]).close()
    except EngineError as error:
        return "warning", f"{said}: {error.__cause__ or error}"
    return "good", said
