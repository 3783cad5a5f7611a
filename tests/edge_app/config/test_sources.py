"""Sources and addresses: what is no camera is told before the box looks for it for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.config.load import loads
from edge_app.errors import ConfigError

STORE = """\
store: acme-0042
node: edge-1
timezone: Europe/Paris
mqtt: {{url: "{broker}"}}
cameras: {{door: {{source: "{source}"}}}}
"""


def problem(folder: Path, source: str = "door.mp4", broker: str = "mqtt://127.0.0.1") -> str:
    with pytest.raises(ConfigError) as caught:
        loads(STORE.format(source=source, broker=broker), "store.yaml", folder)
    (said,) = caught.value.problems
    return said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("rtsp:/10.0.0.11/s", "rtsp://10.0.0.11/s"),
        ("rtsp//10.0.0.11/s", "rtsp://10.0.0.11/s"),
        ("rtsp:10.0.0.11/s", "rtsp://10.0.0.11/s"),
        ("RTSPS:/cam.lan/s", "rtsps://cam.lan/s"),
        ("HTTP:/cam.lan/mjpeg", "http://cam.lan/mjpeg"),
        ("sim:/entrance?seed=1", "sim://entrance?seed=1"),
        ("10.0.0.11", "rtsp://10.0.0.11"),
        ("10.0.0.11:554/stream1", "rtsp://10.0.0.11:554/stream1"),
        ("10.0.0.256/stream1", "rtsp://10.0.0.256/stream1"),
        ("[fe80::11]:554/stream1", "rtsp://[fe80::11]:554/stream1"),
        ("door-cam.lan:554", "rtsp://door-cam.lan:554"),
    ],
)
def test_an_address_without_its_scheme_is_no_file(tmp_path: Path, written: str, meant: str) -> None:
    assert problem(tmp_path, written) == (
        "store.yaml:5: cameras.door.source: expected rtsp://host/path or the path of a file, got "
        f"'{written}'; did you mean '{meant}'?"
    )


@pytest.mark.parametrize(
    "written",
    ["door.mp4", "clips/10.0.0.11/door.mp4", "10.0.0.11.mp4", "2026-05-08T14:30:00.mp4", "http",
     "rtsp.mp4", "rtsp/door.mp4", "simulated/a.mp4", "2026.01.02.03/door.mp4", "/srv/10.0.0.11",
     "./10.0.0.11/door.mp4"],
)  # fmt: skip
def test_the_name_of_a_file_of_another_machine_is_accepted(tmp_path: Path, written: str) -> None:
    config = loads(STORE.format(source=written, broker="mqtt://127.0.0.1"), "x", tmp_path)
    assert config.cameras["door"].source == str(tmp_path / written)


@pytest.mark.parametrize("name", ["10.0.0.11", "cam:1", "rtsp:clip"])
def test_a_file_that_is_there_is_one_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    config = loads(STORE.format(source=name, broker="mqtt://127.0.0.1"), "x", tmp_path)
    assert config.cameras["door"].source == str(tmp_path / name)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("RTSP://10.0.0.11/s", "got 'RTSP://'; did you mean 'rtsp'?"),
        ("rstp://10.0.0.11/s", "got 'rstp://'; did you mean 'rtsp'?"),
        ("file:///srv/door.mp4", "got 'file://'; for a file write just its path"),
    ],
)
def test_a_scheme_that_is_none_gets_the_one_that_was_meant(
    tmp_path: Path, written: str, advice: str
) -> None:
    assert problem(tmp_path, written).endswith(advice)


@pytest.mark.parametrize("start", ["rtsp:/", "rtsp//", "rtsp:", ""])
def test_a_password_in_a_mistyped_address_is_not_shown(tmp_path: Path, start: str) -> None:
    said = problem(tmp_path, f"{start}admin:hunter2@10.0.0.11/s")
    assert "user names and passwords do not belong into a URL" in said
    said = problem(tmp_path, broker=f"{start}admin:hunter2@10.0.0.11")
    assert "user names and passwords do not belong into a URL" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("password", ["hunter#2", "hunter?2", "hunter/2", "hunter 2", "hunter'2"])
@pytest.mark.parametrize("start", ["rtsp://", "rtsp:/"])
def test_a_password_with_signs_that_end_an_address_is_not_shown(
    tmp_path: Path, start: str, password: str
) -> None:
    said = problem(tmp_path, f"{start}admin:{password}@10.0.0.11/s")
    assert "user names and passwords do not belong into a URL" in said
    assert "hunter" not in said


NO_HOSTS = ["10.0.0.256", "010.0.0.11", "10.0.0.11,", "10.0.0,11", "cam%20",
            "cam_1;", "cam*", "[fe80::g]", "cam<1>"]  # fmt: skip
HOSTS = [
    "10.0.0.11",
    "10.0.0.11.",
    "3232235777",
    "cam.lan",
    "cam_1",
    "cam-1.lan.",
    "[fe80::11]",
    "kamera-tür.lan",
    "1cam",
]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_no_host_can_be_called_is_refused(tmp_path: Path, host: str) -> None:
    said = problem(tmp_path, f"rtsp://{host}/s")
    assert "door.source: expected scheme://host[:port]/path" in said
    assert f"got 'rtsp://{host}/s'; correct it" in said
    said = problem(tmp_path, broker=f"mqtts://{host}:8883")
    assert "mqtt.url: expected mqtts://host:port" in said


@pytest.mark.parametrize("host", HOSTS)
def test_what_a_host_can_be_called_is_accepted(tmp_path: Path, host: str) -> None:
    broker, source = f"mqtts://{host}:8883", f"rtsp://{host}:554/s"
    config = loads(STORE.format(source=source, broker=broker), "x", tmp_path)
    assert (config.mqtt.url, config.cameras["door"].source) == (broker, source)
