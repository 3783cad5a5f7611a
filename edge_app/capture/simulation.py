"""The simulated entrance as a camera."""

from __future__ import annotations

from edge_app.capture.masks import PrivacyMasks
from edge_app.capture.simulated.entrance import SimulatedEntrance
from edge_app.flow import Frame


class SimulatedCamera:
    """A :class:`~edge_app.ports.Camera` over a ``sim://entrance`` address, at exact times.

    Args:
        camera_id: of the frames.
        url: ``sim://entrance?people_per_min=5&seed=1&duration_s=60``.
        start_s: when frame 0 is taken, seconds of Unix time.
        masks: blacked out in every frame.

    Attributes:
        fps: frames per second of simulated time.
        frame_count: number of frames; None for an endless one.

    Raises:
        SourceError: the address asks for something that there is not.
    """

    def __init__(
        self, camera_id: str, url: str, start_s: float, masks: PrivacyMasks | None = None
    ) -> None:
        self._camera_id = camera_id
        self._entrance = SimulatedEntrance.from_url(url)
        self._start_s = start_s
        self._masks = masks or PrivacyMasks()
        self._index = 0
        self.fps = self._entrance.settings.fps
        self.frame_count = self._entrance.frame_count

    def read(self) -> Frame | None:
        """The next frame, or None at the end of the simulated time."""
        index = self._index
        if self.frame_count is not None and index >= self.frame_count:
            return None
        self._index += 1
        picture = self._masks.apply(self._entrance.frame_at(index))
        return Frame(self._camera_id, index, self._start_s + index / self.fps, picture)

    def close(self) -> None:
        """Nothing is held."""
