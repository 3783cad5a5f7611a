"""Labels that say who people are, and not what they wear, are refused wherever they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_app.config.denied import DENIED, denied
from edge_app.config.load import loads
from edge_app.errors import ConfigError, ModelError
from edge_app.inference.model import load_model
from edge_app.vocabulary import CATEGORIES, REGIONS
from tests.tiny_models import save_detector

CONFIG = """
store: a
node: b
timezone: UTC
mqtt: {url: "mqtt://127.0.0.1"}
cameras: {door: {source: 0, zones: {womens-wear: {area: [[0, 0], [1, 0], [1, 1]]}}}}
alerts:
  RULE: {any_of: [GARMENT]}
"""


@pytest.mark.parametrize("what", DENIED)
def test_every_word_of_the_list_is_refused_in_any_writing(what: str) -> None:
    for word in DENIED[what]:
        for label in (word, word.upper(), f"with-{word}", f"{word}_1", f"a {word}"):
            assert denied(label) is not None, label


@pytest.mark.parametrize("label", [*CATEGORIES, *REGIONS, "unknown", "person", "boxes", "scores",
                                   "wears", "embedding", "probabilities", "images", "crops",
                                   "formalwear", "dresses", "manager-look", "agency-uniform",
                                   "racecourse-hat", "package", "raincoat"])  # fmt: skip
def test_clothes_are_not(label: str) -> None:
    assert denied(label) is None


@pytest.mark.parametrize(
    ("rule", "garment", "what"),
    [
        pytest.param("muslims", "dress", "religion", id="rule-religion"),
        pytest.param("young-people", "dress", "age", id="rule-age"),
        pytest.param("women", "dress", "gender", id="rule-gender"),
        pytest.param("scarf", "hijab", "religion", id="garment"),
    ],
)
def test_a_configuration_is_refused(rule: str, garment: str, what: str) -> None:
    with pytest.raises(ConfigError, match=f"store.yaml:8: .*describes {what}"):
        loads(CONFIG.replace("RULE", rule).replace("GARMENT", garment))


def test_a_department_may_be_called_what_it_is() -> None:
    assert "womens-wear" in loads(CONFIG.replace("RULE", "x").replace("GARMENT", "dress")).zones


@pytest.mark.parametrize("label", ["hijab", "female", "age"])
def test_a_model_is_refused(tmp_path: Path, label: str) -> None:
    boxes, scores = np.zeros((1, 4)), np.zeros((1, 1))
    path = save_detector(tmp_path / "m.onnx", boxes, scores, labels=f'["person", "{label}"]')
    with pytest.raises(ModelError, match=f"'{label}' describes"):
        load_model(path, "detector")
