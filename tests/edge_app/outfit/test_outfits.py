"""Per person: looks until it is settled, a deadline after the entry, and then forgotten."""

from __future__ import annotations

import numpy as np
import pytest

from edge_app.app import Networks, open_networks
from edge_app.config.schema import DetectionSettings, InferenceSettings, OutfitSettings
from edge_app.flow import Direction, Entry, Float32, Frame, Track, TrackedFrame
from edge_app.outfit.outfits import Outfits
from tests.tiny_models import save_all

SETTINGS = OutfitSettings(min_looks=3, min_weight=0.5, deadline_s=2.0, max_looks=10)
KEY = ("door", 1)
BOX = np.array([40, 10, 80, 100], np.float32)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    folder = save_all(tmp_path_factory.mktemp("models"))
    settings = InferenceSettings(models=folder, threads=1)
    return open_networks(settings, DetectionSettings(), SETTINGS)


def step(
    outfits: Outfits, at_s: float, is_observed: bool = True, box: Float32 = BOX
) -> dict[tuple[str, int], object]:
    noise = np.random.default_rng(int(at_s * 10)).integers(-25, 25, (120, 160, 3))
    picture = np.clip(np.array([60, 90, 230]) + noise, 0, 255).astype(np.uint8)
    people = (Track(1, box, 0.9, is_observed, -1.0),)
    return dict(
        outfits.look(
            [Frame("door", 0, at_s, picture)],
            [TrackedFrame("door", 0, at_s, (160, 120), people)],
        )
    )


def entry(at_s: float, direction: Direction = "in") -> Entry:
    return Entry("door", "entrance", 1, direction, 0, at_s)


def test_a_person_is_looked_at_until_settled_and_then_no_more(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    seen = [bool(step(outfits, 0.3 * i)) for i in range(8)]
    first_quiet = seen.index(False)
    assert 3 <= first_quiet < 6
    assert not any(seen[first_quiet:])
    assert outfits.entered(entry(3.0)).regions["long"].category == "dress"


def test_the_deadline_settles_who_was_hardly_seen(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    step(outfits, 0.0)
    assert not outfits.entered(entry(0.1)).is_settled
    assert step(outfits, 1.0, is_observed=False) == {}
    settled = step(outfits, 2.2, is_observed=False)
    assert settled[KEY].is_settled  # type: ignore[attr-defined]
    assert settled[KEY].regions["long"].category == "unknown"  # type: ignore[attr-defined]
    assert step(outfits, 3.0, is_observed=False) == {}, "told once"


@pytest.mark.parametrize(("told_s", "due_s"), [(0.4, 2.1), (1.1, 2.1), (3.1, 4.1)])
def test_whose_entry_is_told_late_is_waited_for_as_well(
    networks: Networks, told_s: float, due_s: float
) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    step(outfits, 0.0)
    outfits.entered(entry(0.1), told_at_s=told_s)
    assert step(outfits, due_s - 0.1, is_observed=False) == {}
    assert step(outfits, due_s + 0.1, is_observed=False)[KEY].is_settled  # type: ignore[attr-defined]


def test_who_left_is_settled_and_forgotten(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    step(outfits, 0.0)
    assert outfits.settle(KEY).evidence > 0.0
    assert outfits.settle(KEY).evidence == 0.0, "nothing is kept"


def test_who_was_never_seen_well_is_settled_as_nothing(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    outfit = outfits.settle(KEY)
    assert outfit.is_settled
    assert outfit.regions == {}


def test_who_comes_in_again_is_looked_at_anew(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    for i in range(8):
        step(outfits, 0.3 * i)
    assert outfits.entered(entry(2.5)).is_settled
    assert outfits.entered(entry(3.0, "out"), has_left=True).regions["long"].category == "dress"
    assert step(outfits, 3.1), "somebody else may have been taken for them"
    assert 0.0 < outfits.entered(entry(3.2)).evidence < 0.5


def test_who_left_for_good_stays_what_was_seen(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    for i in range(8):
        step(outfits, 0.3 * i)
    outfits.entered(entry(3.0, "out"), has_left=True)
    assert outfits.settle(KEY).regions["long"].category == "dress"
    assert outfits.settle(KEY).evidence == 0.0, "nothing is kept"


def test_who_is_taken_for_somebody_who_left_ends_as_what_was_seen_since(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    for i in range(8):
        step(outfits, 0.3 * i)
    outfits.entered(entry(3.0, "out"), has_left=True)
    step(outfits, 3.1)
    outfit = outfits.settle(KEY)
    assert 0.0 < outfit.evidence < 0.5, "one look"
    assert outfit.regions["long"].category == "unknown"


def test_who_leaves_an_area_of_the_store_is_not_looked_at_anew(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    for i in range(8):
        step(outfits, 0.3 * i)
    outfits.entered(entry(3.0, "out"))
    assert not step(outfits, 3.1)


def test_an_open_outfit_survives_going_out(networks: Networks) -> None:
    outfits = Outfits(SETTINGS, networks.looker)
    step(outfits, 0.0)
    before = step(outfits, 0.3)[KEY]
    assert outfits.entered(entry(0.4, "out"), has_left=True) == before


def test_who_lingered_far_away_is_looked_at_once_they_come_in(networks: Networks) -> None:
    outfits = Outfits(SETTINGS.model_copy(update={"min_weight": 50.0}), networks.looker)
    seen = [bool(step(outfits, 0.3 * i)) for i in range(14)]
    assert sum(seen) == SETTINGS.max_looks
    outfits.entered(entry(4.5))
    assert step(outfits, 4.6)
    assert step(outfits, 4.9)
    assert step(outfits, 6.6)[KEY].is_settled, "until the deadline"  # type: ignore[attr-defined]
    assert not step(outfits, 6.9)
