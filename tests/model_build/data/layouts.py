"""Writes tiny data sets in the published layouts, for tests."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from model_build.data.published.annotated import Annotated

LABELS = ("null", "dress", "hair", "jeans", "shoes", "skin", "t-shirt", "top", "tie")


def write_ccp(folder: Path, mapped: int = 3, tagged: int = 2) -> None:
    """People in a T-shirt and jeans, by label map, then people in a dress, by tags."""
    for part in ("photos", "annotations/pixel-level", "annotations/image-level"):
        (folder / part).mkdir(parents=True)
    names = np.empty((1, len(LABELS)), object)
    for index, name in enumerate(LABELS):
        names[0, index] = np.array([name])
    savemat(folder / "label_list.mat", {"label_list": names})
    rng = np.random.default_rng(7)
    for number in range(1, mapped + 1):
        labels = labelled_person()
        photo = rng.integers(90, 110, (*labels.shape, 3)).astype(np.uint8)
        photo[labels == LABELS.index("t-shirt")] = (40, 40, 200)
        photo[labels == LABELS.index("jeans")] = (160, 80, 30)
        cv2.imwrite(str(folder / "photos" / f"{number:04}.jpg"), photo)
        savemat(folder / "annotations/pixel-level" / f"{number:04}.mat", {"groundtruth": labels})
    for number in range(mapped + 1, mapped + tagged + 1):
        photo = rng.integers(0, 255, (120, 80, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "photos" / f"{number:04}.jpg"), photo)
        tags = np.array([[0, LABELS.index("dress"), LABELS.index("shoes")]], np.uint8)
        savemat(folder / "annotations/image-level" / f"{number:04}.mat", {"tags": tags})


def labelled_person() -> np.ndarray:
    """A label map, uint8 `[200,120]`: hair, face, T-shirt, jeans and shoes, centred."""
    labels = np.zeros((200, 120), np.uint8)
    labels[20:32, 52:68] = LABELS.index("hair")
    labels[28:40, 54:66] = LABELS.index("skin")
    labels[40:100, 40:80] = LABELS.index("t-shirt")
    labels[100:170, 45:75] = LABELS.index("jeans")
    labels[170:180, 45:75] = LABELS.index("shoes")
    labels[41:42, 59:60] = LABELS.index("tie")
    return labels


def write_clothing_dataset(folder: Path) -> None:
    """Five photos, of which one is missing and one is of shoes."""
    (folder / "images").mkdir(parents=True)
    rows = [
        ("a", 1, "T-Shirt"),
        ("b", 1, "Pants"),
        ("c", 4, "Shoes"),
        ("d", 4, "Outwear"),
        ("missing", 4, "Dress"),
    ]
    lines = ["image,sender_id,label,kids"]
    lines += [f"{name},{sender},{label},False" for name, sender, label in rows]
    (folder / "images.csv").write_text("\n".join(lines) + "\n")
    for name, _, _ in rows[:-1]:
        picture = np.full((64, 48, 3), 128, np.uint8)
        cv2.imwrite(str(folder / "images" / f"{name}.jpg"), picture)


def divided_groups(photos: Sequence[Annotated], splits: Sequence[str]) -> list[str]:
    """The groups that are on several sides of a split, in order."""
    sides: dict[str, set[str]] = {}
    for photo, split in zip(photos, splits, strict=True):
        sides.setdefault(photo.group, set()).add(split)
    return sorted(group for group, several in sides.items() if len(several) > 1)
