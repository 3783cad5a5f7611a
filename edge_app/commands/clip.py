"""A recording in place of a camera: of which camera, from when on, and opened."""

from __future__ import annotations

from datetime import datetime, timezone

from edge_app.capture.replay import REPLAY_START_S
from edge_app.capture.source import Recording, open_replay
from edge_app.config.schema import Config
from edge_app.errors import ConfigError


def choose_camera(config: Config, camera: str | None) -> Config:
    """The configuration with the one camera that the recording stands for.

    Raises:
        ConfigError: the file names several cameras and none was chosen, or not the chosen one.
    """
    names = list(config.cameras)
    if camera is None and len(names) > 1:
        raise ConfigError(
            [f"the configuration has several cameras; choose one: {', '.join(names)}"]
        )
    chosen = camera or names[0]
    if chosen not in config.cameras:
        raise ConfigError([f"--camera {chosen}: the configuration knows {', '.join(names)}"])
    return config.model_copy(update={"cameras": {chosen: config.cameras[chosen]}})


def start_time(start: str | None) -> float:
    """When a recording began, seconds of Unix time; a fixed time where nothing is known.

    Args:
        start: RFC 3339; UTC where it names no offset.

    Raises:
        ConfigError: it is no time, or one around which no days can be counted.
    """
    if start is None:
        return REPLAY_START_S
    try:
        began = datetime.fromisoformat(start.replace("Z", "+00:00"))
    except ValueError as error:
        raise ConfigError(
            [f"--start {start}: expected a time such as 2026-05-08T14:30:00+02:00"]
        ) from error
    if not 1970 <= began.year < 3000:
        raise ConfigError([f"--start {start}: expected a year from 1970 to 2999; correct it"])
    return (began if began.tzinfo else began.replace(tzinfo=timezone.utc)).timestamp()


def open_clip(clip: str, config: Config, start_s: float) -> Recording:
    """Open a recording in place of the source of a configuration's one camera.

    Args:
        clip: video file, folder of pictures or ``sim://`` URL.
        config: with one camera.
        start_s: when the recording began, seconds of Unix time.

    Raises:
        SourceError: the recording cannot be read.
    """
    name, camera = next(iter(config.cameras.items()))
    return open_replay(name, camera.model_copy(update={"source": clip}), start_s)
