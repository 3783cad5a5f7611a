"""The loop learns, resumes exactly, leaves a table, works in parts, and stops where it must."""

import csv
import functools
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import pytest
import torch
from torch import Tensor, nn

from edge_app.errors import DresscodeError
from model_build.train.batches import Batches
from model_build.train.checkpoint import load_averaged
from model_build.train.fitting import Precision, Run, Schedule
from model_build.train.processes import moved

SCHEDULE = Schedule(
    steps=12,
    head_rate=0.05,
    backbone_rate=0.02,
    warm_up_steps=2,
    averaging=0.5,
    save_every=5,
    log_every=3,
)


def new_network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(32, 8), nn.Dropout(0.2), nn.Linear(8, 1)
    )


def draw(number: int) -> Tensor:
    return torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(number))


def losses(network: nn.Module, batch: Tensor) -> Mapping[str, Tensor]:
    """The network is to give the sum of the pixels; two parts, as all real losses have."""
    error = nn.functional.mse_loss(network(batch).float(), batch.sum((1, 2, 3))[:, None])
    return {"half": error / 2, "other_half": error / 2}


def train(
    folder: Path,
    schedule: Schedule = SCHEDULE,
    draw: Callable[[int], Tensor] = draw,
    is_apart: bool = False,
    network: nn.Sequential | None = None,
) -> Run[nn.Sequential]:
    network = network or new_network()
    run = Run(network, network[0], schedule, folder)
    batches = Batches(draw, range(run.step, schedule.steps))
    run.fit(batches.made_ahead(is_apart), lambda batch: losses(network, batch))
    return run


class StopHereError(Exception):
    """As if the power had failed."""


def stop_at_seven(number: int) -> Tensor:
    if number == 7:
        raise StopHereError
    return draw(number)


