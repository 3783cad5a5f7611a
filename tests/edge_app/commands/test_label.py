"""``dresscode label``: over its HTTP interface, and by keys in a real browser if there is one."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge_app.capture.replay import ReplayCamera
from edge_app.cli import cli
from edge_app.commands.label import Labelling
from edge_app.commands.label_frames import FramePictures
from edge_app.commands.page_server import PageServer
from edge_app.commands.truth import load_truth
from edge_app.commands.truth_file import read_clips
from edge_app.config.schema import Config
from edge_app.errors import SourceError, TruthError
from tests.edge_app.capture.pictures import retime, write_video
from tests.edge_app.tiny_store import CONFIG, put_together

FRAMES, WIDTH, HEIGHT = 30, 160, 96
PERSON = {
    "frames": [2, 20],
    "entries": [{"frame": 12, "zone": "entrance", "direction": "in"}],
    "garments": ["dress"],
    "clothes": "short white dress",
}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder of pictures, each as bright as its number says."""
    folder = tmp_path / "door"
    folder.mkdir()
    for i in range(FRAMES):
        assert cv2.imwrite(str(folder / f"{i}.png"), np.full((HEIGHT, WIDTH, 3), 8 * i, np.uint8))
    return folder


@pytest.fixture
def config() -> Config:
    return Config.model_validate(
        {
            "store": "acme-1",
            "node": "edge-1",
            "timezone": "UTC",
            "mqtt": {"url": "mqtt://127.0.0.1:1883"},
            "cameras": {
                "door": {
                    "source": "x.mp4",
                    "zones": {"entrance": {"line": [[0.5, 0.0], [0.5, 1.0]]}},
                }
            },
        }
    )


@contextmanager
def served(clip: Path, config: Config, truth: Path) -> Iterator[PageServer]:
    labelling = Labelling(str(clip), config, truth)
    with PageServer(labelling) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            labelling.pictures.close()


def ask(
    server: PageServer, path: str, body: Any = None, key: str | None = None, host: str = ""
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    headers = {"Host": host} if host else {}
    text = None if body is None else json.dumps(body)
    method = "GET" if body is None else "PUT"
    key = server.key if key is None else key
    connection.request(method, f"/{key}/{path}", text, headers)
    answer = connection.getresponse()
    told = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return told


def brightness(jpeg: bytes) -> int:
    return round(float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).mean()) / 8)


def test_what_is_saved_is_a_truth_file(clip, config, tmp_path):
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"_format": "mine", "other.mp4": {"fps": 5, "people": []}}))
    with served(clip, config, truth) as server:
        status, _, _ = ask(server, "clip", {"scene": "A door.", "people": [PERSON]})
    assert status == 200
    clips = json.loads(truth.read_text())
    assert clips["_format"] == "mine"
    assert clips["other.mp4"] == {"fps": 5, "people": []}
    assert clips["door"] == {
        "fps": 10.0,
        "frames": FRAMES,
        "size": [WIDTH, HEIGHT],
        "scene": "A door.",
        "zones": {"entrance": {"line": [[0.5, 0.0], [0.5, 1.0]]}},
        "people": [{**PERSON, "alert": "dress"}],
    }
    loaded = load_truth(truth, "door", ["entrance"], FRAMES)
    assert (loaded.entries[0].frame, loaded.garments) == (12, (frozenset({"dress"}),))


ALERTS = {
    "a dress that came in": ({}, "dress"),
    "suit": ({"garments": ["suit"]}, "suit"),
    "something else": ({"garments": ["shirt"]}, None),
    "only went out": ({"entries": [{**PERSON["entries"][0], "direction": "out"}]}, None),
    "staff": ({"staff": True}, None),
}


@pytest.mark.parametrize(("changes", "alert"), ALERTS.values(), ids=ALERTS.keys())
def test_which_alert_must_come_follows(clip, config, tmp_path, changes, alert):
    labelling = Labelling(str(clip), config, tmp_path / "truth.json")
    labelling.save(json.dumps({"people": [{**PERSON, **changes}]}).encode())
    labelling.pictures.close()
    [person] = read_clips(tmp_path / "truth.json")["door"]["people"]
    assert person["alert"] == alert
    assert person.get("staff", False) == ("staff" in changes)


