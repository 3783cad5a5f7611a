"""``dresscode replay`` from the command line to its files, on a recording made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_app.cli import cli
from edge_app.commands.bench import Network, RecordingEngine, Turn, bench_clip
from edge_app.config.load import load
from edge_app.errors import ConfigError, DresscodeError, EngineError, SourceError, TruthError
from edge_app.flow import Float32, UInt8
from edge_app.inference.choose import describe_gpu
from tests.edge_app.capture.pictures import retime, write_video
from tests.edge_app.tiny_store import CONFIG
from tests.tiny_models import save_all


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose recording shows one person in red for two seconds, then nobody."""
    save_all(tmp_path / "models")
    (tmp_path / "store.yaml").write_text(CONFIG)
    folder = tmp_path / "clip"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(-25, 25, (256, 512, 3))
    for i in range(40):
        picture = np.zeros((256, 512, 3), np.uint8)
        if i < 20:
            picture[:] = np.clip(np.array([60, 90, 230]) + noise, 0, 255)
        assert cv2.imwrite(str(folder / f"{i:04d}.png"), picture)
    return tmp_path


def run(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["replay", str(store / "clip"), "-c", str(store / "store.yaml"), *arguments]
    )


def test_a_simulation_whose_line_is_no_zone_is_replayed_without_a_truth(store: Path) -> None:
    url, out = "sim://entrance?seed=1&duration_s=1", store / "out.json"
    arguments = ["replay", url, "-c", str(store / "store.yaml"), "--json", str(out)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "truth" not in json.loads(out.read_text())
    (told,) = [line for line in result.stderr.splitlines() if "its entrance line is" in line]
    assert told.startswith(url)
    assert told.endswith("so the truth cannot be compared. Put it there to compare")


def test_a_person_is_counted_dressed_and_announced_once(store: Path) -> None:
    result = run(
        store, "--json", str(store / "out.json"), "--mot", str(store / "out.txt"),
        "--draw", str(store / "drawn"), "--picture", str(store / "scene.png"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    out = json.loads((store / "out.json").read_text())
    assert (out["clip"], out["frames"], out["fps"]) == ("clip", 40, 10)
    # The person steps out of view, not out of the area: nothing is guessed about that.
    assert out["counts"] == {"shop": {"in": 1, "out": 0}}
    (entry,) = out["entries"]
    assert entry["outfit"]["long"]["category"] == "dress"
    assert entry["settled"]
    (alert,) = out["alerts"]
    assert (alert["rule"], alert["zone"], alert["garment"]) == ("dresses", "shop", "dress")
    assert alert["probability"] > 0.6
    rows = [line.split(",") for line in (store / "out.txt").read_text().splitlines()]
    assert 10 < len(rows) <= 20
    assert {row[1] for row in rows} == {"1"}
    assert all(len(row) == 10 for row in rows)
    assert len(list((store / "drawn").iterdir())) == 40
    assert "1 in, 0 out" in result.output
    assert cv2.imread(str(store / "scene.png")).shape == (256 + 22, 512, 3)


def test_two_replays_are_equal(store: Path) -> None:
    outputs = []
    for name in ("a.json", "b.json"):
        assert run(store, "--json", str(store / name)).exit_code == 0
        outputs.append((store / name).read_bytes())
    assert outputs[0] == outputs[1]


def test_a_truth_is_compared(store: Path) -> None:
    truth = {
        "clip": {
            "fps": 10,
            "people": [
                {
                    "garments": ["dress"],
                    "entries": [{"frame": 0, "zone": "shop", "direction": "in"}],
                }
            ],
        }
    }
    (store / "truth.json").write_text(json.dumps(truth))
    result = run(store, "--truth", str(store / "truth.json"), "--json", str(store / "out.json"))
    compared = json.loads((store / "out.json").read_text())["truth"]
    assert compared["entries"]["f1"] == 1.0
    assert compared["alerts"]["dresses"]["f1"] == 1.0
    assert compared["garments"]["accuracy"]["value"] == 1.0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.output.splitlines()]
    assert ["alerts of dresses: precision", "1.000", "0.206 .. 1.000", "1"] in rows


def test_a_recording_at_a_varying_rate_is_timed_by_its_stamps(store: Path) -> None:
    """Nobody for ten frames a second apart, somebody for 20 of 10 a second, again nobody."""
    clip = store / "varying.mp4"
    red = np.clip(
        np.array([60, 90, 230]) + np.random.default_rng(0).integers(-25, 25, (256, 512, 3)), 0, 255
    ).astype(np.uint8)
    black = np.zeros_like(red)
    write_video(clip, 40, 10.0, pictures=[*[black] * 10, *[red] * 20, *[black] * 10])
    retime(clip, [1.0] * 10 + [0.1] * 30)
    truth = json.loads(Path(write_truth(store, 40 / 13, frame=10)).read_text())["clip"]
    (store / "truth.json").write_text(json.dumps({"varying.mp4": truth}))
    result = CliRunner().invoke(
        cli,
        ["replay", str(clip), "-c", str(store / "store.yaml"), "--json", str(store / "out.json"),
         "--truth", str(store / "truth.json"), "--picture", str(store / "scene.png"),
         "--mot", str(store / "out.txt")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "varying.mp4: 40 frames in 13.2 s, at no even rate" in result.output
    out = json.loads((store / "out.json").read_text())
    assert [entry["frame"] for entry in out["entries"]] == [10]
    (alert,) = out["alerts"]
    latency = out["truth"]["alerts"]["dresses"]["latency_s"]["p50"]["value"]
    assert latency == pytest.approx((alert["frame"] - 10) / 10, abs=0.01)
    assert out["truth"]["entries"]["f1"] == 1.0
    frames = [int(row.partition(",")[0]) for row in (store / "out.txt").read_text().splitlines()]
    assert 11 <= min(frames) <= max(frames) <= 30


def write_truth(store: Path, fps: float = 10, **changes: object) -> str:
    entry = {"frame": 0, "zone": "shop", "direction": "in", **changes}
    people = [{"garments": ["dress"], "entries": [entry]}]
    path = store / "truth.json"
    path.write_text(json.dumps({"clip": {"fps": fps, "people": people}}))
    return str(path)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"zone": "shpo"}, "got 'shpo'; did you mean 'shop'"),
        ({"frame": 500}, "expected a frame of the clip, 0 to 39, got 500"),
    ],
    ids=["zone", "frame"],
)
def test_a_truth_of_something_else_is_refused(
    store: Path, changes: dict[str, object], match: str
) -> None:
    result = run(store, "--truth", write_truth(store, **changes))
    assert isinstance(result.exception, TruthError)
    assert match in str(result.exception)


