"""clothing-dataset is read from its table; what is missing or no garment is left out."""

from pathlib import Path

import pytest

from model_build.data.clothing_dataset import GarmentPhoto, read_garment_photos
from model_build.data.published.annotated import DataError
from tests.model_build.data.layouts import write_clothing_dataset


def test_rows_of_garments_with_a_picture_are_read(tmp_path: Path) -> None:
    write_clothing_dataset(tmp_path)
    photos = read_garment_photos(tmp_path)
    assert [(photo.picture.stem, photo.categories) for photo in photos] == [
        ("a", ("tshirt",)),
        ("b", ("trousers", "jeans")),
        ("d", ("jacket", "coat")),
    ]
    assert photos[0].read_picture().shape == (64, 48, 3)


def test_a_sender_is_on_one_side_of_the_split(tmp_path: Path) -> None:
    write_clothing_dataset(tmp_path)
    photos = read_garment_photos(tmp_path)
    assert photos[0].is_held_out == photos[1].is_held_out


def test_the_split_stays_as_shipped_models_know_it() -> None:
    photos = [GarmentPhoto(Path("a.jpg"), str(sender), "Shirt", ()) for sender in range(200)]
    held_out = [photo.sender_id for photo in photos if photo.is_held_out]
    assert (len(held_out), held_out[:3]) == (36, ["1", "2", "4"])


def test_a_table_without_pictures_is_refused(tmp_path: Path) -> None:
    write_clothing_dataset(tmp_path)
    for picture in (tmp_path / "images").iterdir():
        picture.unlink()
    with pytest.raises(DataError, match="no photo of it"):
        read_garment_photos(tmp_path)
