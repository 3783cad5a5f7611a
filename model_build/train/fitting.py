"""One training run: optimiser, schedule, averaged weights, checkpoints and a table of losses.

A run's folder holds `last.pt` (weights, averaged weights, optimiser, step) and `losses.csv`. A
run that is started again goes on from there; since the batch and the dropout of a step depend on
the seed and the step alone, it ends where an uninterrupted one would.
"""

from __future__ import annotations

import copy
import csv
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Schedule:
    """How to train.

    Attributes:
        steps: optimiser steps in all; the rates follow a cosine down to a hundredth.
        batch: samples a step.
        head_rate: highest learning rate of the new layers.
        backbone_rate: highest learning rate of the pretrained layers.
        weight_decay: of AdamW.
        warm_up_steps: of linearly growing rates.
        averaging: share of the averaged weights that a step keeps.
        seed: of samples and dropout.
        scale: of the pictures; most of a run may go by on smaller ones, at half the cost.
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

    def rate(self, step: int) -> float:
        """The share of the highest rates at a step, 0..1."""
        grown = min(1.0, (step + 1) / self.warm_up_steps)
        return grown * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


class Run(Generic[Network]):
    """A training run in a folder, new or to be continued."""

    def __init__(
        self, network: Network, backbone: nn.Module, schedule: Schedule, folder: Path
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.network = network
        self.schedule = schedule
        self.folder = folder
        pretrained = {id(parameter) for parameter in backbone.parameters()}
        heads = [p for p in network.parameters() if id(p) not in pretrained]
        deep = [p for p in backbone.parameters() if p.requires_grad]
        rates = ((heads, schedule.head_rate), (deep, schedule.backbone_rate))
        self.optimiser = torch.optim.AdamW(
            [{"params": part, "lr": rate, "peak": rate} for part, rate in rates],
            weight_decay=schedule.weight_decay,
            fused=True,
        )
        self.averaged = copy.deepcopy(network)
        self.step = 0
        if (folder / "last.pt").exists():
            self._load()

    def fit(
        self, batches: Iterable[Batch], losses: Callable[[Batch], Mapping[str, Tensor]]
    ) -> None:
        """Take one step for each batch; the loss is the sum of the parts that `losses` gives.

        Raises:
            FloatingPointError: the loss is not finite; the batch is in the run's `bad_batch.pt`.
        """
        self.network.train()
        began, first = time.monotonic(), self.step
        for batch in batches:
            for group in self.optimiser.param_groups:
                group["lr"] = group["peak"] * self.schedule.rate(self.step)
            torch.manual_seed(self.schedule.seed * 1_000_003 + self.step)
            parts = losses(batch)
            loss = torch.stack(list(parts.values())).sum()
            if not torch.isfinite(loss):
                torch.save(vars(batch), self.folder / "bad_batch.pt")
                raise FloatingPointError(
                    f"loss is {loss.item()} at step {self.step}; its batch is in {self.folder}"
                )
            self._improve(loss)
            if self.step % 20 == 0:
                pace = (self.step - first + 1) / (time.monotonic() - began)
                self._write_losses(parts, pace)
            self.step += 1
            if self.step % 200 == 0 or self.step == self.schedule.steps:
                self.save()

    def _improve(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        keep = min(self.schedule.averaging, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
            for mean, value in pairs:
                mean.lerp_(value, 1.0 - keep)

    def save(self) -> None:
        """Write `last.pt`, so that the run can go on from here."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        unfinished = self.folder / "last.new"
        torch.save(state, unfinished)
        unfinished.replace(self.folder / "last.pt")

    def _load(self) -> None:
        state = torch.load(self.folder / "last.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])

    def _write_losses(self, parts: Mapping[str, Tensor], pace: float) -> None:
        values = {name: round(part.item(), 4) for name, part in parts.items()}
        row = {"step": self.step, **values, "steps_per_s": round(pace, 3)}
        path = self.folder / "losses.csv"
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        logger.info("%s", row)


class Batches(Dataset[Batch]):
    """The batches of a run from one step on; a batch follows from the schedule and its step.

    Attributes:
        draw: makes the batch of a step.
        steps: the steps that are left.
    """

    def __init__(self, draw: Callable[[int], Batch], steps: range) -> None:
        self.draw = draw
        self.steps = steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Batch:
        cv2.setNumThreads(1)
        return self.draw(self.steps[index])

    def made_ahead(self, is_apart: bool = True) -> Iterable[Batch]:
        """All of them in order, made in another process if `is_apart`.

        A spawned process: OpenVINO's and OpenCV's threads do not survive a fork, and a second
        thread of this process would fight for the interpreter.
        """
        if not is_apart:
            return (self[index] for index in range(len(self)))
        return DataLoader(
            self,
            batch_size=None,
            num_workers=1,
            prefetch_factor=4,
            multiprocessing_context="spawn",
        )


def load_averaged(network: Network, run: Path) -> Network:
    """The averaged weights of a run, ready for use."""
    state = torch.load(run / "last.pt", weights_only=True)
    network.load_state_dict(state["averaged"])
    return network.eval()
