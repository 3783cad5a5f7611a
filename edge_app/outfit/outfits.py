"""The outfit stage: looks at the people who need it, and keeps what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge_app.config.schema import OutfitSettings
from edge_app.flow import Entry, Frame, Outfit, TrackedFrame, TrackKey
from edge_app.outfit.crops import CropChooser
from edge_app.outfit.garments import Looker
from edge_app.outfit.uniform import Uniform, UniformVote
from edge_app.outfit.vote import Vote


class _Person:
    """What is kept of one track while it lives."""

    def __init__(self, settings: OutfitSettings, uniform: Uniform | None) -> None:
        self.vote = Vote(settings)
        self.uniform = None if uniform is None else UniformVote(uniform)
        self.deadline_s: float | None = None
        self.settled: Outfit | None = None
        self.went_out: Outfit | None = None


class Outfits:
    """Settles what each tracked person wears; remembers nothing of tracks that were forgotten.

    Args:
        settings: of the vote.
        looker: finds garments on people.
        uniform: of the staff; None where there is none to be told by.

    Attributes:
        uniform: the same.
    """

    def __init__(
        self, settings: OutfitSettings, looker: Looker, uniform: Uniform | None = None
    ) -> None:
        self._settings = settings
        self._looker = looker
        self.uniform = uniform
        self._chooser = CropChooser(settings)
        self._people: dict[TrackKey, _Person] = {}

    def look(
        self, frames: Sequence[Frame], tracked: Sequence[TrackedFrame]
    ) -> dict[TrackKey, Outfit]:
        """Look at the most promising people of this step.

        Args:
            frames: this step's frames.
            tracked: the people in them, in the same order.

        Returns:
            The outfits that changed or settled with this step.

        Raises:
            EngineError: a network failed, and nobody was looked at.
        """
        views = self._chooser.choose(tracked, self._evidence())
        looks = self._looker.look(
            [(frames[view.frame].frame_bgr, view.box) for view in views],
            [view.quality for view in views],
        )
        changed: dict[TrackKey, Outfit] = {}
        for view, look in zip(views, looks, strict=True):
            person = self._people.setdefault(view.key, self._new_person())
            person.vote.add(look, view.at_s)
            if person.uniform is not None:
                person.uniform.add(frames[view.frame].frame_bgr, look)
            changed[view.key] = self._judge(person, is_final=False)
        return changed | self.due(tracked)

    def due(self, tracked: Sequence[TrackedFrame]) -> dict[TrackKey, Outfit]:
        """The outfits whose deadline has passed with this step; what is open stays ``unknown``."""
        changed: dict[TrackKey, Outfit] = {}
        times = {frame.camera: frame.taken_at_s for frame in tracked}
        for key, person in self._people.items():
            now_s = times.get(key[0], float("-inf"))
            is_due = person.deadline_s is not None and now_s >= person.deadline_s
            if is_due and person.settled is None:
                changed[key] = self._judge(person, is_final=True)
        return changed

    def _evidence(self) -> Mapping[TrackKey, float | None]:
        """Per track its evidence so far; None where no more is wanted.

        That is where the outfit is settled, or where much was seen and nobody waits for it: who
        lingered far away, was looked at in vain and then comes in is looked at again.
        """
        evidence: dict[TrackKey, float | None] = {}
        for key, person in self._people.items():
            is_awaited = person.deadline_s is not None
            is_open = person.settled is None
            is_wanted = is_open and (is_awaited or person.vote.looks < self._settings.max_looks)
            evidence[key] = person.vote.weight if is_wanted else None
        return evidence

    def _judge(self, person: _Person, is_final: bool) -> Outfit:
        if person.settled is not None:
            return person.settled
        outfit = person.vote.outfit(is_final)
        if person.uniform is not None and outfit.evidence >= 1.0:
            outfit = replace(outfit, is_staff=person.uniform.is_worn)
        if outfit.is_settled:
            person.settled = outfit
        return outfit

    def entered(
        self, entry: Entry, told_at_s: float | None = None, has_left: bool = False
    ) -> Outfit:
        """Note that a person was counted: their outfit has a deadline from now on.

        Whose entry is told late, for they were hidden, has half of that time from then on at least.

        Args:
            entry: into or out of a zone.
            told_at_s: time of the frame that decided it; None where none comes after it.
            has_left: it is the way out of the store. A settled outfit is forgotten: who comes in
                next at the same place, and may be taken for who left, is looked at anew.

        Returns:
            What is known of the outfit so far.
        """
        key = (entry.camera, entry.track_id)
        person = self._people.setdefault(key, self._new_person())
        if has_left and person.settled is not None:
            anew = self._people[key] = self._new_person()
            anew.went_out = person.settled
        elif person.deadline_s is None:
            told_at_s = entry.at_s if told_at_s is None else told_at_s
            longest_s = self._settings.deadline_s
            person.deadline_s = max(entry.at_s + longest_s, told_at_s + longest_s / 2)
        return self._judge(person, is_final=False)

    def settle(self, key: TrackKey) -> Outfit:
        """The last word on a track that ended: what is open stays ``unknown``; then forget it."""
        person = self._people.pop(key, None) or self._new_person()
        if person.went_out is not None and person.vote.looks == 0:
            return person.went_out
        return self._judge(person, is_final=True)

    def _new_person(self) -> _Person:
        return _Person(self._settings, self.uniform)
