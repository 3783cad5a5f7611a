"""The garment model's judge: what is not known is neither right nor wrong."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.vocabulary import CATEGORIES
from model_build.data.garment_crops import CropSample
from model_build.evaluate.garments import evaluate_garments, run_garments
from tests.tiny_models import save_all

DRESS, SUIT = CATEGORIES.index("dress"), CATEGORIES.index("suit")


def _samples() -> list[CropSample]:
    rng = np.random.default_rng(1)
    return [
        CropSample(
            rng.integers(0, 255, (64, 32, 3), np.uint8),
            np.array([[2, 2, 22, 50]], np.float32),
            np.array([2]),
            has_boxes=True,
            wears=np.zeros(15, np.float32),
            seen_hw=(64, 32),
        )
        for _ in range(3)
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_all(tmp_path_factory.mktemp("models")) / "garments.onnx"


def test_of_whom_it_is_not_known_nothing_is_right_or_wrong(model: Path) -> None:
    samples = _samples()
    samples[0].wears[DRESS] = 1.0
    samples[1].wears[DRESS] = samples[1].wears[SUIT] = np.nan
    figures = evaluate_garments(model, samples).figures
    assert figures["wears_count/dress"] == 1
    said = run_garments(model, np.stack([sample.crop for sample in samples])).wears
    best = said[0, DRESS] >= said[2, DRESS]
    assert figures["wears_ap/dress"] == pytest.approx(1.0 if best else 0.5)


def test_somebody_in_one_of_two_garments_is_meant_whatever_the_other_is(model: Path) -> None:
    samples = _samples()
    samples[0].wears[DRESS], samples[0].wears[SUIT] = 1.0, np.nan
    samples[1].wears[SUIT] = np.nan
    figures = evaluate_garments(model, samples).figures
    said = run_garments(model, np.stack([sample.crop for sample in samples])).wears
    either = 1.0 - (1.0 - said[:, DRESS]) * (1.0 - said[:, SUIT])
    expected = 1.0 if either[0] >= either[2] else 0.5
    assert figures["alert_ap/dress or suit"] == pytest.approx(expected)
