"""Batches that passed the early layers once, so that a CPU trains the late ones in a fraction.

The early layers of a pretrained backbone stay as they are; what they make of each drawn batch is
kept in the run's folder, in half precision, and training goes over the kept batches again and
again, each time in another order.
"""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_app.inference.silent_openvino import CORE, ov
from model_build.networks.efficientnet import Seeing
from model_build.train.batches import Batches
from model_build.train.fitting import Run, Schedule
from model_build.train.processes import join_processes

logger = logging.getLogger(__name__)

_LOG_EVERY = 50


class DrawnBatch(Protocol):
    """A dataclass of tensors, among them the pictures."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def crops(self) -> Tensor:
        """Uint8 `[N,H,W,3]` BGR."""


Drawn = TypeVar("Drawn", bound=DrawnBatch)
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Seen(Generic[Drawn]):
    """A batch as the early layers leave it.

    Attributes:
        features: what they gave, float32 `[N,C,h,w]` each.
        batch: as it was drawn, but of its crops only the shape is left.
    """

    features: tuple[Tensor, ...]
    batch: Drawn


class KeptBatches(Generic[Drawn]):
    """The kept batches of a folder, by number.

    Args:
        folder: one file a batch, `00000.npz`.
        count: how many there are.
        kind: the dataclass of the drawn batches.
    """

    def __init__(self, folder: Path, count: int, kind: type[Drawn]) -> None:
        self._folder = folder
        self._count = count
        self._kind = kind

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Seen[Drawn]:
        with np.load(_file(self._folder, number)) as stored:
            seen = [name for name in stored.files if name.startswith("seen_")]
            features = tuple(torch.from_numpy(stored[name]).float() for name in seen)
            values = {
                field.name: torch.from_numpy(stored[field.name])
                for field in fields(self._kind)
                if field.name != "crops"
            }
            values["crops"] = torch.zeros((), dtype=torch.uint8).expand(*stored["shape"])
        return Seen(features, self._kind(**values))

    def in_turn(self, steps: range, seed: int) -> Iterator[Seen[Drawn]]:
        """A batch for each step: all of them in a random order, then in another, and so on."""
        for step in steps:
            turn, position = divmod(step, self._count)
            order = np.random.default_rng((seed, turn)).permutation(self._count)
            yield self[int(order[position])]


def keep_batches(
    see: nn.Module,
    draw: Callable[[int], Drawn],
    kind: type[Drawn],
    count: int,
    folder: Path,
    is_apart: bool = True,
) -> KeptBatches[Drawn]:
    """Draw `count` batches and keep what `see` makes of them; goes on where an earlier run ended.

    Args:
        see: float pictures `[N,3,H,W]` BGR 0..255 to one or several features `[N,C,h,w]`.
        draw: makes the batch of a number.
        kind: the dataclass of batches.
        count: how many batches.
        folder: where they are kept.
        is_apart: whether batches are drawn in a process of their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = sum(1 for _ in folder.glob("*.npz"))
    batches = Batches(draw, range(first, count))
    run: Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]] | None = None
    for number, batch in enumerate(batches.made_ahead(is_apart), first):
        pictures = batch.crops.permute(0, 3, 1, 2).float().contiguous()
        run = run or _compiled(see, pictures)
        arrays: dict[str, Any] = {
            f"seen_{i}": part.astype(np.float16) for i, part in enumerate(run(pictures.numpy()))
        }
        arrays["shape"] = np.array(batch.crops.shape)
        for field in fields(kind):
            if field.name != "crops":
                arrays[field.name] = getattr(batch, field.name).numpy()
        unfinished = folder / "unfinished"
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
        unfinished.replace(_file(folder, number))
        if (number + 1) % _LOG_EVERY == 0:
            logger.info("%d of %d batches kept", number + 1, count)
    return KeptBatches(folder, count, kind)


def fit_late(
    network: Network,
    see: Seeing,
    kept_from: tuple[Callable[[int], Drawn], type[Drawn], int],
    losses: Callable[[Network, Seen[Drawn]], Mapping[str, Tensor]],
    schedule: Schedule,
    folder: Path,
    is_apart: bool,
) -> Network:
    """Train all but the early part of the backbone on kept batches; gives the averaged network.

    Each process of several keeps batches of its own, in the run's folder.

    Args:
        network: goes on from `folder`/last.pt.
        see: the early part of its backbone.
        kept_from: what draws the batch of a number, the dataclass of batches, and how many.
        losses: of a kept batch, by name.
        schedule: how long and how fast.
        folder: of the run.
        is_apart: whether batches are drawn in a process of their own.
    """
    see.backbone.freeze_early()
    rank = join_processes().rank
    kept = keep_batches(see, *kept_from, folder / (f"kept_{rank}" if rank else "kept"), is_apart)
    run = Run(network, see.backbone, schedule, folder)
    seen = kept.in_turn(range(run.step, schedule.steps), schedule.seed)
    run.fit(seen, functools.partial(losses, network))
    return run.averaged.eval()


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.npz"


def _compiled(
    see: nn.Module, example: Tensor
) -> Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]:
    """A network run by OpenVINO, which takes a fifth of torch's time on a CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's tracing is deprecated; OpenVINO builds on it
        model = ov.convert_model(see.eval(), example_input=example)
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = CORE.compile_model(model, "CPU", settings)

    def run(pictures: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        return list(compiled(pictures).values())

    return run