@pytest.mark.parametrize(("fps", "is_told"), [(10, False), (25, True)])
def test_another_rate_is_told_and_not_refused(store: Path, fps: float, is_told: bool) -> None:
    result = run(store, "--truth", write_truth(store, fps))
    assert result.exit_code == 0, result.output
    assert ("fps: expected 10 as in the clip, got 25" in result.stderr) == is_told


def test_hours_count_only_where_the_start_is_known(store: Path) -> None:
    path = store / "store.yaml"
    path.write_text(
        path.read_text().replace("cooldown_s: 0}", 'cooldown_s: 0, hours: "09:00-10:00"}')
    )
    out = store / "out.json"
    for arguments, alerts in (
        ((), 1),
        (("--start", "2026-05-08T09:30:00+02:00"), 1),
        (("--start", "2026-05-08T22:00:00+02:00"), 0),
    ):
        assert run(store, "--json", str(out), *arguments).exit_code == 0
        assert len(json.loads(out.read_text())["alerts"]) == alerts, arguments


@pytest.mark.parametrize(
    ("change", "arguments", "error", "match"),
    [
        (("door:", "door:"), ("--camera", "back"), ConfigError, "--camera back: the configuration"),
        (("door:", "door:"), ("--start", "noon"), ConfigError, "--start noon: expected a time"),
        (("door:", "door:"), ("--start", "9999-12-31T23:00:00Z"), ConfigError, "a year from 1970"),
        (("door:", "door:"), ("--start", "0001-01-01"), ConfigError, "a year from 1970 to 2999"),
        (("door:", "door:"), ("--mot", "/proc/x/y"), SourceError, "cannot be written"),
    ],
    ids=["camera", "start", "no room after", "no room before", "mot"],
)
def test_bad_arguments(
    store: Path,
    change: tuple[str, str],
    arguments: tuple[str, ...],
    error: type[DresscodeError],
    match: str,
) -> None:
    result = run(store, *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, error)
    assert match in str(result.exception)


