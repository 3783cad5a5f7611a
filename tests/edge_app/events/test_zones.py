"""Depths, bands and ends of lines and areas."""

import pytest

from edge_app.config.schema import ZoneSettings
from edge_app.events.zones import Zone

LINE = Zone(ZoneSettings(line=((0.1, 0.8), (0.9, 0.8))), 16 / 9)
AREA = Zone(ZoneSettings(area=((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))), 16 / 9)
WHOLE = Zone(ZoneSettings(area=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))), 16 / 9)


@pytest.mark.parametrize(
    ("zone", "point", "depth"),
    [
        pytest.param(LINE, (0.5, 0.6), 0.2, id="left-of-a-line"),
        pytest.param(LINE, (0.5, 0.9), -0.1, id="right-of-a-line"),
        pytest.param(AREA, (0.4, 0.3), 0.1, id="inside-an-area"),
        pytest.param(AREA, (0.4, 0.1), -0.1, id="above-an-area"),
        pytest.param(AREA, (0.65, 0.4), -0.05 * 16 / 9, id="beside-an-area-in-heights"),
        pytest.param(AREA, (0.2, 0.4), 0.0, id="on-the-boundary"),
    ],
)
def test_depth_is_in_picture_heights(zone: Zone, point: tuple[float, float], depth: float) -> None:
    assert zone.depth(point) == pytest.approx(depth)


def test_a_vertical_line_measures_widths_in_heights_too() -> None:
    zone = Zone(ZoneSettings(line=((0.5, 1.0), (0.5, 0.0))), 2.0)
    assert zone.depth((0.4, 0.5)) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("depth", "height", "side"),
    [(0.02, 0.3, 1), (0.01, 0.3, 0), (-0.01, 0.3, 0), (-0.02, 0.3, -1), (0.02, 0.9, 0)],
)
def test_the_band_is_neither_side_and_wider_for_near_people(
    depth: float, height: float, side: int
) -> None:
    assert LINE.side(depth, height) == side


def test_a_line_near_the_edge_leaves_a_side_to_be_seen_on() -> None:
    zone = Zone(ZoneSettings(line=((0.1, 0.99), (0.9, 0.99))), 16 / 9)
    assert zone.side(zone.depth((0.5, 1.0)), 0.5) == -1


@pytest.mark.parametrize(("point", "side"), [((1.0, 1.0), 1), ((0.0, 0.5), 1), ((0.5, 0.5), 1)])
def test_the_whole_picture_is_inside_with_its_edge(point: tuple[float, float], side: int) -> None:
    assert WHOLE.side(WHOLE.depth(point), 0.5) == side


def test_the_band_of_an_area_lies_outside() -> None:
    assert [AREA.side(depth, 0.2) for depth in (0.0, -0.02, -0.04)] == [1, 0, -1]


@pytest.mark.parametrize(
    ("x", "expected"), [(0.5, True), (0.1, True), (0.08, True), (0.05, False), (0.95, False)]
)
def test_a_line_is_passed_between_its_ends(x: float, expected: bool) -> None:
    assert LINE.is_passed_at((x, 0.8)) is expected