def test_work_goes_on_where_it_was_left(clip, config, tmp_path):
    truth = tmp_path / "truth.json"
    with served(clip, config, truth) as server:
        ask(server, "clip", {"people": [PERSON]})
    with served(clip, config, truth) as server:
        told = json.loads(ask(server, "clip")[1])
    assert told["people"] == [{**PERSON, "alert": "dress"}]
    assert (told["frames"], told["fps"], told["size"]) == (FRAMES, 10.0, [WIDTH, HEIGHT])
    assert told["zones"] == {"entrance": {"line": [[0.5, 0.0], [0.5, 1.0]]}}


def test_a_file_without_frames_in_view_is_gone_on_with(clip, config, tmp_path):
    person = {"garments": ["dress"], "entries": PERSON["entries"]}
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"door": {"fps": 10, "people": [person]}}))
    with served(clip, config, truth) as server:
        told = json.loads(ask(server, "clip")[1])
        assert "frames" not in told["people"][0]
        assert ask(server, "clip", {"people": told["people"]})[0] == 200
    assert read_clips(truth)["door"]["people"] == [{**person, "clothes": "", "alert": "dress"}]


def test_frames_are_those_of_a_replay_and_stay_in_memory(clip, config, tmp_path):
    with served(clip, config, tmp_path / "truth.json") as server:
        for index in (0, 7, 29, 3):
            status, jpeg, headers = ask(server, f"frame/{index}")
            assert (status, brightness(jpeg)) == (200, index)
            assert headers["Cache-Control"] == "no-store"
        assert ask(server, "frame/30")[0] == 404
        assert ask(server, "")[2]["Content-Security-Policy"].startswith("default-src 'none'")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["door"]


def test_frames_behind_those_that_the_header_knows_of_can_be_labelled(config, tmp_path):
    clip = put_together(tmp_path / "clip.ts", parts=3)
    with served(clip, config, tmp_path / "truth.json") as server:
        steps = ((18, 20), (19, None), (50, None), (60, 60))  # a frame, and what is known then
        for asked, known in steps:
            assert ask(server, f"frame/{asked}")[0] == (200 if asked < 60 else 404)
            assert json.loads(ask(server, "clip")[1])["frames"] == known


def near(server: PageServer, frame: int, by_s: int) -> tuple[int, float]:
    told = json.loads(ask(server, f"near/{frame}/{by_s}")[1])
    return told["frame"], round(told["seconds"], 2)


def test_a_second_on_is_as_many_frames_as_its_rate_says(clip, config, tmp_path):
    with served(clip, config, tmp_path / "truth.json") as server:
        assert near(server, 2, 1) == (12, 1.2)
        assert near(server, 12, -1) == (2, 0.2)
        assert near(server, 12, 0) == (12, 1.2)
        assert near(server, 25, 1) == (29, 2.9)
        assert near(server, 7, -10) == (0, 0.0)
        assert ask(server, "near/30/0")[0] == 404


def test_a_second_on_is_one_by_the_time_stamps_and_over_a_gap_it_is_the_next_frame(
    config, tmp_path
):
    apart_s = [0.1] * 5 + [0.5] * 5 + [60.0] + [0.1] * 9
    clip = retime(write_video(tmp_path / "clip.mp4", 20, fps=10.0), apart_s)
    with served(clip, config, tmp_path / "truth.json") as server:
        assert near(server, 5, 1) == (7, 1.5)
        assert near(server, 10, 1) == (11, 63.0)
        assert near(server, 11, -1) == (10, 3.0)
        assert near(server, 11, 0) == (11, 63.0)
        assert near(server, 0, 1) == (6, 1.0)


def test_far_back_the_recording_is_read_again(clip, monkeypatch):
    opened = []

    def open_one() -> ReplayCamera:
        opened.append(1)
        return ReplayCamera("door", clip, 10.0, 0.0)

    monkeypatch.setattr("edge_app.commands.label_frames.KEPT_BYTES", 3000)
    pictures = FramePictures(open_one)
    assert [brightness(pictures.jpeg(i) or b"") for i in (28, 27, 2, 3)] == [28, 27, 2, 3]
    assert 1 < len(opened) <= 3
    assert (pictures.jpeg(99), pictures.frame_count) == (None, FRAMES)
    pictures.close()


REFUSED = {
    "another key": ("clip", None, {"key": "guess"}, 403),
    "another host": ("clip", None, {"host": "evil.example:80"}, 403),
    "no such page": ("../etc/passwd", None, {}, 404),
    "no such frame": ("frame/-1", None, {}, 404),
    "a frame beyond all numbers": ("frame/" + "9" * 5000, None, {}, 404),
    "no such time": ("near/1", None, {}, 404),
    "a time beyond all numbers": ("near/1/" + "9" * 5000, None, {}, 404),
    "saved elsewhere": ("frame/1", {"people": []}, {}, 404),
    "no garment": ("clip", {"people": [{**PERSON, "garments": ["hat"]}]}, {}, 400),
    "no zone": (
        "clip",
        {"people": [{**PERSON, "entries": [{"frame": 1, "zone": "roof", "direction": "in"}]}]},
        {},
        400,
    ),
    "no labels": ("clip", [1], {}, 400),
}


