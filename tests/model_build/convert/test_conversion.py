"""A converted data set holds each whole picture once, on one side of the split."""

import dataclasses
import io
import struct
import zlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from model_build.convert.conversion import Conversion, convert
from model_build.convert.facts import is_cut_off
from model_build.convert.report import show_report
from model_build.convert.splits import place
from model_build.data.ccp import read_photos
from model_build.data.clothing_dataset import read_garment_photos
from model_build.data.published.annotated import SPLITS, Annotated, DataError, Garment
from model_build.data.published.sources import READERS, read_source
from tests.model_build.data import layouts
from tests.model_build.data.layouts import divided_groups
from tests.model_build.data.published import written

DRESS = Garment(("dress",), (5.0, 5.0, 50.0, 70.0))
WRITERS = {
    "deepfashion": written.write_deepfashion,
    "deepfashion2": written.write_deepfashion2,
    "fashionpedia": written.write_fashionpedia,
    "modanet": written.write_modanet,
    "ccp": lambda folder: layouts.write_ccp(folder, 20, 10),
    "clothing-dataset": layouts.write_clothing_dataset,
    "folders": lambda folder: written.write_folders(folder, ("train", "test")),
}


def _photo(path: Path, seed: int, split: str = "train", garment: Garment = DRESS) -> Annotated:
    written.write_picture(path, seed)
    return Annotated(path, split, path.stem, (garment,), is_complete=True)


def _reasons(done: Conversion) -> dict[str, str]:
    return {one.picture.name: one.reason for one in done.left_out}


@pytest.mark.parametrize("source", WRITERS)
def test_no_photo_and_no_group_is_on_two_sides(tmp_path: Path, source: str) -> None:
    WRITERS[source](tmp_path)
    kept = convert(read_source(source, tmp_path)).kept
    assert {photo.split for photo in kept} <= set(SPLITS)
    assert divided_groups(kept, [photo.split for photo in kept]) == []
    assert len({photo.picture for photo in kept}) == len(kept)


def test_there_is_a_case_for_every_source() -> None:
    assert {*WRITERS, "coco"} == set(READERS)


def test_a_published_split_that_divides_an_item_is_kept_on_demand_only(tmp_path: Path) -> None:
    written.write_deepfashion(tmp_path)
    photos = read_source("deepfashion", tmp_path)
    assert divided_groups(photos, place(photos)) == []
    published = place(photos, as_published=True)
    assert published == ["train", "val", "test", "train"]
    assert divided_groups(photos, published) == ["img/Sheer_Pleated-Front_Blouse"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", *SPLITS])), min_size=1, max_size=40)
)
def test_a_split_never_divides_a_group(drawn: list[tuple[int, str]]) -> None:
    photos = [
        Annotated(Path(f"{index}.jpg"), split, f"sender {group}", (DRESS,))
        for index, (group, split) in enumerate(drawn)
    ]
    splits = place(photos)
    assert divided_groups(photos, splits) == []
    sides = {photo.group: {p.split for p in photos if p.group == photo.group} for photo in photos}
    for photo, split in zip(photos, splits, strict=True):
        assert split == photo.split or sides[photo.group] != {photo.split} or not photo.split


def test_what_the_shipped_models_were_not_trained_on_is_the_test_set(tmp_path: Path) -> None:
    layouts.write_ccp(tmp_path / "ccp", 20, 10)
    layouts.write_clothing_dataset(tmp_path / "clothes")
    street = read_source("ccp", tmp_path / "ccp")
    held_out = {p.picture for p in read_photos(tmp_path / "ccp") if p.is_held_out}
    assert {
        p.picture for p, s in zip(street, place(street), strict=True) if s == "test"
    } == held_out
    clothes = read_source("clothing-dataset", tmp_path / "clothes")
    split = dict(zip((photo.picture for photo in clothes), place(clothes), strict=True))
    for photo in read_garment_photos(tmp_path / "clothes"):
        assert (split[photo.picture] == "test") == photo.is_held_out


def test_the_same_file_is_kept_once_on_the_stricter_side(tmp_path: Path) -> None:
    first = _photo(tmp_path / "first.jpg", 1)
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(first.picture.read_bytes())
    photos = [
        first,
        dataclasses.replace(first, picture=copy, group="copy", split="test"),
        _photo(tmp_path / "other.jpg", 2),
    ]
    done = convert(photos)
    assert [photo.picture.name for photo in done.kept] == ["copy.jpg", "other.jpg"]
    assert _reasons(done) == {"first.jpg": f"the same file as {copy}"}


