"""The INT8 section of a card: put in, put in again, and nothing else touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from calibration.gate import Verdict
from edge_app.errors import ModelError
from model_build.int8.card import refused_section, section, write_section
from model_build.int8.measure import Comparison

CARD = """# detector.onnx

## Figures
Many.

## Weaknesses
- Some.
"""


def comparison(after: float) -> Comparison:
    verdict = Verdict({"ap50": 1.0}, {"ap50": 0.995}, 0.005, 0.01, (("stem", 0.4),), ("stem",))
    figures = {"street, ap50": 0.8}
    speeds = {
        "AMX and VNNI": {
            "float32": {1: 0.03, 4: 0.1},
            "rewritten": {1: 0.025, 4: 0.08},
            "int8": {1: 0.02, 4: 0.05},
            "bfloat16": {1: 0.024, 4: 0.04},
        },
        "VNNI": {"float32": {1: 0.03}, "rewritten": {1: 0.03}, "int8": {1: 0.025}},
    }
    after_figures = {"street, ap50": after}
    return Comparison("detector", "mse", 9, verdict, figures, after_figures, speeds, (360, 900))


def test_the_section_tells_accuracy_layers_and_speed() -> None:
    text = section(comparison(0.792))
    assert "| street, ap50 | 0.800 | 0.792 |" in text
    assert "8 of 9 layers in INT8, in float because they cost most:\n`stem`" in text
    assert "Largest relative loss of these: 1.0%" in text
    assert "over 360 pictures" in text
    assert "on 900 other pictures" in text
    assert "| AMX and VNNI | 1.50, 2.00 | 1.20, 1.25 | 1.25, 2.50 |" in text
    assert "| VNNI | 1.20 | 1.00 | - |" in text
    whole = comparison(0.792)
    whole = replace(whole, verdict=replace(whole.verdict, kept_in_float=()))
    assert "; 9 of 9 layers in INT8.\n\n|" in section(whole)


@pytest.mark.parametrize("card", [CARD, CARD.replace("## Weaknesses\n- Some.\n", "")])
def test_a_section_is_put_in_once_and_renewed(tmp_path: Path, card: str) -> None:
    path = tmp_path / "detector.md"
    path.write_text(card)
    for after in (0.7, 0.75):
        write_section(path, section(comparison(after)))
    text = path.read_text()
    assert text.count("## INT8") == 1
    assert "| 0.750 |" in text
    assert "0.700" not in text
    before, _, rest = text.partition("## INT8")
    assert before.startswith("# detector.onnx\n\n## Figures\nMany.\n")
    assert rest.endswith("## Weaknesses\n- Some.\n") == ("Weaknesses" in card)


def test_a_refused_model_is_told_in_place_of_figures(tmp_path: Path) -> None:
    path = tmp_path / "detector.md"
    path.write_text(CARD)
    write_section(path, section(comparison(0.75)))
    write_section(path, refused_section("detector", ModelError("refused: INT8 loses 9 %")))
    text = path.read_text()
    assert "its gate says:\nrefused: INT8 loses 9 %." in text
    assert "0.750" not in text
    assert text.endswith("## Weaknesses\n- Some.\n")
