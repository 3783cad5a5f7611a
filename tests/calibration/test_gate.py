"""The gate: a good INT8 model passes, a bad one is repaired or refused, and is told why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from calibration.accuracy import (
    Answers,
    Truth,
    average_precision,
    figures_of,
    truth_of,
)
from calibration.gate import Judge, Verdict, layer_costs, search, search_methods, stamp
from calibration.quantize import Quantizer
from calibration.ranges import METHODS
from edge_app.errors import ModelError
from edge_app.flow import Detections
from tests.calibration.networks import pictures, residual_detector


def objects(*rows: tuple[float, ...]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4], np.zeros(len(table), np.int64))


TWO = objects((0, 0, 10, 10, 1), (20, 0, 30, 10, 1))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(TWO, 1.0, id="both"),
        pytest.param(objects((0, 0, 10, 10, 0.9)), 0.5, id="one of two"),
        pytest.param(objects((0, 0, 10, 10, 0.9), (0, 0, 10, 9, 0.8)), 0.5, id="one, twice"),
        pytest.param(
            objects((50, 50, 60, 60, 0.9), (0, 0, 10, 10, 0.8)), 0.25, id="a wrong one first"
        ),
        pytest.param(objects(), 0.0, id="nothing"),
        pytest.param(objects((0, 0, 10, 10, 0.9), (50, 50, 60, 60, 0.9)), 0.25, id="right, a tie"),
        pytest.param(objects((50, 50, 60, 60, 0.9), (0, 0, 10, 10, 0.9)), 0.25, id="wrong, a tie"),
    ],
)
def test_average_precision(found: Detections, expected: float) -> None:
    assert average_precision([found], [TWO], 0) == pytest.approx(expected)


def coarse(quantizer: Quantizer, layer_input: str) -> None:
    """Spoil the scale of one layer's input, as a wrongly measured range would."""
    quantizer.scales[layer_input] *= 4000.0


def test_a_good_model_passes_without_asking_for_costs() -> None:
    model = residual_detector()
    quantizer = Quantizer(model, pictures(), "minmax")
    judge = Judge(model, "detector", pictures(), allowed=0.2)

    def costs() -> tuple[tuple[str, float], ...]:
        pytest.fail("nobody needs them")

    made, verdict = search(quantizer, judge, costs, lambda _: None)
    assert verdict.is_passed
    assert verdict.kept_in_float == ()
    told = {p.key: p.value for p in stamp(made, verdict, quantizer.method).metadata_props}
    assert told["precision"] == "int8"


def test_the_dearest_layer_is_found_and_taken_back() -> None:
    model = residual_detector()
    quantizer = Quantizer(model, pictures(), "minmax")
    coarse(quantizer, "merge_act")
    judge = Judge(model, "detector", pictures(), allowed=0.2)
    heard: list[str] = []
    _, verdict = search(
        quantizer, judge, lambda: layer_costs(quantizer, model, pictures()), heard.append
    )
    assert verdict.costs[0][0] == "narrow"
    assert "narrow" in verdict.kept_in_float
    assert verdict.is_passed
    assert heard[0].startswith("all 6 layers in INT8: loss")


def test_a_model_that_stays_bad_is_refused_with_the_figures() -> None:
    verdict = Verdict({"ap50": 0.8}, {"ap50": 0.7}, 0.125, 0.01, (("stem", 0.4),), ("stem",))
    with pytest.raises(ModelError, match=r"loses 12.50% \(ap50 0.8000 to 0.7000\).*1.00%.*stem"):
        stamp(residual_detector(), verdict, "mse")


def test_pictures_without_people_measure_nothing() -> None:
    model = residual_detector()
    for tensor in model.graph.initializer:
        if tensor.name == "narrow_b":
            tensor.CopyFrom(numpy_helper.from_array(np.full(4, -99, np.float32), "narrow_b"))
    with pytest.raises(ModelError, match="no accuracy can be measured"):
        Judge(model, "detector", pictures())


def test_hand_made_labels_count_where_they_are_given() -> None:
    truth = Truth(tuple(objects((0, 0, 9, 30, 1)) for _ in pictures()), ())
    judge = Judge(residual_detector(), "detector", pictures(), truth)
    assert judge.before["ap50"] < 1.0


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param([[0.9, 0.1, 0.8], [0.2, 0.7, 0.1]], 1.0, id="what is worn comes first"),
        pytest.param([[0.9, 0.85, 0.8], [0.2, 0.7, 0.1]], (1 + 3 / 4 + 3 / 4) / 3, id="one wrong"),
    ],
)
def test_what_people_wear_is_judged_over_all_claims(
    claims: list[list[float]], expected: float
) -> None:
    truth = Truth(worn=(frozenset({0, 2}), frozenset({1})))
    answers = Answers(wears=np.array(claims, np.float32))
    assert figures_of(answers, truth) == {"wears_ap": pytest.approx(expected)}


def test_where_nothing_helps_the_least_loss_is_told() -> None:
    losses = {0: 0.3, 1: 0.2, 2: 0.05, 4: 0.1, 5: 0.2}

    class Layers:
        layers = tuple(f"layer {i}" for i in range(10))

        def write(self, without: tuple[str, ...] = ()) -> int:
            return len(without)

    class Strict:
        def judge(self, in_float: int) -> Verdict:
            return Verdict({"ap50": 1.0}, {"ap50": 1.0}, losses[in_float], 0.01)

    ranked = tuple((name, 1.0) for name in Layers.layers)
    model, verdict = search(Layers(), Strict(), lambda: ranked, lambda _: None)  # type: ignore[arg-type]
    assert (model, verdict.loss, len(verdict.kept_in_float)) == (2, 0.05, 2)
    assert not verdict.is_passed