def test_a_copy_that_is_labelled_otherwise_is_said_to_be(tmp_path: Path) -> None:
    first = _photo(tmp_path / "first.jpg", 1)
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(first.picture.read_bytes())
    skirt = dataclasses.replace(first, picture=copy, garments=(Garment(("skirt",)),))
    assert "labelled otherwise" in _reasons(convert([first, skirt]))["copy.jpg"]


def _smaller_copy(path: Path, copy: Path) -> None:
    picture = cv2.imread(str(path))
    assert picture is not None
    small = cv2.resize(picture, (45, 60), interpolation=cv2.INTER_AREA)
    assert cv2.imwrite(str(copy), small, [cv2.IMWRITE_JPEG_QUALITY, 60])


def test_a_look_alike_of_the_test_set_is_not_trained_on(tmp_path: Path) -> None:
    held_out = _photo(tmp_path / "original.jpg", 1, split="test")
    others = [_photo(tmp_path / f"{seed}.jpg", seed) for seed in range(2, 8)]
    _smaller_copy(held_out.picture, tmp_path / "small.jpg")
    small = dataclasses.replace(held_out, picture=tmp_path / "small.jpg", group="s", split="train")
    done = convert([small, held_out, *others])
    assert len(done.kept) == 7
    assert "looks the same as" in _reasons(done)["small.jpg"]


def test_look_alikes_that_are_left_out_are_not_told_as_kept(tmp_path: Path) -> None:
    first = _photo(tmp_path / "first.jpg", 1, split="train")
    photos = [first]
    for name, split in (("second.jpg", "train"), ("test.jpg", "test")):
        _smaller_copy(first.picture, tmp_path / name)
        picture = tmp_path / name
        photos.append(dataclasses.replace(first, picture=picture, group=name, split=split))
    photos[2].picture.write_bytes(photos[2].picture.read_bytes() + b"not the same file")
    done = convert(photos)
    assert [photo.picture.name for photo in done.kept] == ["test.jpg"]
    assert done.alike == []


def test_look_alikes_on_one_side_are_reported_and_stay(tmp_path: Path) -> None:
    photo = _photo(tmp_path / "original.jpg", 1)
    _smaller_copy(photo.picture, tmp_path / "small.jpg")
    done = convert([photo, dataclasses.replace(photo, picture=tmp_path / "small.jpg", group="s")])
    assert len(done.kept) == 2
    (pair,) = done.alike
    assert {pair.picture_a.name, pair.picture_b.name} == {"original.jpg", "small.jpg"}
    assert pair.same_labels


@pytest.mark.parametrize(
    ("ending", "spoil", "reason"),
    [
        (".jpg", lambda content: content[:-60], "cut off"),
        (".png", lambda content: content[: len(content) - 40], "cut off"),
        (".jpg", lambda _: b"", "not a readable picture"),
        (".jpg", lambda _: b"<html>404</html>", "not a readable picture"),
        (".jpg", None, "No such file"),
    ],
    ids=["a JPEG without its end", "a PNG without its end", "empty", "a web page", "missing"],
)
def test_a_corrupt_picture_is_left_out_and_named(
    tmp_path: Path, ending: str, spoil: object, reason: str
) -> None:
    bad = _photo(tmp_path / f"bad{ending}", 1)
    content = bad.picture.read_bytes()
    bad.picture.unlink()
    if callable(spoil):
        bad.picture.write_bytes(spoil(content))
    done = convert([bad, _photo(tmp_path / "good.jpg", 2)])
    assert [photo.picture.name for photo in done.kept] == ["good.jpg"]
    (left_out,) = done.left_out
    assert left_out.picture == bad.picture
    assert reason in left_out.reason


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def test_a_picture_of_too_many_pixels_is_left_out_and_named(tmp_path: Path) -> None:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    huge = header + _chunk(b"IDAT", zlib.compress(bytes(100))) + _chunk(b"IEND", b"")
    bad = _photo(tmp_path / "huge.png", 1)
    bad.picture.write_bytes(b"\x89PNG\r\n\x1a\n" + huge)
    done = convert([bad, _photo(tmp_path / "good.jpg", 2)])
    assert "not a readable picture" in _reasons(done)["huge.png"]


def test_a_phones_picture_in_a_format_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    written.write_folders(tmp_path)
    phone = tmp_path / "dress" / "IMG_0001.HEIC"
    phone.write_bytes(bytes.fromhex("0000001c667479706865696300000000"))
    assert _reasons(convert(read_source("folders", tmp_path))) == {
        "IMG_0001.HEIC": "not a readable picture"
    }