@pytest.mark.parametrize(("path", "body", "how", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_changes_nothing(clip, config, tmp_path, path, body, how, status):
    with served(clip, config, tmp_path / "truth.json") as server:
        assert ask(server, path, body, **how)[0] == status
    assert not (tmp_path / "truth.json").exists()


def test_only_this_machine_is_served(clip, config, tmp_path):
    with served(clip, config, tmp_path / "truth.json") as server:
        assert server.server_address[0] == "127.0.0.1"
        with pytest.raises(SourceError, match="cannot be used: Address already in use; choose"):
            PageServer(server.site, server.server_port)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "is not JSON"),
        ("[]", "expected an object with one key per clip"),
        ('{"door": []}', "door: expected an object with fps and people, got a list of 0"),
        ('{"door": {"people": [{"frames": [1]}]}}', r"door: people\[0\]\.frames\[1\]: expected"),
    ],
    ids=["no-json", "a-list", "no-clip", "half-a-person"],
)
def test_a_file_that_is_no_truth_is_left_alone(clip, config, tmp_path, text, match):
    truth = tmp_path / "truth.json"
    truth.write_text(text)
    with pytest.raises(TruthError, match=match):
        Labelling(str(clip), config, truth)
    assert truth.read_text() == text


def test_the_command_says_where_the_page_is_and_ends_with_ctrl_c(clip, tmp_path, monkeypatch):
    def interrupted(_server: PageServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PageServer, "serve_forever", interrupted)
    (tmp_path / "store.yaml").write_text(CONFIG)
    truth = tmp_path / "truth.json"
    result = CliRunner().invoke(
        cli, ["label", str(clip), "-c", str(tmp_path / "store.yaml"), "--truth", str(truth)]
    )
    assert result.exit_code == 0, result.output
    first, last = result.output.splitlines()
    assert re.match(r"open http://127\.0\.0\.1:\d+/[\w-]{20,}/ in a browser on this machine", first)
    assert last == f"{truth}: holds what was saved"


def test_the_page_shows_the_time_of_each_frame(config, tmp_path, browser):
    apart_s = [0.1] * 5 + [0.5] * 5 + [60.0] + [0.1] * 9
    clip = retime(write_video(tmp_path / "clip.mp4", 20, fps=10.0), apart_s)
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    def shows(words: str) -> None:
        WebDriverWait(browser, 10).until(lambda b: words in b.find_element(By.ID, "at").text)

    with served(clip, config, tmp_path / "truth.json") as server:
        browser.get(server.url)
        shows("frame 0 of 19, 0:00.0")
        page = browser.find_element(By.TAG_NAME, "body")
        page.send_keys(Keys.SHIFT, Keys.RIGHT * 3, Keys.NULL)
        shows("frame 10 of 19, 0:03.0")
        page.send_keys(Keys.RIGHT)
        shows("frame 11 of 19, 1:03.0")
        page.send_keys(" ")
        shows("frame 19 of 19, 1:03.8")
        browser.get("about:blank")


def test_a_person_labels_a_clip_by_keys(clip, config, tmp_path, browser):
    truth = tmp_path / "truth.json"
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    def shows(element: str, words: str) -> None:
        WebDriverWait(browser, 10).until(lambda b: words in b.find_element(By.ID, element).text)

    with served(clip, config, truth) as server:
        browser.get(server.url)
        shows("at", "frame 0 of 29")
        page = browser.find_element(By.TAG_NAME, "body")
        page.send_keys(Keys.RIGHT * 2)
        shows("at", "frame 2 ")
        page.send_keys("n")
        page.send_keys(Keys.SHIFT, Keys.RIGHT, Keys.NULL)
        shows("at", "frame 12 ")
        page.send_keys("ior")  # in, then by mistake out and a skirt
        page.send_keys("zz")
        page.send_keys("t" + Keys.END)
        shows("at", "frame 29 ")
        page.send_keys("]s")
        shows("saved", "saved")
        shows("people", "dress")
        browser.get("about:blank")
    assert read_clips(truth)["door"]["people"] == [
        {**PERSON, "frames": [2, 29], "clothes": "", "alert": "dress"}
    ]
