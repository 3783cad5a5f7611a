"""The loop learns, resumes exactly, leaves a table, and stops on a loss that is not finite."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model_build.train.loop import Job, Schedule, train

SCHEDULE = Schedule(
    steps=12, rate=0.05, warm_up_steps=2, averaging=0.5, save_every=4, log_every=2, workers=0
)


def make_batch(number: int) -> Tensor:
    generator = torch.Generator().manual_seed(number)
    return torch.rand(8, 3, generator=generator)


def losses(network: nn.Sequential, batch: Tensor, device: torch.device) -> Mapping[str, Tensor]:
    wanted = batch.sum(1, keepdim=True)
    error = nn.functional.mse_loss(network(batch), wanted)
    return {"total": error, "error": error}


def new_job() -> Job[nn.Sequential, Tensor]:
    torch.manual_seed(3)
    return Job(nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.2), nn.Linear(8, 1)), make_batch, losses)


class StopHereError(Exception):
    """As if the power had failed."""


def stopping_at(step: int) -> Job[nn.Sequential, Tensor]:
    job = new_job()

    def stop(number: int) -> Tensor:
        if number == step:
            raise StopHereError
        return make_batch(number)

    return replace(job, make_batch=stop)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_stopped_run_ends_like_one_that_was_not(tmp_path: Path) -> None:
    whole = train(new_job(), SCHEDULE, tmp_path / "whole")
    with pytest.raises(StopHereError):
        train(stopping_at(7), SCHEDULE, tmp_path / "parts")
    torch.manual_seed(99)
    resumed = train(new_job(), SCHEDULE, tmp_path / "parts")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")


def test_batches_of_a_second_process_are_the_same(tmp_path: Path) -> None:
    here = train(new_job(), SCHEDULE, tmp_path / "here")
    there = train(new_job(), replace(SCHEDULE, workers=1), tmp_path / "there")
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_it_learns_and_says_so(tmp_path: Path) -> None:
    train(new_job(), replace(SCHEDULE, steps=60), tmp_path)
    table = rows(tmp_path)
    assert [int(row["step"]) for row in table] == list(range(2, 61, 2))
    assert float(table[-1]["total"]) < 0.3 * float(table[0]["total"])


def test_averaged_weights_lag_behind_the_last_ones(tmp_path: Path) -> None:
    last = train(new_job(), replace(SCHEDULE, averaging=0.0), tmp_path / "last")
    job = new_job()
    averaged = train(job, SCHEDULE, tmp_path / "averaged")
    trained = job.network.state_dict()
    assert all(torch.equal(last[name], trained[name]) for name in last)
    assert not any(torch.equal(last[name], averaged[name]) for name in last)


def test_frozen_parameters_stay(tmp_path: Path) -> None:
    job = new_job()
    job.network[0].requires_grad_(False)
    before = job.network[0].weight.detach().clone()  # type: ignore[union-attr]
    averaged = train(job, SCHEDULE, tmp_path)
    assert torch.equal(averaged["0.weight"], before)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_batch(tmp_path: Path) -> None:
    def bad_losses(
        network: nn.Sequential, batch: Tensor, device: torch.device
    ) -> Mapping[str, Tensor]:
        parts = losses(network, batch, device)
        is_bad = torch.equal(batch, make_batch(5))
        return {"total": parts["total"] * (float("nan") if is_bad else 1.0)}

    with pytest.raises(FloatingPointError, match="step 5"):
        train(replace(new_job(), losses=bad_losses), SCHEDULE, tmp_path)
    assert torch.equal(torch.load(tmp_path / "bad_batch.pt"), make_batch(5))