def test_a_picture_that_ends_in_other_bytes_is_whole(tmp_path: Path) -> None:
    photo = _photo(tmp_path / "phone.jpg", 1)
    photo.picture.write_bytes(photo.picture.read_bytes() + bytes(3000) + b"maker notes")
    assert len(convert([photo]).kept) == 1


def test_a_picture_that_ends_in_a_video_is_whole(tmp_path: Path) -> None:
    photo = _photo(tmp_path / "phone.jpg", 1)
    video = np.random.default_rng(0).bytes(3000).replace(b"\xff\xd9", b"") + b"\xff\xda" + bytes(99)
    photo.picture.write_bytes(photo.picture.read_bytes() + video)
    assert len(convert([photo]).kept) == 1


@pytest.mark.parametrize("fill", [b"", b"\xff\xff"], ids=["", "filled up"])
def test_a_preview_does_not_make_a_picture_whole(tmp_path: Path, fill: bytes) -> None:
    photo = _photo(tmp_path / "a.jpg", 1)
    content = photo.picture.read_bytes()
    preview = fill + b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content
    whole = content[:2] + preview + content[2:]
    assert not is_cut_off(whole)
    assert is_cut_off(whole[:-60])
    assert is_cut_off(whole[: len(content)])


def test_annotations_of_another_size_are_refused(tmp_path: Path) -> None:
    photo = dataclasses.replace(_photo(tmp_path / "a.jpg", 1), size=(80, 60))
    done = convert([photo, _photo(tmp_path / "b.jpg", 2)])
    assert _reasons(done)["a.jpg"].startswith("is 60x80 pixels, its annotations are for 80x60; if")
    assert "EXIF" in _reasons(done)["a.jpg"]


def test_a_picture_made_smaller_after_it_was_labelled_is_not_said_to_be_turned(
    tmp_path: Path,
) -> None:
    photo = dataclasses.replace(_photo(tmp_path / "a.jpg", 1), size=(120, 160))
    done = convert([photo, _photo(tmp_path / "b.jpg", 2)])
    assert _reasons(done) == {"a.jpg": "is 60x80 pixels, its annotations are for 120x160"}


def test_boxes_end_at_the_pictures_edge(tmp_path: Path) -> None:
    over = Garment(("coat",), (-5.0, 10.0, 70.0, 90.0))
    outside = Garment(("jeans",), (61.0, 10.0, 90.0, 40.0))
    no_number = Garment(("skirt",), (float("nan"), 10.0, 50.0, 40.0))
    photo = dataclasses.replace(_photo(tmp_path / "a.jpg", 1), garments=(over, outside, no_number))
    done = convert([photo])
    (kept,) = done.kept
    assert [garment.box_xyxy for garment in kept.garments] == [(0, 10, 60, 80)]
    assert not kept.is_complete
    assert len(done.bad_boxes) == 2
    assert "61, 10, 90, 40" in done.bad_boxes[0]
    assert "nan, 10, 50, 40" in done.bad_boxes[1]


def test_pictures_too_small_to_show_anything_are_left_out(tmp_path: Path) -> None:
    tiny = _photo(tmp_path / "tiny.png", 1)
    assert cv2.imwrite(str(tiny.picture), np.zeros((1, 1, 3), np.uint8))
    done = convert([dataclasses.replace(tiny, size=None), _photo(tmp_path / "a.jpg", 2)])
    assert _reasons(done) == {"tiny.png": "is 1x1 pixels, too small to show anything"}


def test_a_set_without_a_usable_picture_is_an_error(tmp_path: Path) -> None:
    photo = Annotated(tmp_path / "gone.jpg", "", "gone", (DRESS,))
    with pytest.raises(DataError, match=r"none of 1 pictures .*gone\.jpg: No such file"):
        convert([photo])


def test_pictures_of_other_things_are_counted(tmp_path: Path) -> None:
    shoes = Annotated(tmp_path / "shoes.jpg", "", "1", (), unused=("Shoes",))
    done = convert([shoes, _photo(tmp_path / "dress.jpg", 1)])
    assert done.without_garments == 1
    assert done.left_out == []
    told = io.StringIO()
    show_report(done, Counter(), Console(file=told))
    assert "pictures that show none of the fifteen categories: 1\n" in told.getvalue()


def test_pictures_of_one_colour_are_not_all_the_same(tmp_path: Path) -> None:
    photos = []
    for value in (10, 250):
        path = tmp_path / f"{value}.png"
        assert cv2.imwrite(str(path), np.full((40, 30, 3), value, np.uint8))
        photos.append(Annotated(path, "train", path.stem, (Garment(("dress",)),)))
    assert convert(photos).alike == []
