"""The training loop of every model: flat, resumable exactly, one file to read.

A run's folder holds `last.pt` (weights, averaged weights, optimiser, random state, step),
`losses.csv`, and, if a loss was not finite, `bad_batch.pt`. Batch `i` depends on `i` alone, so the
step is the position in the data, and a run that was stopped and started again equals one that was
not.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: optimiser steps in all.
        rate: peak learning rate of AdamW; a cosine takes it down to a hundredth.
        warm_up_steps: of linearly growing rates at the start.
        weight_decay: of AdamW.
        averaging: share of the averaged weights that is kept in each step.
        clip: largest norm of the gradient.
        save_every: steps between two checkpoints.
        log_every: steps between two rows of the CSV, each the mean since the last one.
        workers: processes that make batches ahead; 0 makes them in this process.
    """

    steps: int
    rate: float
    warm_up_steps: int = 100
    weight_decay: float = 0.01
    averaging: float = 0.998
    clip: float = 5.0
    save_every: int = 200
    log_every: int = 20
    workers: int = 1


@dataclass(frozen=True)
class Job(Generic[Network, Batch]):
    """What is trained on what.

    Attributes:
        network: trained in place; frozen parameters stay as they are.
        make_batch: batch `i`, the same however often and in whichever process it is asked for.
        losses: the parts of the loss of a batch on a device; `total` is what is minimised.
    """

    network: Network
    make_batch: Callable[[int], Batch]
    losses: Callable[[Network, Batch, torch.device], Mapping[str, Tensor]]


@dataclass
class _State:
    """Everything that a checkpoint holds."""

    network: nn.Module
    averaged: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    step: int

    def save(self, path: Path) -> None:
        content = {
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "random": torch.get_rng_state(),
        }
        torch.save(content, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def load(self, path: Path) -> None:
        content = torch.load(path, weights_only=True, map_location="cpu")
        self.network.load_state_dict(content["network"])
        for name, value in content["averaged"].items():
            self.averaged[name].copy_(value)
        self.optimiser.load_state_dict(content["optimiser"])
        self.step = int(content["step"])
        torch.set_rng_state(content["random"])

    def average(self, keep: float) -> None:
        # Early on, the plain mean: the start must not weigh more than its share.
        keep = min(keep, (self.step + 1) / (self.step + 10))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value.detach(), 1 - keep)
            else:
                self.averaged[name].copy_(value)


class _Numbered(Dataset[Batch]):
    """Batches from `start` on, by number."""

    def __init__(self, make_batch: Callable[[int], Batch], start: int, steps: int) -> None:
        self._make_batch = make_batch
        self._start = start
        self._steps = steps

    def __len__(self) -> int:
        return self._steps - self._start

    def __getitem__(self, index: int) -> Batch:
        if index >= len(self):
            raise IndexError(index)
        return self._make_batch(self._start + index)


def train(job: Job[Network, Batch], schedule: Schedule, folder: Path) -> dict[str, Tensor]:
    """Train until `schedule.steps`, going on from `folder`/last.pt if it is there.

    Returns:
        The averaged weights, by name, on the CPU.

    Raises:
        FloatingPointError: a loss is not finite; the batch is in `folder`/bad_batch.pt.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = job.network.train().to(device=device)
    for parameter in network.parameters():
        if parameter.dim() == 4:  # several times faster on CPUs for depth-wise convolutions
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(moving, lr=schedule.rate, weight_decay=schedule.weight_decay)
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    state = _State(network, averaged, optimiser, 0)
    if (folder / "last.pt").exists():
        state.load(folder / "last.pt")
    table = _LossTable(folder / "losses.csv", state.step, schedule)
    for batch in _batches(job, state.step, schedule):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _share_of_rate(state.step, schedule)
        with _precision(device):
            parts = job.losses(network, batch, device)
        if not bool(torch.isfinite(parts["total"])):
            torch.save(batch, folder / "bad_batch.pt")
            raise FloatingPointError(
                f"the loss of step {state.step} is {parts['total'].item()}; "
                f"its batch is in {folder / 'bad_batch.pt'}"
            )
        optimiser.zero_grad(set_to_none=True)
        parts["total"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(moving, schedule.clip)
        optimiser.step()
        state.average(schedule.averaging)
        state.step += 1
        table.add(state.step, parts)
        if state.step % schedule.save_every == 0 or state.step == schedule.steps:
            state.save(folder / "last.pt")
    return {name: value.cpu() for name, value in averaged.items()}


def load_averaged(network: Network, folder: Path) -> Network:
    """The averaged weights of a run's checkpoint, ready for use."""
    content = torch.load(folder / "last.pt", weights_only=True, map_location="cpu")
    network.load_state_dict(content["averaged"])
    return network.eval()


def _batches(job: Job[Network, Batch], start: int, schedule: Schedule) -> Iterator[Batch]:
    batches = _Numbered(job.make_batch, start, schedule.steps)
    if schedule.workers == 0:
        return iter(batches)
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=schedule.workers,
        prefetch_factor=4,
        # Its own: else it would draw from the random state that a checkpoint keeps.
        generator=torch.Generator(),
    )
    return iter(loader)


def _share_of_rate(step: int, schedule: Schedule) -> float:
    grown = min(1.0, (step + 1) / max(1, schedule.warm_up_steps))
    return grown * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / schedule.steps)))


def _precision(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Bfloat16 where the device is built for it; it needs no loss scaling."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return contextlib.nullcontext()


class _LossTable:
    """`losses.csv`: means of the parts of the loss, and how fast it goes."""

    def __init__(self, path: Path, start: int, schedule: Schedule) -> None:
        self._path = path
        self._schedule = schedule
        self._sums: dict[str, float] = {}
        self._began_s = time.monotonic()
        self._start = start
        if path.exists():
            # Rows after the checkpoint are written again.
            with path.open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if int(row["step"]) <= start]
            path.unlink()
            for row in rows:
                self._write(row)

    def add(self, step: int, parts: Mapping[str, Tensor]) -> None:
        for name, part in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(part.detach())
        if step % self._schedule.log_every:
            return
        means = {
            name: f"{value / self._schedule.log_every:.5f}" for name, value in self._sums.items()
        }
        self._sums.clear()
        row = {"step": str(step), **means}
        self._write(row)
        pace = (step - self._start) / (time.monotonic() - self._began_s)
        left_min = (self._schedule.steps - step) / pace / 60
        logger.info("%s; %.2f steps/s, %.0f min left", row, pace, left_min)

    def _write(self, row: Mapping[str, str]) -> None:
        is_new = not self._path.exists()
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)