@pytest.mark.parametrize(
    ("option", "path", "match"),
    [
        ("--json", "none/out.json", "there is no folder"),
        ("--json", "clip", "it is a folder; name a file in it"),
        ("--mot", "none/out.txt", "there is no folder"),
        ("--picture", "scene", "expected the name of a picture, got one that ends in ''"),
        ("--picture", "scene.mp4", "let it end in .png or .jpg"),
        ("--picture", "store.yaml/scene.png", "there is no folder"),
        ("--picture", "folder.png", "it is a folder; name a file in it"),
        ("--picture", "clip/scene.png", "drawings there would be frames of the recording"),
        ("--draw", "clip", "drawings there would be frames of the recording"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_networks_load(
    store: Path, option: str, path: str, match: str
) -> None:
    (store / "folder.png").mkdir()
    for model in (store / "models").iterdir():
        model.unlink()
    result = run(store, option, str(store / path))
    assert isinstance(result.exception, SourceError)
    assert match in str(result.exception)
    assert len(list((store / "clip").iterdir())) == 40


def test_bench_tells_what_cannot_be_written_before_it_measures(store: Path) -> None:
    arguments = ["bench", str(store / "clip"), "-c", str(store / "store.yaml")]
    result = CliRunner().invoke(cli, [*arguments, "--json", str(store / "none" / "bench.json")])
    assert isinstance(result.exception, SourceError)
    assert "there is no folder" in str(result.exception)
    assert not result.stdout


def test_several_cameras_need_a_choice(store: Path) -> None:
    path = store / "store.yaml"
    second = "  back: {source: x.mp4, zones: {}}\nalerts:"
    path.write_text(path.read_text().replace("alerts:", second))
    result = run(store)
    assert "several cameras; choose one: door, back" in str(result.exception)
    assert run(store, "--camera", "door").exit_code == 0


def test_bench_measures_every_figure(store: Path) -> None:
    result = CliRunner().invoke(
        cli,
        ["bench", str(store / "clip"), "-c", str(store / "store.yaml"),
         "--json", str(store / "bench.json"), "--seconds", "0"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    figures = json.loads((store / "bench.json").read_text())
    assert (figures["passes"], figures["frames"]) == (1, 40)
    assert figures["network_calls"]["detector"] == 40
    assert 0 < figures["network_calls"]["garments"] <= figures["network_pictures"]["garments"]
    assert 0 < figures["share_of_limit"] < 1.5
    bare_s = sum(figures["bare_ms_per_frame"].values())
    assert bare_s * figures["frames_per_s"] / 1000 == pytest.approx(
        figures["share_of_limit"], rel=0.05
    )
    assert figures["peak_memory_mb"] > 10
    assert set(figures["stage_ms_per_frame"]) == {"detection", "tracking", "events", "outfit"}


def test_bench_names_a_recording_that_is_not_there_before_it_loads_networks(store: Path) -> None:
    config = load(store / "store.yaml")
    nowhere = config.inference.model_copy(update={"models": store / "no-models"})
    with pytest.raises(SourceError, match=r"nope\.mp4: expected a video file"):
        bench_clip("nope.mp4", config.model_copy(update={"inference": nowhere}), None)


def test_bench_runs_a_short_recording_again_with_the_same_calls(store: Path) -> None:
    config = load(store / "store.yaml")
    once = bench_clip(str(store / "clip"), config, None, "cpu")
    again = bench_clip(str(store / "clip"), config, None, "cpu", least_s=4.0 * wall_s(once))
    assert again["passes"] > 1
    assert again["frames"] == again["passes"] * once["frames"]
    for count in ("network_calls", "network_pictures"):
        assert again[count] == {task: again["passes"] * n for task, n in once[count].items()}
    shares = again["share_of_limit_by_pass"]
    assert shares["least"] <= again["share_of_limit"] <= shares["most"]


def wall_s(figures: dict[str, Any]) -> float:
    """What the pipeline took in all."""
    return float(figures["frames"] / figures["frames_per_s"])


def test_a_turn_makes_exactly_its_own_calls_again() -> None:
    turn, engine = Turn(), CountingEngine()
    network = Network(engine)
    first, second = np.zeros((1, 2, 2, 3), np.uint8), np.ones((3, 2, 2, 3), np.uint8)
    recorded = RecordingEngine(network, turn)
    recorded.infer(first)
    turn.begin()
    recorded.infer(second)
    recorded.infer(first)
    second[:] = 7  # the pipeline fills the same batch with the next pictures
    turn.run_bare()
    assert (network.calls, network.pictures) == (2, 4)
    assert [batch.shape[0] for batch in engine.batches] == [1, 3, 1, 3, 1]
    np.testing.assert_array_equal(engine.batches[3], np.ones((3, 2, 2, 3)))


class CountingEngine:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.batches: list[UInt8] = []

    def infer(self, batch_nhwc: UInt8) -> dict[str, Float32]:
        """Nothing is found."""
        self.batches.append(batch_nhwc.copy())
        return {}

    def close(self) -> None:
        """Nothing is held."""


def test_bench_says_what_ran_the_networks(store: Path) -> None:
    told = store / "bench.json"
    arguments = ["bench", str(store / "clip"), "-c", str(store / "store.yaml"), "--json", str(told)]
    result = CliRunner().invoke(cli, [*arguments, "--device", "cpu", "--seconds", "0"])
    assert result.exit_code == 0, result.output
    devices = json.loads(told.read_text())["device"]
    assert devices == dict.fromkeys(["detector", "garments", "classifier"], "the CPU (OpenVINO)")


def test_bench_on_a_gpu_that_is_not_there_is_an_error_and_no_figure(store: Path) -> None:
    if describe_gpu()[0]:
        pytest.skip("a GPU is here")
    arguments = ["bench", str(store / "clip"), "-c", str(store / "store.yaml"), "--device", "gpu"]
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, EngineError)
    assert "inference.device is gpu" in str(result.exception)
    assert "frames_per_s" not in result.output
