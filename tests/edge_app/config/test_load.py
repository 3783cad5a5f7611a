"""Loading a configuration: what is accepted, and what is said of what is not."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.capture.source import source_kind
from edge_app.config.load import file_problems, load, loads
from edge_app.errors import ConfigError
from edge_app.vocabulary import CATEGORIES

GOOD = """\
store: acme-0042
node: edge-1
timezone: Europe/Paris
mqtt:
  url: mqtt://127.0.0.1
cameras:
  door:
    source: door.mp4
    zones:
      entrance: {line: [[0.1, 0.8], [0.9, 0.8]]}
alerts:
  formalwear: {any_of: [dress, suit], zones: [entrance]}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "store.yaml")
    return caught.value.problems


def test_a_good_file_becomes_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    path.write_text(GOOD)
    config = load(path)
    assert config.cameras["door"].fps == 10.0
    assert config.cameras["door"].source == str(tmp_path / "door.mp4")
    assert config.zones["entrance"][0] == "door"
    assert config.alerts["formalwear"].any_of == ("dress", "suit")


CASES = {
    "unknown key": ("node: edge-1", "node: edge-1\nlanguag: en", 3,
                    "languag: expected a known key, got 'languag'; did you mean 'language'?"),
    "unknown key far from any": ("node: edge-1", "node: edge-1\nxyzzy: 1", 3,
                                 "xyzzy: expected a known key, got 'xyzzy'; known here: alerts,"),
    "unknown key of a camera": ("    source: door.mp4", "    source: door.mp4\n    fsp: 5", 9,
                                "cameras.door.fsp: expected a known key, got 'fsp'; did you mean "
                                "'fps'?"),
    "missing key": ("node: edge-1\n", "", 1, "node: expected this key, got nothing; add node: "),
    "missing key of a camera": ("    source: door.mp4\n", "", 7, "cameras.door.source: expected "
                                "this key, got nothing; add source: rtsp:// URL, device number"),
    "bad id": ("edge-1", "Edge_1", 2, "node: expected an id of small letters, digits and dashes"),
    "bad time zone": ("Europe/Paris", "Mars", 3, "timezone: expected a time zone of the tz "
                      "database such as Europe/Paris, got 'Mars'"),
    "time zone in small letters": ("Europe/Paris", "Europe/paris", 3, "timezone: expected a time "
                                   "zone of the tz database such as Europe/Paris, got "
                                   "'Europe/paris'; did you mean 'Europe/Paris'?"),
    **{f"{name} for a time zone": ("Europe/Paris", name, 3, "timezone: expected a time zone of the")
       for name in ("localtime", "posixrules", "right/Europe/Paris", "posix/UTC", "Factory", "''")},
    **{f"hours {came}": ("zones: [entrance]", f'hours: "{came}"', 12,
                         "alerts.formalwear.hours: expected two different times such as "
                         f"'09:00-21:00', got '{came}'")
       for came in ("9-21", "09:00", "09:00-9", "09:00-09:00", "09:00-24:00", "09:00–21:00")},
    "unquoted time": ("node: edge-1", "node: edge-1\nbusiness_day_start: 25:00", 3,
                      "business_day_start: expected a time of day such as '04:00', got '25:00'"),
    "number for text": ("acme-0042", "42", 1, "store: expected text, got 42; put it in quotes"),
    "text for number": ("door.mp4", "door.mp4\n    fps: many", 9,
                        "cameras.door.fps: expected a number, got 'many'"),
    "not finite": ("door.mp4", "door.mp4\n    fps: .inf", 9, "cameras.door.fps: expected a number"),
    "out of range": ("door.mp4", "door.mp4\n    fps: -1", 9,
                     "cameras.door.fps: expected more than 0, got -1"),
    "pixels": ("[0.9, 0.8]", "[0.9, 80]", 10,
               "cameras.door.zones.entrance.line[1][1]: expected at most 1, got 80; points are"),
    "line of no length": ("[0.9, 0.8]", "[0.1, 0.8]", 10,
                          "cameras.door.zones.entrance: the line has hardly any length"),
    "a flat line": ("[[0.1, 0.8], [0.9, 0.8]]", "[0.1, 0.8, 0.9, 0.8]", 10,
                    "cameras.door.zones.entrance.line: expected two points, [[x1, y1], "),
    "half a line": (", [0.9, 0.8]]", "]", 10,
                    "cameras.door.zones.entrance.line[1]: expected 2 values, got fewer"),
    "area on one line": ("line: [[0.1, 0.8], [0.9, 0.8]]", "area: [[0,0],[0.5,0],[1,0]]", 10,
                         "cameras.door.zones.entrance.area: the polygon has no area"),
    "garment": ("dress,", "dres,", 12,
                "alerts.formalwear.any_of[0]: 'dres' is not a garment; known are "),
    "rule without garments": ("any_of: [dress, suit], ", "", 12,
                              "alerts.formalwear: a rule needs any_of or all_of"),
    "near a garment": ("dress,", "trouser,", 12,
                       "alerts.formalwear.any_of[0]: 'trouser' is not a garment; known are "
                       f"{', '.join(CATEGORIES)}; did you mean 'trousers'?"),
    "zone of a rule": ("zones: [entrance]", "zones: [entranc]", 12,
                       "alerts.formalwear.zones[0]: expected the id of a zone of a camera, got "
                       "'entranc'; did you mean 'entrance'?"),
    "no zone at all": ("zones: [entrance]", "zones: [roof]", 12,
                       "alerts.formalwear.zones[0]: expected the id of a zone of a camera, got "
                       "'roof'; zones are: entrance"),
    "all in a rule": ("zones: [entrance]", "zones: [all]", 12,
                      "alerts.formalwear.zones[0]: 'all' is not a zone; name each"),
    "zone of staff": ("alerts:", "staff: {zones: [entranc]}\nalerts:", 11,
                      "staff.zones[0]: expected the id of a zone of a camera, got 'entranc'"),
    "zone called all": ("      entrance:", "      all:", 10,
                        "cameras.door.zones.all: 'all' is reserved"),
    "zone twice": ("alerts:", "  side:\n    source: 0\n    zones:\n      entrance: "
                   "{line: [[0.1, 0.2], [0.9, 0.2]]}\nalerts:", 14,
                   "cameras.side.zones.entrance: camera 'door' has a zone of this id too"),
    "camera password in the URL": ("door.mp4", "rtsp://admin:hunter2@10.0.0.11/1", 8,
                                   "cameras.door.source: user names and passwords do not belong"),
    "broker password in the URL": ("mqtt://127.0.0.1", "mqtt://me:hunter2@127.0.0.1", 5,
                                   "mqtt.url: user names and passwords do not belong"),
    "password in a pipeline": (
        "door.mp4", "gst://rtspsrc location=rtsp://h/1 user-pw=hunter2 ! decodebin", 8,
        "cameras.door.source: user names and passwords do not belong"),
    "password without user": ("door.mp4", "rtsp://10.0.0.11/1\n    password_file: p", 9,
                              "cameras.door.password_file: a password_file needs a username"),
    "scheme": ("door.mp4", "ftp://10.0.0.11/1", 8, "cameras.door.source: expected one of rtsp://"),
    "URL with spaces": ("door.mp4", "rtsp://10.0.0.11/a b", 8,
                        "cameras.door.source: expected scheme://host[:port]/path"),
    **{f"camera at {url}": ("door.mp4", f'"{url}"', 8,
                            "cameras.door.source: expected scheme://host[:port]/path")
       for url in ("rtsp://h:99999/1", "rtsp://h:0/1", "rtsps://h:abc", "http://[::1/1",
                   "http://:80/1", "rtsp:///1", "rtsp://cam..lan/1")},
    "empty source": ("door.mp4", "''", 8, "cameras.door.source: expected a URL, a device number"),
    "source of a wrong kind": ("door.mp4", "[1, 2]", 8,
                               "cameras.door.source: expected text or a whole number, got a list"),
    "plain text to another machine": ("mqtt://127.0.0.1", "mqtt://10.0.0.2", 4,
                                      "mqtt: mqtt://10.0.0.2 is plain text to another machine"),
    "plain text to a name that only looks like this machine": (
        "mqtt://127.0.0.1", "mqtt://127.0.0.1.evil.example", 4,
        "mqtt: mqtt://127.0.0.1.evil.example is plain text to another machine"),
    **{f"broker at {url}": ("mqtt://127.0.0.1", f'"{url}"', 5,
                            "mqtt.url: expected mqtts://host:port, with a port from 1 to 65535")
       for url in ("mqtts://h:99999", "mqtts://h:0", "mqtts://h:abc", "mqtts://[::1",
                   "mqtts://:8883", "mqtts://fe80::1", "mqtts://broker..lan", "mqtts://h?x")},
    "key twice": ("node: edge-1", "node: edge-1\nstore: other", 3,
                  "store: this key is already in line 1; keep one of them"),
    "list for a section": ("  url: mqtt://127.0.0.1", "  - url", 4,
                           "mqtt: expected a section of keys, indented below, got a list of 1"),
    "empty section": ("  url: mqtt://127.0.0.1\n", "", 4,
                      "mqtt: expected a section of keys, indented below, got nothing"),
    "models that the service could change": (
        "node: edge-1", "node: edge-1\ninference: {models: /var/lib/dresscode/models}", 3,
        "inference.models: the service can write to /var/lib/dresscode; put the models where"),
    "choice": ("node: edge-1", "node: edge-1\ninference: {device: cup}", 3,
               "inference.device: expected one of auto, gpu, cpu, got 'cup'; did you mean 'cpu'?"),
    "home of nobody": ("127.0.0.1", "127.0.0.1\n  username: me\n  password_file: ~nosuchuser/pw", 7,
                       "mqtt.password_file: expected the path of a file, got '~nosuchuser/pw'"),
    "very long path": ("door.mp4", "a" * 5000, 8, "cameras.door.source: expected the path of a"),
    "escaped NUL": ("door.mp4", r'"a\0b"', 8, "cameras.door.source: an escape stands for no char"),
    "half a character": ("acme-0042", r'"\ud800"', 1, "store: an escape stands for no character"),
    "models with NUL": ("node: edge-1", 'node: edge-1\ninference: {models: "m\\0"}', 3,
                        "inference.models: an escape stands for no character; remove it"),
    "tag": ("edge-1", "!!python/name:os.system edge-1", 2, "node: tags such as"),
    "key that is a list": ("node: edge-1", "node: edge-1\n? [a]\n: 1", 1,
                           "expected a text as the key in line 3"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_problem_is_named_with_line_key_and_advice(case: str) -> None:
    old, new, line, said = CASES[case]
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    prefix = f"store.yaml:{line}: {said}"
    assert [p for p in found if p.startswith(prefix)], found
    assert not [p for p in found if "hunter2" in p or "did you mean 'localtime'" in p]


def test_every_problem_is_named_at_once_in_the_order_of_lines() -> None:
    text = GOOD.replace("edge-1", "Edge").replace("0.9, 0.8", "0.9, 80").replace("suit", "siut")
    text = text.replace("zones: [entrance]", "zones: [exit]").replace("store: a", "store: A")
    found = problems(text)
    assert [int(p.split(":")[1]) for p in found] == [1, 2, 10, 12, 12]


def test_no_garment_is_meant_where_a_time_is_asked_for() -> None:
    (problem,) = problems(GOOD.replace("node:", "business_day_start: shirts\nnode:"))
    assert problem.endswith("expected a time of day such as '04:00', got 'shirts'")


def test_a_problem_stays_on_one_line() -> None:
    found = problems(GOOD + '"a\\nb\\e[31m": 1\n')
    assert found[0].startswith("store.yaml:13: a b [31m: expected a known key")
    assert len(found) == 1


SYNTAX = {
    "tab": ("node:\n\tedge", "store.yaml:2:1: not YAML: a tab stands"),
    "open bracket": ("cameras: [a, b\nnode: x", "store.yaml:2:5: not YAML: "),
    "two colons": ("a: b: c", "store.yaml:1:5: not YAML: a second ':' is not allowed here"),
    "anchor": ("a: &x 1", "store.yaml:1:4: not YAML: anchors and aliases are not used"),
    "anchor of a list": ("a: &x [1]", "store.yaml:1:4: not YAML: anchors and aliases are not used"),
    "anchor of a section": ("&x\na: 1", "store.yaml:1:1: not YAML: anchors and aliases are not"),
    "anchor of a key": ("&x a: 1", "store.yaml:1:1: not YAML: anchors and aliases are not used"),
    "alias": ("a: 1\nb: *x", "store.yaml:2:4: not YAML: anchors and aliases are not used"),
    "control character": ("a: \x07", "store.yaml:1:4: not YAML: a control character"),
    "escape of no character": (r'a: "\UFFFFFFFF"', "store.yaml:1:1: not YAML: an escape or a"),
    "version of YAML": (f"%YAML {'9' * 5000}.1\n---\na: 1", "store.yaml:1:1: not YAML: an escape"),
    "two documents": ("a: 1\n---\nb: 2", "store.yaml:2:1: not YAML: a second document begins"),
    "very deep": ("[" * 5000, "store.yaml:1:1: not YAML: sections are nested too deeply"),
    "very large": ("#" * 1_000_001, "store.yaml:1:1: not YAML: expected at most 1000000"),
    "empty": ("# nothing\n", "store.yaml:1: expected a configuration, got an empty file"),
    "a text": ("hello", "store.yaml:1: expected a section of keys, indented below, got 'hello'"),
}


@pytest.mark.parametrize("case", SYNTAX)
def test_what_is_not_a_configuration_is_refused(case: str) -> None:
    text, said = SYNTAX[case]
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(said)


def test_texts_that_older_yaml_reads_as_something_else_stay_texts() -> None:
    text = GOOD.replace("acme-0042", "0042").replace("edge-1", "no") + "business_day_start: 04:30\n"
    config = loads(text)
    assert (config.store, config.node, config.business_day_start) == ("0042", "no", "04:30")


@pytest.mark.parametrize(
    ("written", "source"),
    [("0", 0), ("'2'", 2), ("/dev/video1",) * 2, ("²", str(Path.cwd() / "²"))],
)
def test_device_numbers(written: str, source: str | int) -> None:
    assert loads(GOOD.replace("door.mp4", written)).cameras["door"].source == source


@pytest.mark.parametrize("host", ["localhost:1883", "127.0.0.2", "[::1]", "[::1]:1884"])
def test_plain_text_to_this_machine_is_accepted(host: str) -> None:
    url = f"mqtt://{host}"
    assert loads(GOOD.replace("mqtt://127.0.0.1", f'"{url}"')).mqtt.url == url


def test_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    text = GOOD.replace("127.0.0.1", "127.0.0.1\n  username: me\n  password_file: secret")
    config = loads(text + "inference: {models: ../models}\n", "store.yaml", tmp_path)
    assert config.mqtt.password_file == tmp_path / "secret"
    assert config.inference.models == tmp_path / "../models"


def test_urls_and_whole_paths_are_left_alone() -> None:
    config = loads(GOOD.replace("door.mp4", "sim://entrance?seed=1") + "state_dir: /srv/state\n")
    assert config.cameras["door"].source == "sim://entrance?seed=1"
    assert config.state_dir == Path("/srv/state")


def test_named_files_that_are_missing_are_told(tmp_path: Path) -> None:
    text = GOOD.replace(
        "127.0.0.1", "127.0.0.1\n  username: me\n  password_file: secret\n  ca_file: ca.pem"
    )
    config = loads(text + "inference: {models: nowhere}\n", "store.yaml", tmp_path)
    found = file_problems(config)
    assert [p.split(":")[0] for p in found] == [
        "mqtt.ca_file", "mqtt.password_file", "inference.models"
    ]  # fmt: skip
    for name in ("secret", "ca.pem"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "nowhere").mkdir()
    assert file_problems(config) == []


@pytest.mark.parametrize("key", ["models", "engines"])
def test_a_folder_that_is_a_loop_of_links_is_refused(tmp_path: Path, key: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    found = problems(f"{GOOD}inference: {{{key}: {tmp_path}/loop}}\n")
    assert [p for p in found if f"13: inference.{key}: expected the path of a file" in p], found


def test_named_files_that_this_user_may_not_look_for_are_told(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0)
    text = GOOD.replace("127.0.0.1", "127.0.0.1\n  ca_file: private/ca.pem")
    text = text.replace("door.mp4", "private/door.mp4") + "inference: {models: private/models}\n"
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may look everywhere
    try:
        config = loads(text, "store.yaml", tmp_path)
        found = file_problems(config)
        kind = source_kind(config.cameras["door"].source)
    finally:
        os.seteuid(user)
    assert kind == "recording"
    assert [p.split(":")[0] for p in found] == ["mqtt.ca_file", "inference.models"]
    assert "expected a file, got Permission denied, for this user, at" in found[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "expected a configuration file, got: No such file", id="missing"),
        pytest.param(b"a: \xff", ":1: expected UTF-8 text, got other bytes", id="encoding"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "store.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(path)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(path).store == "acme-0042"


YAML_PIECES = st.sampled_from(
    [*GOOD.splitlines(keepends=True), "  ", "- ", ": ", "[", "]", "{", "}", "&a ", "*a ", "!!int ",
     "? ", "|\n", "'", '"', "\t", "%", "\x00", "é", "9" * 30, "<<: ", "---\n", "#"]
)  # fmt: skip


@given(st.lists(YAML_PIECES, max_size=30).map("".join))
def test_no_text_gets_anything_but_a_configuration_or_its_problems(text: str) -> None:
    found: list[str] | None = None
    try:
        loads(text)
    except ConfigError as error:
        found = error.problems
    assert found is None or (found and all(p.startswith("store.yaml:") for p in found))
    assert not [p for p in found or [] if not p.isprintable()]