def rows(folder: Path) -> list[dict[str, str]]:
    """The table without the pace, which no two runs share."""
    with (folder / "losses.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert all(float(row.pop("steps_per_s")) > 0 for row in table)
    return table


def same(ours: nn.Module, theirs: nn.Module) -> bool:
    pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_a_stopped_run_ends_like_one_that_was_not(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole")
    with pytest.raises(StopHereError):
        train(tmp_path / "parts", draw=stop_at_seven)
    torch.manual_seed(99)
    resumed = train(tmp_path / "parts")
    assert same(whole.network, resumed.network)
    assert same(whole.averaged, resumed.averaged)
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")
    assert [row["step"] for row in rows(tmp_path / "parts")] == ["3", "6", "9", "12"]


def test_a_run_does_not_go_on_with_other_rates(tmp_path: Path) -> None:
    with pytest.raises(StopHereError):
        train(tmp_path, draw=stop_at_seven)
    with pytest.raises(DresscodeError, match="begun with the rates"):
        train(tmp_path, replace(SCHEDULE, head_rate=2 * SCHEDULE.head_rate))


def test_a_run_may_become_longer_but_not_shorter_than_it_is(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(DresscodeError, match=r"has taken 12 steps already, .* --steps 9"):
        train(tmp_path, replace(SCHEDULE, steps=9))
    assert train(tmp_path, replace(SCHEDULE, steps=15)).step == 15


def test_a_full_disk_is_told_and_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    run = train(tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(DresscodeError, match=r"last\.pt: could not be written, is the disk"):
            run.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not (tmp_path / "last.new").exists()


def test_a_run_that_cannot_be_exported_says_why(tmp_path: Path) -> None:
    with pytest.raises(DresscodeError, match=r"last\.pt: no such file; the run has not come so"):
        load_averaged(new_network(), tmp_path)
    train(tmp_path)
    with pytest.raises(DresscodeError, match="expected the weights of a Linear; is it a run of"):
        load_averaged(nn.Linear(2, 2), tmp_path)


def test_a_checkpoint_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole")
    with pytest.raises(StopHereError):
        train(tmp_path / "parts", draw=stop_at_seven)
    path = tmp_path / "parts" / "last.pt"
    state = torch.load(path, weights_only=True)
    assert state["step"] == 5
    del state["scaler"], state["unwritten_losses"]
    for moments in state["optimiser"]["state"].values():
        for name, value in moments.items():
            moments[name] = value.contiguous()
    torch.save(state, path)
    assert same(whole.averaged, train(tmp_path / "parts").averaged)


def test_batches_of_another_process_are_the_same(tmp_path: Path) -> None:
    # Another process cannot import this file, so that this draws a grey picture of a level.
    grey = functools.partial(torch.full, (8, 3, 4, 4), dtype=torch.float32)
    apart = train(tmp_path / "apart", draw=grey, is_apart=True)
    assert same(train(tmp_path / "here", draw=grey).averaged, apart.averaged)


def test_it_learns_and_says_so(tmp_path: Path) -> None:
    train(tmp_path, replace(SCHEDULE, steps=90))
    table = rows(tmp_path)
    assert [int(row["step"]) for row in table] == list(range(3, 91, 3))
    assert float(table[-1]["half"]) < 0.3 * float(table[0]["half"])
    picture = cv2.imread(str(tmp_path / "losses.png"))
    assert picture is not None
    assert picture.std() > 5


def test_averaged_weights_lag_behind_the_last_ones(tmp_path: Path) -> None:
    last = train(tmp_path / "last", replace(SCHEDULE, averaging=0.0))
    averaged = train(tmp_path / "averaged")
    assert same(last.network, averaged.network)
    assert same(last.averaged, last.network)
    assert not same(averaged.averaged, averaged.network)
    assert same(load_averaged(new_network(), tmp_path / "averaged"), averaged.averaged)


def test_the_backbone_has_a_rate_of_its_own(tmp_path: Path) -> None:
    run = train(tmp_path, replace(SCHEDULE, backbone_rate=0.0))
    start = new_network()
    assert same(run.network[0], start[0])
    assert not same(run.network[2], start[2])


def test_frozen_parameters_stay(tmp_path: Path) -> None:
    network = new_network()
    network[2].requires_grad_(False)
    run = train(tmp_path, network=network)
    assert same(run.averaged[2], new_network()[2])
    assert not same(run.averaged[4], new_network()[4])


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_learns_and_resumes_exactly(tmp_path: Path, precision: Precision) -> None:
    schedule = replace(SCHEDULE, precision=precision, steps=30)
    whole = train(tmp_path / "whole", schedule)
    with pytest.raises(StopHereError):
        train(tmp_path / "parts", schedule, draw=stop_at_seven)
    assert same(whole.network, train(tmp_path / "parts", schedule).network)
    table = rows(tmp_path / "whole")
    assert float(table[-1]["half"]) < 0.5 * float(table[0]["half"])


def test_mixed_precision_rounds(tmp_path: Path) -> None:
    rounded = train(tmp_path / "rounded", replace(SCHEDULE, precision="bfloat16"))
    assert not same(rounded.network, train(tmp_path / "full").network)


def broken_from_five(number: int) -> Tensor:
    return draw(number) * (float("inf") if number == 5 else 1.0)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_batch(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"at step 5; .*bad_batch\.pt"):
        train(tmp_path, draw=broken_from_five)
    saved = torch.load(tmp_path / "bad_batch.pt", weights_only=True)
    assert torch.equal(saved, broken_from_five(5))


@dataclass(frozen=True)
class Nested:
    """A batch as the trainings have them."""

    crops: Tensor
    boxes: list[Tensor]
    names: tuple[str, ...]


def test_batches_move_to_a_device_whole() -> None:
    batch = Nested(torch.zeros(2), [torch.zeros(1), torch.ones(3)], ("dress",))
    there = moved(batch, torch.device("meta"))
    assert there.crops.is_meta
    assert [box.shape for box in there.boxes if box.is_meta] == [(1,), (3,)]
    assert there.names == ("dress",)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_two_processes_train_one_network(tmp_path: Path, root: Path) -> None:
    """Each takes half of what one process takes with batches twice as large."""
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    script = [sys.executable, "-m", "tests.model_build.train.one_of_two", str(tmp_path)]
    started = [
        subprocess.Popen(
            script,
            cwd=root,
            env={**os.environ, **world, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
        )
        for rank in ("0", "1")
    ]
    assert [process.wait(timeout=240) for process in started] == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in "01")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "last.pt",
        "losses.csv",
        "losses.png",
    }
    alone = train(
        tmp_path / "alone",
        WITHOUT_CHANCE,
        draw=lambda step: torch.cat((draw(2 * step), draw(2 * step + 1))),
        network=new_network_without_chance(),
    )
    for name, value in alone.network.state_dict().items():
        torch.testing.assert_close(first[name], value, rtol=1e-3, atol=1e-5)


WITHOUT_CHANCE = replace(SCHEDULE, steps=6, head_rate=1e-3, backbone_rate=1e-3)


def new_network_without_chance() -> nn.Sequential:
    network = new_network()
    network[3] = nn.Identity()
    return network
