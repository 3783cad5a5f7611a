"""How people move over the ground: paths, groups, and who comes when.

The timetable is drawn minute by minute from the seed, so that any moment of an endless run can be
asked for directly: everybody is gone two minutes after the start of the minute that made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_app.capture.simulated.layout import Layout
from edge_app.capture.simulated.settings import SimulationSettings

STEP_S = 0.05
"""Time between two samples of a path; positions in between are interpolated linearly."""
LONGEST_WALK_S = 58.0
"""Nobody stays longer, so that two minutes of the timetable tell who is there."""
MINUTE_S = 60.0


@dataclass(frozen=True)
class Place:
    """Where a walker is at one moment.

    Attributes:
        x_m: to the right of the entrance's middle.
        z_m: along the entrance's axis.
        heading_rad: 0 walks along +z, positive towards +x.
        gone_m: distance walked so far; drives the gait.
        speed_m_s: how fast.
    """

    x_m: float
    z_m: float
    heading_rad: float
    gone_m: float
    speed_m_s: float


@dataclass(frozen=True, eq=False)
class Walker:
    """One person's way through the scene.

    Attributes:
        person: id, unique in the run: 1000 per minute block, then a count from 0.
        kind: "enter", "exit", "u-turn" or "linger".
        start_s: time of the first sample, seconds from the start of the run.
        ground_m: float64 [N, 2], x and z of the ground point every ``STEP_S``.
        heading_rad: float64 [N]; 0 walks along +z, positive towards +x.
        gone_m: float64 [N], distance walked; drives the gait.
        speed_m_s: float64 [N].
    """

    person: int
    kind: str
    start_s: float
    ground_m: NDArray[np.float64]
    heading_rad: NDArray[np.float64]
    gone_m: NDArray[np.float64]
    speed_m_s: NDArray[np.float64]

    @property
    def end_s(self) -> float:
        """Time of the last sample."""
        return self.start_s + (len(self.ground_m) - 1) * STEP_S

    def at(self, time_s: float) -> Place:
        """Where the walker is at a time within the walk."""
        place = min(max((time_s - self.start_s) / STEP_S, 0.0), len(self.ground_m) - 1.001)
        low = int(place)
        part = place - low

        def mix(values: NDArray[np.float64]) -> NDArray[np.float64]:
            mixed: NDArray[np.float64] = values[low] * (1 - part) + values[low + 1] * part
            return mixed

        x_m, z_m = mix(self.ground_m)
        return Place(
            float(x_m),
            float(z_m),
            float(mix(self.heading_rad)),
            float(mix(self.gone_m)),
            float(mix(self.speed_m_s)),
        )


class Timetable:
    """Who walks when; the same for the same settings, whatever was asked before."""

    def __init__(self, settings: SimulationSettings, layout: Layout) -> None:
        self._settings = settings
        self._layout = layout
        # A few minutes suffice for playing forwards; the bound keeps endless runs small.
        self._minute = lru_cache(maxsize=8)(self._draw_minute)

    def minute(self, block: int) -> tuple[Walker, ...]:
        """Everybody whose walk starts in minute ``block``; nobody before the run's start."""
        return self._minute(block) if block >= 0 else ()

    def present(self, time_s: float) -> list[Walker]:
        """Everybody under way at a time."""
        block = int(time_s // MINUTE_S)
        candidates = self.minute(block - 1) + self.minute(block)
        return [walker for walker in candidates if walker.start_s <= time_s < walker.end_s]

    def _draw_minute(self, block: int) -> tuple[Walker, ...]:
        settings = self._settings
        rng = np.random.default_rng([settings.seed, 11, block])
        mean_size = 1 + 1.35 * settings.group_share
        parties = min(int(rng.poisson(settings.people_per_min / mean_size)), 60)
        walkers: list[Walker] = []
        for slot in range(parties):
            # Slots keep parties apart; the jitter leaves a quarter of each slot free.
            start_s = (block + (slot + 0.75 * rng.random()) / parties) * MINUTE_S
            kind = _draw_kind(settings, rng)
            size = (
                int(rng.choice([2, 3], p=[0.65, 0.35]))
                if (rng.random() < settings.group_share)
                else 1
            )
            lane = ((slot * 0.618 + block * 0.382 + 0.15 * rng.random()) % 1.0) * 2 - 1
            plan_seed = int(rng.integers(2**62))
            for place in range(size):
                person = block * 1000 + len(walkers)
                walkers.append(self._walker(person, kind, start_s, lane, (place, size), plan_seed))
        return tuple(walkers)

    def _walker(
        self,
        person: int,
        kind: str,
        start_s: float,
        lane: float,
        member: tuple[int, int],
        plan_seed: int,
    ) -> Walker:
        # Members of a party draw the same plan from the same seed and differ by their offset.
        rng = np.random.default_rng(plan_seed)
        place, size = member
        gap_m = rng.uniform(0.58, 0.75)
        offset_m = (place - (size - 1) / 2) * gap_m
        stops = plan(kind, self._layout, rng, lane, offset_m, (size - 1) / 2 * gap_m)
        speed = rng.uniform(0.9, 1.45) if size == 1 else rng.uniform(0.85, 1.2)
        lag_s = float(np.random.default_rng([plan_seed, place]).uniform(0.0, 0.35))
        ground = _walk(stops, speed)
        return Walker(person, kind, start_s + lag_s, *_motion(ground))


def _draw_kind(settings: SimulationSettings, rng: np.random.Generator) -> str:
    draw = rng.random()
    for share, kind in (
        (settings.exit_share, "exit"),
        (settings.u_turn_share, "u-turn"),
        (settings.linger_share, "linger"),
    ):
        if draw < share:
            return kind
        draw -= share
    return "enter"


Stop = tuple[float, float, float]
"""x and z in metres, and how long to stand there in seconds."""


def plan(
    kind: str, layout: Layout, rng: np.random.Generator, lane: float, offset_m: float, half_m: float
) -> list[Stop]:
    """The places that one member of a party walks to.

    Args:
        kind: "enter", "exit", "u-turn" or "linger".
        layout: the ground plan.
        rng: the party's; every member draws the same from it.
        lane: where to cross the line, -1 to 1; coming and going keep to different sides.
        offset_m: the member's distance from the party's middle.
        half_m: half the party's width.
    """
    line, sign = layout.line_z_m, layout.inward
    room = max(layout.lane_half_width_m - half_m, 0.0)
    # Those who come keep to one half of the door and those who leave to the other.
    came = (0.5 + 0.5 * lane) * room + offset_m
    left = -(0.5 + 0.5 * lane) * room + offset_m
    if kind == "linger":
        near = line - sign * rng.uniform(0.5, 0.9)
        stand_s = rng.uniform(3.0, 14.0)
        back = came - (1.1 if came > 0 else -1.1)
        return [
            (came, layout.outside_z_m, 0),
            (came, near - sign * 0.4, 0),
            (came, near, stand_s),
            (0.5 * (came + back), near - sign * 0.1, 0),
            (back, near - sign * 0.6, 0),
            (back, layout.outside_z_m, 0),
        ]
    if kind == "u-turn":
        beyond = line + sign * rng.uniform(0.9, 1.6)
        stand_s = rng.uniform(0.0, 5.0)
        return [
            (came, layout.outside_z_m, 0),
            (came, beyond, stand_s),
            (0.5 * (came + left), beyond + sign * 0.35, 0),
            (left, beyond, 0),
            (left, layout.outside_z_m, 0),
        ]
    inside = _inside(layout, rng, came if kind == "enter" else left, offset_m)
    if kind == "enter":
        return [(came, layout.outside_z_m, 0), (came, line + sign * 0.8, 0), *inside]
    return [*reversed(inside), (left, line + sign * 0.8, 0), (left, layout.outside_z_m, 0)]


def _inside(layout: Layout, rng: np.random.Generator, lane_m: float, offset_m: float) -> list[Stop]:
    """From the line to an aisle, perhaps a stop at a shelf, and out of the picture sideways."""
    aisle = layout.aisles_z_m[int(rng.integers(len(layout.aisles_z_m)))]
    turn_z = aisle + rng.uniform(-0.25, 0.25) + 0.8 * offset_m
    turn_x = lane_m + rng.normal(0, 0.35)
    to_right = bool(rng.random() < 0.5)
    exit_x = layout.side_exit_x_m(turn_z, to_right)
    browse_s = rng.uniform(2.0, 9.0) if rng.random() < 0.3 else 0.0
    stop_x = turn_x + (exit_x - turn_x) * rng.uniform(0.2, 0.6)
    return [
        (turn_x, turn_z, 0),
        (stop_x, turn_z + rng.normal(0, 0.15), browse_s),
        (exit_x, turn_z, 0),
    ]


def _walk(stops: list[Stop], speed_m_s: float) -> NDArray[np.float64]:
    """Walk from stop to stop at a speed and round the corners; float64 [N, 2]."""
    times, places = [0.0], [stops[0][:2]]
    for x_m, z_m, stand_s in stops[1:]:
        far = float(np.hypot(x_m - places[-1][0], z_m - places[-1][1]))
        times.append(times[-1] + max(far / speed_m_s, STEP_S))
        places.append((x_m, z_m))
        if stand_s > 0:
            times.append(times[-1] + stand_s)
            places.append((x_m, z_m))
    end_s = min(times[-1], LONGEST_WALK_S - 1.0)
    moments = np.arange(0.0, end_s, STEP_S)
    flat = np.array(places)
    ground = np.stack([np.interp(moments, times, flat[:, axis]) for axis in (0, 1)], axis=1)
    return _smooth(ground, 0.28)


def _smooth(values: NDArray[np.float64], sigma_s: float) -> NDArray[np.float64]:
    reach = int(3 * sigma_s / STEP_S)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP_S / sigma_s) ** 2)
    weights /= weights.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack(
        [np.convolve(padded[:, axis], weights, "valid") for axis in range(values.shape[1])], axis=1
    )


def _motion(
    ground: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Ground path, heading, distance walked and speed of a path."""
    step = np.gradient(ground, axis=0)
    far = np.hypot(step[:, 0], step[:, 1])
    speed = far / STEP_S
    moving = speed > 0.15
    heading = np.unwrap(np.arctan2(step[:, 0], step[:, 1]))
    if moving.any():
        # Whoever stands keeps looking where they were going.
        known = np.maximum.accumulate(np.where(moving, np.arange(len(far)), 0))
        known[: int(np.argmax(moving))] = int(np.argmax(moving))
        heading = np.unwrap(heading[known])
    heading = _smooth(heading[:, None], 0.18)[:, 0]
    return ground, heading, np.cumsum(far), speed
