"""The two seams of Dresscode: what tests and other hardware may put in place of the real thing.

A camera and an engine. Choosing one is a plain ``if`` where the app is put together.
"""

from __future__ import annotations

from typing import Protocol

from edge_app.flow import Batch, Float32, Frame


class Camera(Protocol):
    """Where frames come from."""

    def read(self) -> Frame | None:
        """The next frame, or None when the source has ended.

        Raises:
            SourceError: the source cannot be read (any more).
        """
        ...

    def close(self) -> None:
        """Release the source; reading again afterwards is an error."""
        ...


class Engine(Protocol):
    """Something that runs one network of the model contract."""

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network on a batch.

        Args:
            batch: ``N >= 1`` pictures of the model's height and width, or what to cut them out of.

        Returns:
            The network's outputs by name, each ``[N, ...]`` float32. They belong to the caller.

        Raises:
            EngineError: the network could not be run; nothing stale is ever returned.
        """
        ...

    def close(self) -> None:
        """Free the network's memory."""
        ...
