"""Which of several training processes this one is; `torchrun` starts them, one for each GPU."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

Value = TypeVar("Value")


@dataclass(frozen=True)
class Processes:
    """This process among all.

    Attributes:
        rank: 0 for the one that writes.
        count: how many there are.
        device: the one this process computes on.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0


def join_processes() -> Processes:
    """Meet the other processes if `torchrun` started several; alone otherwise.

    May be called any number of times.
    """
    has_gpu = torch.cuda.is_available()
    if "WORLD_SIZE" not in os.environ:
        return Processes(0, 1, torch.device("cuda" if has_gpu else "cpu"))
    if has_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if has_gpu else "gloo")
    device = torch.device("cuda", torch.cuda.current_device()) if has_gpu else torch.device("cpu")
    return Processes(distributed.get_rank(), distributed.get_world_size(), device)


def moved(value: Value, device: torch.device) -> Value:
    """A tensor, or a dataclass or list of them, on a device; anything else as it is."""
    if device.type == "cpu":
        return value
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)  # type: ignore[return-value]
    if isinstance(value, list):
        return [moved(one, device) for one in value]  # type: ignore[return-value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{name: moved(one, device) for name, one in vars(value).items()})
    return value
