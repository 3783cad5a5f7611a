"""One of the processes of a training; its environment says which one, as `torchrun` would."""

import sys
from pathlib import Path

import torch
from torch import distributed

from tests.model_build.train.test_fitting import (
    WITHOUT_CHANCE,
    new_network_without_chance,
    train,
)


def main() -> None:
    """Train, and keep the weights under this process's rank."""
    folder = Path(sys.argv[1])
    run = train(folder / "run", WITHOUT_CHANCE, network=new_network_without_chance())
    torch.save(run.network.state_dict(), folder / f"{run.here.rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
