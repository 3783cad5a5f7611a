"""What a run was begun with: it goes on with nothing else, and the card of its model tells it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx

from edge_app.errors import DresscodeError
from model_build.networks.choose import license_of
from model_build.own_data import OwnData
from model_build.train.fitting import Schedule

_NOTE = "begun.json"


def note_begun(
    run: Path, schedule: Schedule, own: OwnData, start: Path | None, **options: object
) -> None:
    """Write down in a run's folder what its batches follow from.

    Args:
        run: folder of the run.
        schedule: of which batch and seed count; a run may be made longer.
        own: pictures to learn from besides.
        start: a model file to start from.
        options: whatever else must stay, by the name of its option.

    Raises:
        DresscodeError: the run was begun with something else.
    """
    note: dict[str, Any] = {
        "batch": schedule.batch,
        "seed": schedule.seed,
        "start": None if start is None else _model(start),
        "own": _pictures(own),
        **options,
    }
    path = run / _NOTE
    if any(run.rglob("last.pt")) or any(run.glob("kept*/*.npz")):
        # A folder without a note is from before there were notes.
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else note
        differing = [name for name in note if note[name] != before.get(name)]
        if differing:
            began, now = (
                ", ".join(_in_words(name, told.get(name)) for name in differing)
                for told in (before, note)
            )
            raise DresscodeError(
                f"{run}: this run was begun with {began}, and is to go on with {now}; give what it "
                "was begun with, or another folder with --run"
            )
        return
    run.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(note) + "\n", encoding="utf-8")


def _in_words(name: str, value: Any) -> str:
    if name == "start":
        return "no --from" if value is None else f"--from {value['file']}, {value['sha256'][:8]}"
    if name == "own":
        return (
            "no own pictures" if value is None else _told(value, [d[:8] for d in value["sha256"]])
        )
    return (
        f"--{name} {value}" if not isinstance(value, bool) else f"{'' if value else 'no '}--{name}"
    )


def _told(own: dict[str, Any], *more: list[str]) -> str:
    names = ", ".join(" ".join(parts) for parts in zip(own["files"], *more, strict=True))
    return f"own pictures ({names}, {own['share']:.0%} of the samples)"


@dataclass(frozen=True)
class Told:
    """What whoever exports a model wants its card to say.

    Attributes:
        license: SPDX identifier of the weights; None for that of what the run began with.
        version: `major.minor.patch`; None for that of the shipped model.
    """

    license: str | None = None
    version: str | None = None


NOTHING_TOLD: Final = Told()


def trained_on(run: Path, start: str, shipped: str) -> str:
    """Everything that a run's weights have seen, in words, for the card.

    Args:
        run: folder of the run.
        start: what it starts from without a model file.
        shipped: the pictures of the shipped model.
    """
    note = _read(run)
    model, own = note.get("start"), note.get("own")
    parts = [start if model is None else f"{model['file']} ({model['training_data']})"]
    if own is None or own["share"] < 1.0:
        parts.append(shipped)
    if own is not None:
        parts.append(_told(own))
    return "; ".join(parts)


def license_of_run(run: Path) -> str:
    """SPDX identifier of a run's weights: that of the model file they started from, if any."""
    model = _read(run).get("start")
    return license_of(run) if model is None else str(model["license"])


def _read(run: Path) -> dict[str, Any]:
    path = run / _NOTE
    note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return note


def _model(path: Path) -> dict[str, str]:
    told = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    return {
        "file": path.name,
        "sha256": _digest(path),
        "training_data": told.get("training_data", "nobody says on what it was trained"),
        "license": told.get("license", "NOASSERTION"),
    }


def _pictures(own: OwnData) -> dict[str, Any] | None:
    if not own.files or own.share == 0.0:
        return None
    names = [f"{path.resolve().parent.name}/{path.name}" for path in own.files]
    return {"files": names, "sha256": [_digest(path) for path in own.files], "share": own.share}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
