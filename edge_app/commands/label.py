"""``dresscode label``: a page in the browser on which a person says what a recording shows.

Nothing but the truth file is ever written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from edge_app.commands.clip import choose_camera, open_clip
from edge_app.commands.label_frames import FramePictures
from edge_app.commands.page_server import Answer, PageServer, as_json
from edge_app.commands.truth_file import Labels, read_clips, write_clip
from edge_app.config.schema import Config
from edge_app.errors import SourceError, TruthError
from edge_app.vocabulary import CATEGORIES, REGION_OF

_ASKED = re.compile("frame/([0-9]{1,9})|near/([0-9]{1,9})/(-?[0-9]{1,3})")
"""A frame's number has nine digits at most: a year at 30 frames/s has as many frames."""


class Labelling:
    """One clip that is being labelled, and the truth file it goes into.

    Args:
        clip: a recording that :func:`~edge_app.commands.clip.open_clip` opens.
        config: with the recording's camera alone; its zones can be marked.
        truth_path: is made if missing; what it says of other clips stays.

    Raises:
        SourceError: the recording cannot be read.
        TruthError: the file is no truth file, or says of this clip what cannot be understood.
    """

    page = Path(__file__).with_name("label.html")

    def __init__(self, clip: str, config: Config, truth_path: Path) -> None:
        self.name = Path(clip).name
        self._path = truth_path
        described = read_clips(truth_path).get(self.name, {})
        self._labels = Labels.from_json(described, f"{truth_path}: {self.name}")
        self._zones = self._labels.zones | {
            zone_id: zone.model_dump(mode="json", include={"line", "area"}, exclude_none=True)
            for zone_id, (_, zone) in config.zones.items()
        }
        recording = open_clip(clip, config, 0.0)
        first = recording.read()
        recording.close()
        if first is None:
            raise SourceError(f"{clip}: the recording holds no frame")
        self._size = list(first.size)
        self.pictures = FramePictures(lambda: open_clip(clip, config, 0.0))
        self._lock = Lock()

    def get(self, path: str) -> Answer | None:
        """``clip``, what the page needs to know; ``frame/N``, a JPEG.

        ``near/N/S``: the frame S seconds after frame N, and its time.
        """
        if path == "clip":
            return as_json(self.described())
        asked = _ASKED.fullmatch(path)
        if asked is None:
            return None
        index, other, by_s = asked.groups()
        if index is not None:
            jpeg = self.pictures.jpeg(int(index))
            return None if jpeg is None else Answer(jpeg, "image/jpeg")
        near = self.pictures.near(int(other), int(by_s))
        return None if near is None else as_json({"frame": near[0], "seconds": near[1]})

    def put(self, path: str, body: bytes) -> Answer | None:
        """Save the labels, at ``clip``."""
        if path != "clip":
            return None
        self.save(body)
        return as_json({"frames": self.pictures.frame_count})

    def described(self) -> dict[str, Any]:
        """What the page needs to know."""
        garments = [[name, REGION_OF[name]] for name in CATEGORIES]
        return {"name": self.name, "garments": garments, **self._as_json(self._labels)}

    def _as_json(self, labels: Labels) -> dict[str, Any]:
        """The clip as the truth file has it."""
        return {
            "fps": self.pictures.fps,
            "frames": self.pictures.frame_count,
            "size": self._size,
            "scene": labels.scene,
            "zones": self._zones,
            "people": [person.as_json() for person in labels.people],
        }

    def save(self, text: bytes) -> None:
        """Write what the page sends into the truth file.

        Raises:
            TruthError: it is not as it should be, or the file cannot be written.
        """
        try:
            described = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TruthError(f"the labels are not JSON: {error}") from error
        labels = Labels.from_json(described, self.name)
        misfits = labels.misfits(self._zones, None)
        if misfits:
            raise TruthError("\n".join(f"{self.name}: {said}" for said in misfits))
        with self._lock:
            self._labels = labels
            write_clip(self._path, self.name, self._as_json(labels))


def label_clip(
    clip: str,
    config: Config,
    camera: str | None,
    truth_path: Path,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        clip: video file or folder of pictures.
        config: of the store; its zones can be marked.
        camera: which camera of the configuration the recording is of; None where there is one.
        truth_path: the truth file.
        port: of 127.0.0.1; 0 for any free one.
        say: tells the person where the page is.

    Raises:
        ConfigError: the camera is not clear.
        SourceError: the recording cannot be read, or the port is taken.
        TruthError: the truth file cannot be used.
    """
    labelling = Labelling(clip, choose_camera(config, camera), truth_path)
    with PageServer(labelling, port) as server:
        say(server.invitation)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say(f"{truth_path}: holds what was saved")
        finally:
            labelling.pictures.close()
