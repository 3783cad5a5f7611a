"""``dresscode zones``: over its HTTP interface, and by hand in a real browser if there is one."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edge_app.app import Networks, open_networks
from edge_app.cli import cli
from edge_app.commands.page_server import PageServer
from edge_app.commands.watching import Watching
from edge_app.commands.zones import ZoneSite, described, redrawn
from edge_app.config.kinds import ID_PATTERN
from edge_app.config.load import load, loads
from edge_app.config.schema import Config, DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.flow import Batch, Float32
from edge_app.inference.choose import open_engine
from edge_app.inference.model import Model
from edge_app.ports import Engine
from tests.edge_app.tiny_store import write_clip
from tests.edge_app.walker import DRESS, Walker
from tests.tiny_models import save_all

STORE = """
store: acme-1
node: edge-1
timezone: Europe/Paris
mqtt: {url: "mqtt://127.0.0.1:1"}
inference: {models: models, threads: 1}
motion: {gate: "off"}
cameras:
  door:
    source: clip
    fps: 20
"""
ZONES = """
    zones:
      entrance: {line: [[0, 0.75], [1, 0.75]], uturn_s: 5}
"""
REST = """
  back:
    source: clip
    zones: {store-room: {area: [[0, 0], [1, 0], [1, 1]]}}
alerts:
  dresses: {any_of: [dress], zones: [entrance]}
