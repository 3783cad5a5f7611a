"""Pictures for `make compare-modelopt`: ModelOpt's environment has nothing that could make them.

Ranges are measured on pictures of the training side, accuracy on held-out ones.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import click
import numpy as np

from edge_app.inference.model import SHIPPED, load_model
from model_build.folders import Folders
from model_build.int8.pictures import pictures_of
from tests.calibration.compare_modelopt import TASKS


def main(data: Path, cache: Path, out: Path) -> None:
    """Write TASK.npz for each task: `ranges` and `held_out`, uint8 ``[N, H, W, 3]``."""
    out.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        model, folders = load_model(SHIPPED / f"{task}.onnx", task), Folders(data, cache)
        ranges = pictures_of(folders, model, "ranges", 64, 1).pictures
        held_out = pictures_of(folders, model, "held out", 600, 5).pictures
        np.savez(out / f"{task}.npz", ranges=ranges, held_out=held_out)
        click.echo(f"{task}: {len(ranges)} pictures for ranges, {len(held_out)} held out")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("DRESSCODE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--cache", type=Path, default=Path("runs"))
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    main(options.data, options.cache, options.out)