class Ways:
    """A quantizer of which what it writes tells how ranges were chosen."""

    layers = tuple(f"layer {i}" for i in range(4))
    method = ""

    def use(self, method: str) -> None:
        self.method = method

    def write(self, _without: tuple[str, ...] = ()) -> str:
        return self.method


@pytest.mark.parametrize(
    ("losses", "taken", "is_passed"),
    [
        ({"mse": 0.0, "percentile": 0.0}, "mse", True),
        ({"mse": 0.1, "percentile": 0.005, "entropy": 0.0}, "percentile", True),
        ({"mse": 0.3, "percentile": 0.2, "entropy": 0.1, "minmax": 0.4}, "entropy", False),
    ],
)
def test_the_first_method_that_passes_is_taken(
    losses: dict[str, float], taken: str, is_passed: bool
) -> None:
    class Strict:
        def judge(self, method: str) -> Verdict:
            return Verdict({"ap50": 1.0}, {"ap50": 1.0}, losses[method], 0.01)

    ways, ranked = Ways(), tuple((name, 1.0) for name in Ways.layers)
    model, verdict = search_methods(ways, Strict(), lambda: ranked, lambda _: None)  # type: ignore[arg-type]
    assert model == ways.method == taken
    assert verdict.is_passed == is_passed


def test_scales_are_those_of_the_method_in_use() -> None:
    quantizer = Quantizer(residual_detector(), pictures())
    for method in METHODS:
        quantizer.use(method)
        assert Quantizer(residual_detector(), pictures(), method).scales == quantizer.scales


@pytest.mark.parametrize(
    ("needed", "asked"), [(1, [1]), (3, [1, 2, 4, 3]), (6, [1, 2, 4, 8, 6, 5])]
)
def test_no_more_layers_than_needed_go_back_to_float(needed: int, asked: list[int]) -> None:
    class Layers:
        layers = tuple(f"layer {i}" for i in range(20))

        def write(self, without: tuple[str, ...] = ()) -> int:
            return len(without)

    class Strict:
        def judge(self, in_float: int) -> Verdict:
            return Verdict({"ap50": 1.0}, {"ap50": 0.9}, 0.0 if in_float >= needed else 0.1, 0.01)

    ranked = tuple((name, 1.0) for name in Layers.layers)
    heard: list[str] = []
    model, verdict = search(Layers(), Strict(), lambda: ranked, heard.append)  # type: ignore[arg-type]
    assert model == needed
    assert verdict.kept_in_float == Layers.layers[:needed]
    assert [int(line.split()[0]) for line in heard[1:]] == asked


def test_recall_sees_what_the_order_of_scores_hides() -> None:
    truth = Truth((TWO,))
    sure, weak = (Answers((objects((0, 0, 10, 10, s), (20, 0, 30, 10, s)),)) for s in (0.9, 0.34))
    assert figures_of(sure, truth) == {"ap50": 1.0, "recall": 1.0}
    assert figures_of(weak, truth) == {"ap50": 1.0, "recall": 0.0}


def test_of_an_incomplete_truth_only_recall_is_told() -> None:
    found = Answers((objects((50, 50, 60, 60, 0.9), (0, 0, 10, 10, 0.8)),))
    assert figures_of(found, Truth((TWO,), is_complete=False)) == {"recall": 0.5}


class Scripted(Judge):
    """Judges answers, in place of models that give them."""

    def _answers(self, model: Any) -> Answers:
        return model  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("score", "truth", "message"),
    [
        (0.9, Truth((objects((500, 0, 510, 10, 1)),)), "0 as ap50 and recall, .* are the labels"),
        (0.32, None, "0 as recall, .*more pictures"),
    ],
    ids=["labels of other pictures", "its own answers"],
)
def test_where_the_float_model_is_blind_nothing_passes(
    score: float, truth: Truth | None, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        Scripted(Answers((objects((0, 0, 10, 10, score)),)), "detector", pictures(1), truth)


def test_a_group_that_loses_is_refused_where_all_together_do_not() -> None:
    many = objects(*((x, 0, x + 9, 9, 0.9) for x in range(0, 1000, 10)))
    rare = objects((0, 50, 9, 59, 0.6))
    everybody = Detections(
        np.concatenate([many.boxes_xyxy, rare.boxes_xyxy]),
        np.concatenate([many.scores, rare.scores]),
        np.zeros(101, np.int64),
    )
    group = {"rare": Truth((rare,), is_complete=False)}
    before, after = Answers((everybody,)), Answers((many,))
    assert Scripted(before, "detector", pictures(1)).judge(after).is_passed
    verdict = Scripted(before, "detector", pictures(1), groups=group).judge(after)
    assert verdict.before["rare, recall"] == 1.0
    assert "recall" not in verdict.before
    assert verdict.after["rare, recall"] == 0.0
    assert verdict.loss == 1.0
    assert not verdict.is_passed


def test_labels_that_say_nothing_of_what_is_worn_leave_it_to_the_model() -> None:
    wears = np.array([[0.9, 0.1, 0.7]], np.float32)
    judge = Scripted(Answers((TWO,), wears=wears), "garments", pictures(1), Truth((TWO,)))
    assert judge.truth.objects == (TWO,)
    assert judge.truth.worn == (frozenset({0, 2}),)
    told = Truth((TWO,), worn=(frozenset({1}),))
    judge = Scripted(Answers((TWO,), wears=wears), "garments", pictures(1), told)
    assert judge.truth.worn == told.worn


def test_its_own_answers_are_the_truth_where_a_model_is_sure() -> None:
    answers = Answers(probabilities=np.array([[0.1, 0.7, 0.1, 0.1], [0.25] * 4], np.float32))
    assert truth_of(answers).categories == (frozenset({1}), frozenset())
