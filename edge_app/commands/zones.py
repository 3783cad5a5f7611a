"""``dresscode zones``: a page in the browser on which lines, areas and masks are drawn.

They are drawn on the cameras' living pictures, and count at once whoever comes by. The
configuration file is not written: the page shows what is to be put into it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from edge_app.app import open_networks
from edge_app.commands.page_server import Answer, PageServer, as_json
from edge_app.commands.watching import Watching
from edge_app.config.cross_checks import cross_problems
from edge_app.config.doubts import doubts
from edge_app.config.explain import explain
from edge_app.config.schema import CameraSettings, Config
from edge_app.config.yaml_tree import dotted
from edge_app.errors import ConfigError

KEYS = ("privacy_masks", "zones")
"""Of a camera, what is drawn."""


class ZoneSite:
    """The page behind which cameras are watched.

    Args:
        watching: the cameras.
    """

    page = Path(__file__).with_name("zones.html")

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._lock = threading.Lock()

    def get(self, path: str) -> Answer | None:
        """What the page asks for.

        ``cameras``: what is drawn on each, and as YAML; ``seen/CAMERA``: see
        :meth:`Watching.told`; ``picture/CAMERA``: a JPEG.
        """
        cameras = self._watching.config.cameras
        if path == "cameras":
            return as_json({name: described(camera) for name, camera in cameras.items()})
        what, _, camera = path.partition("/")
        if camera not in cameras:
            return None
        if what == "seen":
            return as_json(self._watching.told(camera))
        jpeg = self._watching.jpeg(camera) if what == "picture" else None
        return None if jpeg is None else Answer(jpeg, "image/jpeg")

    def put(self, path: str, body: bytes) -> Answer | None:
        """Look by what was drawn on a camera, at ``cameras/CAMERA``; answers as ``cameras`` does.

        Raises:
            ConfigError: it would be no good configuration; nothing changes.
        """
        what, _, camera = path.partition("/")
        if what != "cameras" or camera not in self._watching.config.cameras:
            return None
        try:
            drawn = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ConfigError([f"what was drawn is not JSON: {error}"]) from error
        with self._lock:
            config = redrawn(self._watching.config, camera, drawn)
            self._watching.change(config)
        key = f"cameras.{camera}.zones."
        said = [words.removeprefix(key) for words in doubts(config) if words.startswith(key)]
        return as_json({**described(config.cameras[camera]), "doubts": said})


def described(camera: CameraSettings) -> dict[str, Any]:
    """What is drawn on a camera: ``zones``, ``privacy_masks``, and both as ``yaml``."""
    plain = camera.model_dump(mode="json", include=set(KEYS), exclude_unset=True)
    drawn = {key: value for key in KEYS if (value := plain.get(key))}
    return {"zones": {}, "privacy_masks": [], **drawn, "yaml": as_yaml(drawn)}


def redrawn(config: Config, camera: str, drawn: Any) -> Config:
    """The configuration with other zones and masks on one camera.

    Args:
        config: a good one.
        camera: id of the camera.
        drawn: ``zones`` and ``privacy_masks`` as the file would have them.

    Raises:
        ConfigError: with every problem, as :func:`edge_app.config.load.load` has them, but for the
            file and its lines.
    """
    if not isinstance(drawn, dict) or not set(drawn) <= set(KEYS):
        raise ConfigError([f"expected an object with {' and '.join(KEYS)}"])
    plain = config.model_dump(mode="json", exclude_unset=True)
    kept = {key: value for key, value in plain["cameras"][camera].items() if key not in KEYS}
    plain["cameras"][camera] = kept | drawn
    problems = cross_problems(plain, Path.cwd())
    try:
        config = Config.model_validate(plain)
    except ValidationError as error:
        problems += explain(error, plain)
    if problems:
        raise ConfigError([f"{dotted(path)}: {said}" for path, said in problems])
    return config


def as_yaml(drawn: Mapping[str, Any]) -> str:
    """What belongs below a camera's key in the file, indented as there.

    Args:
        drawn: ``zones`` and ``privacy_masks``, where there are any.
    """
    lines = []
    if masks := drawn.get("privacy_masks"):
        lines += ["privacy_masks:", *(f"  - {json.dumps(mask)}" for mask in masks)]
    if zones := drawn.get("zones"):
        lines.append("zones:")
        for zone_id, zone in zones.items():
            lines.append(f"  {_quoted(zone_id)}:")
            lines += [f"    {key}: {json.dumps(value)}" for key, value in zone.items()]
    return "".join(f"    {line}\n" for line in lines)


def _quoted(name: str) -> str:
    """An id as a key; some, such as ``on`` and ``1e5``, would be read as something else."""
    is_plain = name[:1].isalpha() and yaml.safe_load(name) == name
    return name if is_plain else json.dumps(name)


def draw_zones_on(config: Config, port: int, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C; then say what is to be put into the file.

    Args:
        config: of the store.
        port: of 127.0.0.1; 0 for any free one.
        say: tells the person where the page is, and what was drawn.

    Raises:
        ModelError: a model is missing or breaks the contract.
        EngineError: the wanted device cannot run one.
        SourceError: the port is taken.
    """
    networks = open_networks(config.inference, config.detection, config.outfit)
    try:
        with Watching(config, networks) as watching, PageServer(ZoneSite(watching), port) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            say(server.invitation)
            try:
                while True:
                    watching.turn()
            except KeyboardInterrupt:
                say(farewell(config, watching.config))
            finally:
                server.shutdown()
    finally:
        networks.close()


def farewell(before: Config, after: Config) -> str:
    """What is to be changed in the file, camera by camera."""
    words = []
    for name, camera in after.cameras.items():
        if camera != before.cameras[name]:
            text = described(camera)["yaml"] or "    # neither masks nor zones\n"
            words.append(f"  {name}:\n{text}")
    if not words:
        return "nothing was changed"
    return (
        "to be put into the configuration, each in place of the camera's own zones and "
        "privacy_masks; `dresscode check` it, then `systemctl reload dresscode`:\n\ncameras:\n"
        + "".join(words).rstrip()
    )
