"""Comparing a replay with the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge_app.commands.compare import compare
from edge_app.commands.truth import truth_of
from edge_app.config.schema import RuleSettings

FORMAL = RuleSettings(any_of=("dress", "suit"), cooldown_s=0.0)
TRUE = {"frame": 50, "zone": "door", "direction": "in"}
CLIP: dict[str, Any] = {
    "fps": 10,
    "people": [
        {
            "garments": ["dress"],
            "entries": [TRUE],
        },
        {
            "garments": ["shirt", "jeans"],
            "entries": [
                {"frame": 80, "zone": "door", "direction": "in"},
                {"frame": 200, "zone": "door", "direction": "out"},
            ],
        },
    ],
}


def entry(frame: int, direction: str = "in", zone: str = "door", **told: str) -> dict[str, Any]:
    outfit = {region: {"category": word, "probability": 0.9} for region, word in told.items()}
    return {"frame": frame, "zone": zone, "direction": direction, "outfit": outfit}


def alert(frame: int, garment: str = "dress", people: int = 1) -> dict[str, Any]:
    told = {"frame": frame, "rule": "formal", "zone": "door", "garment": garment}
    return {**told, "people": people}


RIGHT = [entry(53), entry(79), entry(204, "out")]


def scores(
    entries: list[dict[str, Any]],
    alerts: list[dict[str, Any]],
    rule: RuleSettings = FORMAL,
    clip: dict[str, Any] = CLIP,
) -> dict[str, Any]:
    return compare(truth_of(clip, "here"), entries, alerts, {"formal": rule}, duration_s=1800.0)


def test_a_second_is_one_by_the_times_of_the_frames() -> None:
    """At no even rate, what is near by number may be far in time, and the other way round."""
    seconds = [*(i / 50 for i in range(100)), *(2.0 + 5 * i for i in range(50))]
    clip = {"fps": 10, "people": [CLIP["people"][0]]}
    truth = replace(truth_of(clip, "here"), seconds=seconds)
    rules = {"formal": FORMAL}
    near = compare(truth, [entry(95)], [alert(99)], rules, duration_s=250.0)
    assert near["entries"]["f1"] == near["alerts"]["formal"]["f1"] == 1.0
    assert near["alerts"]["formal"]["latency_s"]["p50"]["value"] == pytest.approx(0.98)
    late = {"fps": 10, "people": [{**CLIP["people"][0], "entries": [{**TRUE, "frame": 110}]}]}
    truth = replace(truth_of(late, "here"), seconds=seconds)
    far = compare(truth, [entry(112)], [alert(113)], rules, duration_s=250.0)
    assert (far["entries"]["matched"], far["alerts"]["formal"]["matched"]) == (0, 0)


def test_a_quarter_of_an_hour_is_one_by_the_times_of_the_frames() -> None:
    truth = replace(truth_of(CLIP, "here"), seconds=[20.0 * i for i in range(201)])
    counted = compare(truth, [], [], {}, duration_s=4000.0)["net_error"]["door"]
    assert counted["by_15min"] == [0, -2, 0, 0, 1]


def test_a_frame_behind_the_last_one_has_a_place_too() -> None:
    truth = replace(truth_of(CLIP, "here"), seconds=[0.0, 0.5, 2.0])
    assert [truth.place(frame) for frame in range(5)] == [0.0, 5.0, 20.0, 21.0, 22.0]


def test_a_perfect_replay() -> None:
    result = scores(RIGHT, [alert(60)])
    assert result["entries"]["f1"] == 1.0
    assert result["alerts"]["formal"]["f1"] == 1.0
    assert result["alerts"]["formal"]["garment_right"] == 1
    assert result["counts"] == {
        "door": {"true_in": 2, "counted_in": 2, "true_out": 1, "counted_out": 1}
    }


@pytest.mark.parametrize(
    ("entries", "precision", "recall"),
    [
        ([entry(53), entry(204, "out")], 1.0, 2 / 3),
        ([*RIGHT, entry(55)], 3 / 4, 1.0),
        ([entry(53), entry(79), entry(204, "in")], 2 / 3, 2 / 3),
        ([entry(65), entry(79), entry(204, "out")], 2 / 3, 2 / 3),
        ([entry(53, zone="back"), entry(79), entry(204, "out")], 2 / 3, 2 / 3),
    ],
    ids=["missed", "double", "wrong-direction", "more-than-a-second-late", "wrong-zone"],
)
def test_faults_of_entries(entries: list[dict[str, Any]], precision: float, recall: float) -> None:
    result = scores(entries, [])["entries"]
    assert result["precision"] == pytest.approx(precision, abs=1e-3)
    assert result["recall"] == pytest.approx(recall, abs=1e-3)


def test_an_alert_for_the_wrong_person_is_wrong() -> None:
    result = scores(RIGHT, [alert(60), alert(300)])["alerts"]["formal"]
    assert (result["precision"], result["recall"]) == (0.5, 1.0)
    assert result["wrong_frames"] == [300]


def test_an_alert_that_never_came_is_missed() -> None:
    result = scores(RIGHT, [])["alerts"]["formal"]
    assert (result["precision"], result["recall"], result["missed_frames"]) == (1.0, 0.0, [50])


def test_a_wrong_garment_is_told() -> None:
    result = scores(RIGHT, [alert(60, "suit")])["alerts"]["formal"]
    assert (result["matched"], result["garment_right"]) == (1, 0)


def test_a_merged_alert_answers_for_all_its_people() -> None:
    people = [
        {"garments": ["suit"], "entries": [{"frame": f, "zone": "door", "direction": "in"}]}
        for f in (50, 100, 120)
    ]
    merging = RuleSettings(any_of=("dress", "suit"), cooldown_s=30.0)
    told = [alert(52, "suit"), alert(352, "suit", people=2)]
    merged = scores([], told, merging, {"fps": 10, "people": people})["alerts"]["formal"]
    assert (merged["matched"], merged["precision"], merged["recall"]) == (3, 1.0, 1.0)
    late = scores([], told, FORMAL, {"fps": 10, "people": people})["alerts"]["formal"]
    assert (late["matched"], late["wrong_frames"]) == (1, [352, 352])


def test_no_alert_is_due_for_staff() -> None:
    people = [{**CLIP["people"][0], "staff": True}]
    result = scores([], [alert(60)], clip={"fps": 10, "people": people})["alerts"]["formal"]
    assert (result["matched"], result["wrong_frames"]) == (0, [60])


def test_alerts_latency_is_from_the_entry() -> None:
    people = [
        {"garments": ["suit"], "entries": [{"frame": 100 * i, "zone": "door", "direction": "in"}]}
        for i in range(11)
    ]
    told = [alert(100 * i + i, "suit") for i in range(11)]
    latency = scores([], told, clip={"fps": 10, "people": people})["alerts"]["formal"]["latency_s"]
    assert latency["p50"] == {"value": 0.5, "low": 0.1, "high": 0.9, "n": 11}
    assert latency["p95"]["value"] == 0.95
    assert latency["p95"]["high"] is None


def test_a_crossing_counted_the_wrong_way_is_confused_not_only_missed() -> None:
    result = scores([entry(53), entry(79), entry(204, "in"), entry(900, "out")], [])
    assert result["directions"]["in"] == {"in": 2, "out": 0, "missed": 0}
    assert result["directions"]["out"] == {"in": 1, "out": 0, "missed": 0}
    assert result["directions"]["invented"] == {"in": 0, "out": 1}
    assert (result["directions"]["turned"]["value"], result["directions"]["turned"]["n"]) == (
        pytest.approx(1 / 3, abs=1e-4),
        3,
    )


def test_the_right_direction_is_preferred_to_the_nearer_time() -> None:
    result = scores([entry(51, "out"), entry(58), entry(79), entry(204, "out")], [])
    assert result["directions"]["in"] == {"in": 2, "out": 0, "missed": 0}
    assert result["directions"]["invented"] == {"in": 0, "out": 1}


def test_the_net_error_adds_up_by_quarter_of_an_hour() -> None:
    # Missed one who came in; counted two who did not come in, one of them in the second quarter.
    told = [entry(79), entry(204, "out"), entry(400), entry(9_500)]
    error = scores(told, [])["net_error"]["door"]
    assert (error["total"], error["by_15min"]) == (1, [0, 1])
    assert error["per_15min"]["value"] == 0.5
    assert error["miscounts_per_15min"]["value"] == 1.5
    assert error["per_15min"]["low"] < 0 < error["per_15min"]["high"]


def test_errors_that_cancel_are_no_net_error_but_miscounts() -> None:
    error = scores([entry(53), entry(300), entry(204, "out")], [])["net_error"]["door"]
    assert error["total"] == 0
    assert error["miscounts_per_15min"]["n"] == 2


def test_garments_are_compared_for_those_who_came_in() -> None:
    told = [entry(53, long="dress"), entry(79, top="jacket", bottom="unknown")]
    told.append(entry(204, "out", top="coat"))
    garments = scores(told, [])["garments"]
    assert (garments["accuracy"]["value"], garments["accuracy"]["n"]) == (0.5, 2)
    assert garments["confusion"] == {"jeans": {"unknown": 1}, "shirt": {"jacket": 1}}


def test_of_people_who_come_side_by_side_clothes_and_staff_are_not_compared() -> None:
    people = [
        {"garments": ["dress"], "entries": [{"frame": f, "zone": "door", "direction": way}]}
        for f, way in ((50, "in"), (55, "in"), (300, "in"), (303, "out"))
    ]
    told = [entry(f, way, long="dress") for f, way in ((50, "in"), (55, "in"), (300, "in"))]
    result = scores(told, [], clip={"fps": 10, "people": people})
    assert result["entries"]["matched"] == 3
    assert result["garments"]["accuracy"]["n"] == 1
    assert result["staff"]["customers_taken"]["n"] == 1


def test_every_share_has_its_interval() -> None:
    found = scores([entry(53), entry(300)], [])["entries"]
    assert found["precision"] == 0.5
    assert found["intervals"]["precision"] == [0.0945, 0.9055]  # Wilson, 1 of 2


def test_staff_are_known_and_customers_are_not_taken_for_them() -> None:
    people = [{**CLIP["people"][0], "staff": True}, CLIP["people"][1]]
    told = [{**entry(53), "staff": True}, {**entry(79), "staff": True}]
    staff = scores(told, [], clip={"fps": 10, "people": people})["staff"]
    assert (staff["known"]["value"], staff["known"]["n"]) == (1.0, 1)
    assert (staff["customers_taken"]["value"], staff["customers_taken"]["n"]) == (1.0, 1)
    told = [entry(53), entry(79)]
    staff = scores(told, [], clip={"fps": 10, "people": people})["staff"]
    assert (staff["known"]["value"], staff["customers_taken"]["value"]) == (0.0, 0.0)