"""
MASK = [[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    save_all(tmp_path / "models")
    write_clip(tmp_path / "clip", [DRESS], 2000)
    (tmp_path / "store.yaml").write_text(STORE + ZONES + REST)
    return tmp_path


@pytest.fixture
def config(store: Path) -> Config:
    return load(store / "store.yaml")


class Watched(Walker):
    """Somebody who walks, and how often they were looked at."""

    looks = 0

    def infer(self, batch: Batch) -> dict[str, Float32]:
        self.looks += 1
        return super().infer(batch)


@pytest.fixture
def walker() -> Watched:
    return Watched()


@pytest.fixture
def networks(config: Config, walker: Watched) -> Iterator[Networks]:
    def open_one(settings: InferenceSettings, model: Model) -> Engine:
        return walker if model.task == "detector" else open_engine(settings, model)

    opened = open_networks(config.inference, DetectionSettings(), OutfitSettings(), open_one)
    yield opened
    opened.close()


@contextmanager
def watched(
    config: Config, networks: Networks
) -> Iterator[tuple[PageServer, Callable[[float], None]]]:
    """The page, with its cameras; and what has the feet go somewhere and stay for half a second."""
    walker = networks.engines["detector"]
    assert isinstance(walker, Watched)
    with Watching(config, networks) as watching, PageServer(ZoneSite(watching)) as server:
        has_ended = threading.Event()

        def turn() -> None:
            while not has_ended.is_set():
                watching.turn()

        def look(times: int) -> None:
            until = walker.looks + times
            while walker.looks < until:
                time.sleep(0.01)

        def go(feet_px: float) -> None:
            for px in np.linspace(walker.feet_px, feet_px, 10):
                walker.feet_px = float(px)
                look(1)
            began_s = time.monotonic()
            while time.monotonic() < began_s + 0.5:
                look(5)

        threads = [threading.Thread(target=server.serve_forever, args=(0.01,)),
                   threading.Thread(target=turn)]  # fmt: skip
        for thread in threads:
            thread.start()
        try:
            yield server, go
        finally:
            has_ended.set()
            server.shutdown()
            for thread in threads:
                thread.join()


def ask(server: PageServer, path: str, body: Any = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    text = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "PUT", f"/{server.key}/{path}", text)
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def seen(server: PageServer, camera: str = "door") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ask(server, f"seen/{camera}")[1])
    return told


def test_who_walks_over_a_line_just_drawn_is_counted(config, networks, walker):
    walker.feet_px = 310
    with watched(config, networks) as (server, go):
        go(310)
        assert seen(server)["counts"] == {"entrance": {"in": 0, "out": 0}}
        drawn = {"zones": {"entrance": {"line": [[0, 0.7], [1, 0.7]]}}}
        assert ask(server, "cameras/door", drawn)[0] == 200
        go(310)
        go(160)
        told = seen(server)
        assert told["counts"] == {"entrance": {"in": 1, "out": 0}}
        while len(told["news"]) < 2:  # until enough was seen of the clothes
            told = seen(server)
        alert, entered = (line.partition(",")[0] for line in told["news"])
        assert (alert[:20], entered) == ("ALERT dresses: dress", "in: entrance")
        assert (told["state"], told["size"], told["trouble"]) == ("online", [640, 320], None)
        assert told["fps"] > 0
        # What a zone has counted stays while others change, and begins anew with its own change.
        drawn["zones"]["shelf"] = {"area": [[0.8, 0.8], [0.9, 0.8], [0.9, 0.9]]}
        ask(server, "cameras/door", drawn)
        go(160)
        nobody = {"in": 0, "out": 0}
        assert seen(server)["counts"] == {"entrance": {"in": 1, "out": 0}, "shelf": nobody}
        drawn["zones"]["entrance"]["line"].reverse()
        ask(server, "cameras/door", drawn)
        go(160)
        assert seen(server)["counts"] == {"entrance": nobody, "shelf": nobody}


def test_the_picture_shows_masks_and_people_and_stays_in_memory(store, config, networks, walker):
    walker.x_px, walker.feet_px = 400, 300
    before = sorted(store.rglob("*"))
    with watched(config, networks) as (server, go):
        assert ask(server, "picture/door")[0] == 404
        ask(server, "cameras/door", {"zones": {"entrance": {"line": [[0, 0.5], [1, 0.5]]}},
                                     "privacy_masks": [MASK]})  # fmt: skip
        go(300)
        status, jpeg = ask(server, "picture/door?17")
    assert status == 200
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == DRESS.shape
    assert picture[10:150, 10:310].max() < 16
    feet = picture[298:302, 428:432].reshape(-1, 3).mean(0)
    assert feet[1] > feet[2] + 50, "a green dot on red clothes"
    assert sorted(store.rglob("*")) == before


def test_what_was_drawn_is_told_as_the_file_would_have_it(store, config, networks):
    drawn = {
        "zones": {"entrance": {"line": [[0.1, 0.7], [0.9, 0.7]], "uturn_s": 5}},
        "privacy_masks": [MASK],
    }
    with watched(config, networks) as (server, _):
        told = json.loads(ask(server, "cameras/door", drawn)[1])
        assert json.loads(ask(server, "cameras")[1])["door"]["zones"] == told["zones"]
    text = STORE + told["yaml"] + REST
    again = loads(text, folder=store)
    assert again.cameras["door"].zones == redrawn(config, "door", drawn).cameras["door"].zones
    assert again.cameras["door"].privacy_masks == (tuple(map(tuple, MASK)),)
    assert told["doubts"] == []


IDS = st.from_regex(ID_PATTERN, fullmatch=True) | st.sampled_from(
    ["on", "no", "null", "1", "1e5", "0x1f", "2026-11-30", "y", "1-"]
)


@given(st.dictionaries(IDS.filter(lambda name: name != "all"), st.floats(0.0, 0.9), max_size=4))
def test_any_zone_survives_its_way_into_the_file(heights):
    zones = {name: {"line": [[0.1, y], [0.9, y + 0.05]]} for name, y in heights.items()}
    text = STORE.replace("source: clip", "source: 0")
    config = redrawn(loads(text), "door", {"zones": zones})
    again = loads(text + described(config.cameras["door"])["yaml"])
    assert again == config


REFUSED = {
    "no JSON object": ([1], "expected an object with privacy_masks and zones"),
    "another key": ({"source": "x"}, "expected an object with privacy_masks and zones"),
    "a zone of no shape": ({"zones": {"entrance": {}}}, "cameras.door.zones.entrance: a zone has"),
    "a bad id": (
        {"zones": {"Tür": {"line": [[0, 0], [1, 1]]}}},
        "cameras.door.zones.Tür: expected an id of small letters",
    ),
    "outside the picture": (
        {"zones": {"entrance": {"line": [[0, 0], [1, 2]]}}},
        "cameras.door.zones.entrance.line[1][1]: expected at most 1, got 2",
    ),
    "the other camera's id": (
        {"zones": {"entrance": {"line": [[0, 0], [1, 1]]}, "store-room": {"area": MASK}}},
        "camera 'door' has a zone of this id too",
    ),
    "a rule's zone gone": ({"zones": {}}, "alerts.dresses.zones[0]: expected the id of a zone"),
    "a mask that crosses itself": (
        {"zones": {"entrance": {"line": [[0, 0], [1, 1]]}},
         "privacy_masks": [[[0, 0], [1, 1], [1, 0], [0, 1]]]},
        "cameras.door.privacy_masks[0]: two sides of the polygon cross",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("drawn", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_be_no_good_configuration_changes_nothing(config, networks, drawn, said):
    with watched(config, networks) as (server, _):
        before = ask(server, "cameras")
        status, why = ask(server, "cameras/door", drawn)
        assert (status, said in why.decode()) == (400, True), why
        assert ask(server, "cameras") == before


@pytest.mark.parametrize(
    ("body", "length"),
    [(b"[" * 99_999, "99999"), (b'{"zones":{"\\ud800":{}}}', "23"), (b"", "9" * 5000), (b"", "-1")],
    ids=["deep", "half a character", "a length beyond all numbers", "a negative length"],
)
def test_whatever_is_sent_gets_an_answer(config, networks, body, length):
    with watched(config, networks) as (server, _):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        path, told = f"/{server.key}/cameras/door", {"Content-Length": length}
        connection.request("PUT", path, body, told)
        assert connection.getresponse().status in (400, 413)
        connection.close()
        assert ask(server, "seen/door?17")[0] == 200


def test_two_who_draw_at_once_on_two_cameras_lose_nothing(config, networks):
    site = ZoneSite(Watching(config, networks))
    drawn = {
        "door": {"entrance": {"line": [[0, 0.5], [1, 0.5]]}},
        "back": {"store-room": {"area": MASK}},
    }

    def draw(camera: str) -> None:
        for n in range(100):
            mask = [[0, 0], [0.5, 0], [0.5, (n + 1) / 100]]
            body = {"zones": drawn[camera], "privacy_masks": [mask]}
            site.put(f"cameras/{camera}", json.dumps(body).encode())
            kept = json.loads(site.get("cameras").body)[camera]["privacy_masks"]
            lost.extend([] if kept == [mask] else [n])

    lost: list[int] = []
    threads = [threading.Thread(target=draw, args=(camera,)) for camera in drawn]
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before_s)
    assert lost == []


def test_what_is_hardly_meant_is_said(config, networks):
    drawn = {"zones": {"entrance": {"line": [[0.1, 0.25], [0.4, 0.25]]}}, "privacy_masks": [MASK]}
    with watched(config, networks) as (server, _):
        [doubt] = json.loads(ask(server, "cameras/door", drawn)[1])["doubts"]
    assert doubt.startswith("entrance: privacy masks hide 100% of the line")


def test_there_is_nothing_else(config, networks):
    with watched(config, networks) as (server, _):
        for path in ("seen/roof", "picture/roof", "cameras/roof", "else/door", "../etc/passwd"):
            assert ask(server, path)[0] == 404
        assert ask(server, "cameras/roof", {})[0] == 404
        assert ask(server, "seen/door", {})[0] == 404


def test_a_camera_that_is_not_there_says_why(config, networks):
    cameras = {"door": config.cameras["door"].model_copy(update={"source": "rtsp://127.0.0.1:1/"})}
    with watched(config.model_copy(update={"cameras": cameras}), networks) as (server, _):
        while (told := seen(server))["state"] != "offline":
            time.sleep(0.05)
    assert (told["state"], told["size"]) == ("offline", None)
    assert "rtsp://127.0.0.1:1/" in told["reason"]


def test_the_command_ends_with_what_belongs_into_the_file(store, monkeypatch):
    def draw_and_leave(watching: Watching) -> None:
        drawn = {"zones": {"entrance": {"line": [[0.1, 0.5], [0.9, 0.5]]}}}
        watching.change(redrawn(watching.config, "door", drawn))
        raise KeyboardInterrupt

    monkeypatch.setattr(Watching, "turn", draw_and_leave)
    result = CliRunner().invoke(cli, ["zones", "-c", str(store / "store.yaml")])
    assert result.exit_code == 0, result.output
    first, *rest = result.output.splitlines()
    assert first.startswith("open http://127.0.0.1:")
    assert rest[-5:] == [
        "cameras:",
        "  door:",
        "    zones:",
        "      entrance:",
        "        line: [[0.1, 0.5], [0.9, 0.5]]",
    ]


class Hand:
    """Somebody at the page.

    Args:
        browser: selenium's.
        server: of the page, which is opened; its first camera has shown a picture.
    """

    def __init__(self, browser: Any, server: PageServer) -> None:
        self.browser = browser
        browser.get(server.url)
        self.until(lambda words: "online" in words, "state")

    def until(self, is_so: Callable[[str], bool], element: str) -> None:
        """Wait for the words of an element."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.browser, 30)
        wait.until(lambda _: is_so(self.browser.find_element(By.ID, element).text), element)

    def shapes(self) -> Any:
        """By id, the points of what is drawn."""
        return self.browser.execute_script(
            "return Object.fromEntries(here().shapes.map(shape => [shape.id, shape.points]))"
        )

    def point(self, x: float, y: float, *, press: bool = False, release: bool = False) -> None:
        """Go to a fraction of the picture, pressing the button there or letting it go."""
        from selenium.webdriver import ActionChains

        a, e, f = self.browser.execute_script(
            "const m = document.getElementById('over').getScreenCTM(); return [m.a, m.e, m.f]"
        )
        action = ActionChains(self.browser, duration=20)
        pointer = action.w3c_actions.pointer_action
        pointer.move_to_location(round(e + x * 640 * a), round(f + y * 320 * a))
        if press:
            pointer.pointer_down()
        if release:
            pointer.pointer_up()
        action.perform()

    def draw_line(self, y: float) -> None:
        """From one side of the picture to the other."""
        self.type("l")
        for x in (0.05, 0.95):
            self.point(x, y, press=True, release=True)

    def type(self, keys: str) -> None:
        """Into whatever has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(keys).perform()


def test_a_line_is_drawn_by_hand(config, networks, walker, browser):
    walker.feet_px = 310
    with watched(config, networks) as (server, go):
        hand = Hand(browser, server)
        hand.draw_line(0.65)
        hand.until(lambda words: "entrance-2:" in words, "yaml")
        go(160)
        hand.until(lambda words: "in: entrance-2" in words, "news")
        hand.until(lambda words: "1 in, 0 out" in words, "shapes")
        hand.type("t")  # turned, its arrow points outwards
        hand.until(lambda words: "0 in, 0 out" in words, "shapes")
        hand.type("zz")
        hand.until(lambda words: "entrance-2:" not in words, "yaml")
        browser.get("about:blank")
    assert json.loads(server.site.get("cameras").body)["door"]["zones"] == {
        "entrance": {"line": [[0.0, 0.75], [1.0, 0.75]], "uturn_s": 5.0}
    }


def test_a_key_pressed_while_a_line_is_dragged_spoils_nothing(config, networks, browser):
    with watched(config, networks) as (server, _):
        hand = Hand(browser, server)
        before = hand.shapes()
        hand.point(0.5, 0.75, press=True)
        hand.point(0.5, 0.65)
        hand.type("z\ue017\ue00c")  # undo, Delete, Escape
        hand.point(0.5, 0.55, release=True)
        hand.until(lambda words: "0.75" not in words, "yaml")
        hand.type("z")
        assert hand.shapes() == before
        browser.get("about:blank")


def test_zones_are_renamed_one_after_the_other(config, networks, browser):
    from selenium.webdriver.common.by import By

    with watched(config, networks) as (server, _):
        hand = Hand(browser, server)
        hand.draw_line(0.25)
        hand.until(lambda words: "0 in" in words, "shapes")
        browser.execute_script("document.querySelector('#shapes input').select()")
        hand.type("constructor")  # which any object of JavaScript has
        browser.find_element(By.CSS_SELECTOR, "#shapes li").click()
        hand.until(lambda words: "constructor:" in words, "yaml")
        assert hand.shapes().keys() == {"entrance", "constructor"}
        hand.until(lambda words: "undefined" not in words, "shapes")
        assert browser.find_element(By.CSS_SELECTOR, "#shapes li.on input") == (
            browser.find_element(By.CSS_SELECTOR, "#shapes li:first-child input")
        ), "the other one is chosen by the first click"
        browser.get("about:blank")
