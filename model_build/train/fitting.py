"""The one training loop: optimiser, schedule, averaged weights, checkpoints and a table of losses.

A run's folder holds `last.pt` (weights, averaged weights, optimiser, step), `losses.csv` and its
picture `losses.png`, and `bad_batch.pt` where a loss was not finite. A run that is started again
goes on from `last.pt`; since the batch and the dropout of a step follow from the seed and the step
alone, it ends where an uninterrupted one would, on a CPU to the last bit.

Under `torchrun` every process takes batches of its own, gradients are averaged over all of them
(DistributedDataParallel), and the first process alone writes.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from edge_app.errors import DresscodeError
from model_build.train.batches import Batches
from model_build.train.checkpoint import write_checkpoint
from model_build.train.losses_table import LossesTable
from model_build.train.processes import join_processes, moved

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")
Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Schedule:
    """How to train.

    Attributes:
        steps: optimiser steps in all; the rates follow a cosine down to a hundredth.
        batch: samples a step, of each process.
        head_rate: highest learning rate of the new layers.
        backbone_rate: highest learning rate of the pretrained layers.
        weight_decay: of AdamW.
        warm_up_steps: of linearly growing rates.
        averaging: share of the averaged weights that a step keeps.
        seed: of samples and dropout.
        scale: of the pictures; most of a run may go by on smaller ones, at half the cost.
        clip: largest norm of the gradient.
        precision: of the network's arithmetic; `auto` is bfloat16 on GPUs built for it, float16
            with scaled losses on others, float32 on CPUs.
        save_every: steps between two checkpoints.
        log_every: steps between two rows of the table, each the mean since the last one.
    """

    steps: int
    batch: int = 32
    head_rate: float = 1.5e-3
    backbone_rate: float = 5e-4
    weight_decay: float = 0.03
    warm_up_steps: int = 200
    averaging: float = 0.9985
    seed: int = 0
    scale: float = 1.0
    clip: float = 5.0
    precision: Precision = "auto"
    save_every: int = 200
    log_every: int = 20

    def rate(self, step: int) -> float:
        """The share of the highest rates at a step, 0..1."""
        grown = min(1.0, (step + 1) / self.warm_up_steps)
        return grown * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


class Run(Generic[Network]):
    """A training run in a folder, new or to be continued.

    Args:
        network: trained in place; frozen parameters stay as they are.
        backbone: the part of it that is pretrained; may be the network itself.
        schedule: how long and how fast.
        folder: of the run.
    """

    def __init__(
        self, network: Network, backbone: nn.Module, schedule: Schedule, folder: Path
    ) -> None:
        self.here = join_processes()
        self.network = network.to(self.here.device)
        self.schedule = schedule
        self.folder = folder
        self.step = 0
        for parameter in network.parameters():
            if parameter.dim() == 4:  # a fifth faster on CPUs, thanks to depth-wise convolutions
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        pretrained = {id(parameter) for parameter in backbone.parameters()}
        moving = [p for p in network.parameters() if p.requires_grad]
        rates = (
            (schedule.head_rate, [p for p in moving if id(p) not in pretrained]),
            (schedule.backbone_rate, [p for p in moving if id(p) in pretrained]),
        )
        self.optimiser = torch.optim.AdamW(
            [{"params": part, "lr": rate, "peak": rate} for rate, part in rates if part],
            weight_decay=schedule.weight_decay,
            fused=True,
        )
        self._precision = _precision(schedule.precision, self.here.device)
        is_scaled = self._precision is torch.float16
        self._scaler = torch.amp.GradScaler(self.here.device.type, enabled=is_scaled)
        self.averaged = copy.deepcopy(network)
        folder.mkdir(parents=True, exist_ok=True)
        sums = self._load() if (folder / "last.pt").exists() else {}
        self._table = LossesTable(folder / "losses.csv", self.step, sums)

    def fit(
        self, batches: Iterable[Batch], losses: Callable[[Batch], Mapping[str, Tensor]]
    ) -> None:
        """Take one step for each batch; the loss is the sum of the parts that `losses` gives.

        Raises:
            FloatingPointError: the loss is not finite; the batch is in the run's `bad_batch.pt`.
        """
        self.network.train()
        objective: nn.Module = _Objective(self.network, losses)
        if self.here.count > 1:
            objective = DistributedDataParallel(objective)
        began, first = time.monotonic(), self.step
        for batch in batches:
            for group in self.optimiser.param_groups:
                group["lr"] = group["peak"] * self.schedule.rate(self.step)
            torch.manual_seed(self.schedule.seed * 1_000_003 + self.step + 7919 * self.here.rank)
            with self._autocast():
                parts = objective(moved(batch, self.here.device))
            loss = torch.stack([part.float() for part in parts.values()]).sum()
            if not torch.isfinite(loss):
                raise self._stopped_by(batch, loss.item())
            self._improve(loss)
            self.step += 1
            self._table.add(parts)
            is_last = self.step == self.schedule.steps
            if self.here.is_first and (is_last or self.step % self.schedule.log_every == 0):
                pace = (self.step - first) / (time.monotonic() - began)
                row = self._table.write(self.step, pace)
                left_min = (self.schedule.steps - self.step) / pace / 60
                logger.info("%s; %.0f min left", row, left_min)
            if is_last or self.step % self.schedule.save_every == 0:
                self.save()

    def _improve(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.clip)
        self._scaler.step(self.optimiser)
        self._scaler.update()
        # Early on, the plain mean: the start must not weigh more than its share.
        keep = min(self.schedule.averaging, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
            for mean, value in pairs:
                mean.lerp_(value, 1.0 - keep)
            for ours, theirs in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
                ours.copy_(theirs)

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self._precision is torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.here.device.type, self._precision)

    def _stopped_by(self, batch: object, loss: float) -> FloatingPointError:
        name = "bad_batch.pt" if self.here.is_first else f"bad_batch_{self.here.rank}.pt"
        content = batch if isinstance(batch, Tensor) else vars(batch)
        torch.save(content, self.folder / name)
        return FloatingPointError(
            f"loss is {loss} at step {self.step}; its batch is in {self.folder / name}"
        )

    def save(self) -> None:
        """Write `last.pt`, so that the run can go on from here, and draw the losses."""
        if not self.here.is_first:
            return
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
            "step": self.step,
            "unwritten_losses": self._table.unwritten,
        }
        write_checkpoint(state, self.folder)
        self._table.draw(is_finished=self.step == self.schedule.steps)

    def _load(self) -> dict[str, list[float]]:
        state = torch.load(
            self.folder / "last.pt", weights_only=True, map_location=self.here.device
        )
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        rates, began = (
            [group["peak"] for group in groups]
            for groups in (self.optimiser.param_groups, state["optimiser"]["param_groups"])
        )
        if rates != began:
            raise DresscodeError(
                f"{self.folder}: this run was begun with the rates {began}, and is to go on with "
                f"{rates}; give those it was begun with, or another folder"
            )
        if int(state["step"]) > self.schedule.steps:
            raise DresscodeError(
                f"{self.folder}: this run has taken {state['step']} steps already, of which "
                f"--steps {self.schedule.steps} would be a part; give more, or another folder"
            )
        self.optimiser.load_state_dict(state["optimiser"])
        for parameter, moments in self.optimiser.state.items():
            # The fused optimiser takes for granted that they lie in memory like the parameter.
            for name, value in moments.items():
                if value.shape == parameter.shape:
                    moments[name] = torch.empty_like(parameter).copy_(value)
        if state.get("scaler"):
            self._scaler.load_state_dict(state["scaler"])
        self.step = int(state["step"])
        sums: dict[str, list[float]] = state.get("unwritten_losses", {})
        return sums


def train(
    network: Network,
    backbone: nn.Module,
    draw: Callable[[int], Batch],
    losses: Callable[[Network, Batch], Mapping[str, Tensor]],
    schedule: Schedule,
    folder: Path,
    is_apart: bool = True,
) -> Network:
    """Train to the schedule's end, going on from `folder`/last.pt; gives the averaged network.

    Args:
        network: as :class:`Run` takes it, with its backbone.
        backbone: the part of it that is pretrained; may be the network itself.
        draw: makes the batch of a number.
        losses: of such a batch, by name.
        schedule: how long and how fast.
        folder: of the run.
        is_apart: whether batches are made in a process of their own.
    """
    run = Run(network, backbone, schedule, folder)
    batches = Batches(draw, range(run.step, schedule.steps))
    run.fit(batches.made_ahead(is_apart), functools.partial(losses, network))
    return run.averaged.eval()


class _Objective(nn.Module):
    """The losses as a module: what DistributedDataParallel wraps."""

    def __init__(self, network: nn.Module, losses: Callable[[Any], Mapping[str, Tensor]]) -> None:
        super().__init__()
        self.network = network
        self.losses = losses

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """The parts of the loss of a batch."""
        return dict(self.losses(batch))


def _precision(wanted: Precision, device: torch.device) -> torch.dtype:
    if wanted != "auto":
        return {
            "float32": torch.float32,
            "bfloat16": torch.bfloat16,
            "float16": torch.float16,
        }[wanted]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
