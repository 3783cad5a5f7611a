"""What many tests need: the training data where it is there, and quiet, repeatable libraries."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from hypothesis import HealthCheck, settings

from tests.edge_app.runtime.notify_socket import NotifySocket

ROOT = Path(__file__).resolve().parents[1]

# A server that runs under the system's Python, which has GStreamer's bindings.
collect_ignore = ["edge_app/capture/rtsp_server.py"]

# A slow machine is not a failing test.
settings.register_profile(
    "dresscode", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dresscode")

cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder; see CONTRIBUTING. Skips without it."""
    folder = Path(os.environ.get("DRESSCODE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"DRESSCODE_DATA: no data folder at {folder}")
    return folder


@pytest.fixture(scope="session")
def clips_dir(data_dir: Path) -> Path:
    """The recordings with their truth file. Skips without them."""
    folder = data_dir / "clips"
    if not (folder / "truth.json").is_file():
        pytest.skip(f"DRESSCODE_DATA: no recordings at {folder}")
    return folder


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[NotifySocket]:
    """The service manager's end of sd_notify."""
    heard = NotifySocket(tmp_path / "notify")
    yield heard
    heard.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Chromium, driven by selenium. Skips by name where either is missing."""
    webdriver = pytest.importorskip("selenium.webdriver")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium, chromedriver: not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,760"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path / 'browser'}")
    chromium = webdriver.Chrome(options, webdriver.ChromeService(driver))
    chromium.implicitly_wait(5)
    yield chromium
    chromium.quit()
