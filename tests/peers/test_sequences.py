"""What all trackers are given is kept exactly, from simulated and from recorded sequences."""

from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from tests.peers.sequences import Sequence, recorded, simulated


def same(one: Sequence, other: Sequence) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Sequence)
    )


def test_a_simulated_entrance_is_kept_with_its_truth(tmp_path: Path) -> None:
    seen = simulated("sim://entrance?seed=301&duration_s=12&fps=2&people_per_min=25")
    assert int(seen.frames[0]) == 24
    assert len(seen.found_colours) == len(seen.found_boxes) == len(seen.found_scores) > 0
    assert set(seen.true_frame.tolist()) <= set(range(24))
    seen.save(tmp_path / "kept.npz")
    assert same(Sequence.load(tmp_path / "kept.npz"), seen)


def test_of_a_recording_only_people_who_are_asked_for_can_be_seen(tmp_path: Path) -> None:
    (tmp_path / "img1").mkdir()
    (tmp_path / "gt").mkdir()
    for number in (1, 2):
        grey = np.full((90, 160, 3), 128, np.uint8)
        assert cv2.imwrite(str(tmp_path / "img1" / f"{number:06d}.png"), grey)
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nframeRate=25\n")
    (tmp_path / "gt" / "gt.txt").write_text(
        "2,1,10,20,30,40,1,1,0.75\n1,1,10,20,30,40,1,1,0.5\n1,2,50,20,30,40,0,1,1\n1,3,90,20,30,40,1,3,1\n"
    )
    seen = recorded(tmp_path)
    assert seen.size.tolist() == [160, 90]
    assert seen.true_frame.tolist() == [0, 0, 0, 1]
    assert dict(
        zip(seen.true_person.tolist()[:3], seen.true_visible[:3].tolist(), strict=True)
    ) == {
        1: 0.5,
        2: 0.0,
        3: 0.0,
    }
    np.testing.assert_array_equal(seen.true_boxes[0], [10, 20, 40, 60])
