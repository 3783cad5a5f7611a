"""Tracks in the format of MOTChallenge, for the field's own evaluation tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_app.commands.outputs import writing
from edge_app.flow import Frame
from edge_app.pipeline import Step


@contextmanager
def mot_writer(path: Path | None) -> Iterator[Callable[[Frame, Step], None]]:
    """Writes tracks in the format of MOTChallenge: ``frame,id,left,top,width,height,score,...``.

    Frames count from 1 (https://motchallenge.net/instructions/).

    Raises:
        SourceError: the file cannot be written.
    """
    if path is None:
        yield lambda _frame, _step: None
        return
    with writing(path) as file:

        def write(frame: Frame, step: Step) -> None:
            for people in step.tracked:
                for track in people.tracks:
                    if track.is_observed:
                        x1, y1, x2, y2 = (float(v) for v in track.box_xyxy)
                        file.write(
                            f"{frame.index + 1},{track.track_id},{x1:.2f},{y1:.2f},"
                            f"{x2 - x1:.2f},{y2 - y1:.2f},{track.score:.4f},-1,-1,-1\n"
                        )

        yield write
