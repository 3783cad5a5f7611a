"""The checkpoint of a run, `last.pt`: written whole or not at all, and read for its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from edge_app.errors import DresscodeError

Network = TypeVar("Network", bound=nn.Module)


def write_checkpoint(state: Mapping[str, Any], run: Path) -> None:
    """Write a run's checkpoint in place of the last one.

    Raises:
        DresscodeError: it could not be written; the last one is still there.
    """
    path, unfinished = run / "last.pt", run / "last.new"
    try:
        torch.save(state, unfinished)
    except (OSError, RuntimeError) as error:  # the latter is torch's for a full disk
        unfinished.unlink(missing_ok=True)
        raise DresscodeError(
            f"{path}: could not be written, is the disk full? Make room: the same command goes on "
            f"from the last one ({str(error).splitlines()[0]})"
        ) from error
    unfinished.replace(path)


def load_averaged(network: Network, run: Path) -> Network:
    """The averaged weights of a run, ready for use.

    Raises:
        DresscodeError: it has none yet, or is a run of another model.
    """
    path = run / "last.pt"
    if not path.exists():
        raise DresscodeError(
            f"{path}: no such file; the run has not come so far, go on with `train --run {run}`"
        )
    state = torch.load(path, weights_only=True, map_location="cpu")
    try:
        network.load_state_dict(state["averaged"])
    except RuntimeError as error:
        raise DresscodeError(
            f"{path}: expected the weights of a {type(network).__name__}; is it a run of another "
            "model?"
        ) from error
    return network.eval()
