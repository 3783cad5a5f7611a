"""Writes tiny data sets, each in exactly the layout in which it is published, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

DEEPFASHION_PHOTOS = (
    # picture, number of its category, box, split, attributes
    ("img/Sheer_Pleated-Front_Blouse/img_00000001.jpg", 3, (10, 8, 40, 50), "train", "1 -1"),
    ("img/Sheer_Pleated-Front_Blouse/img_00000002.jpg", 3, (12, 9, 44, 52), "val", "-1 -1"),
    ("img/Striped_Poncho/img_00000001.jpg", 4, (5, 5, 55, 60), "test", "-1 1"),
    ("img/Skinny_Jeans/img_00000001.jpg", 5, (20, 30, 40, 75), "train", "0 0"),
)


def write_picture(path: Path, seed: int, size: tuple[int, int] = (60, 80)) -> None:
    """A picture of (width, height) that looks like no other: blobs, not noise, so that it lasts."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (13, 10, 3)).astype(np.uint8)
    picture = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


def write_deepfashion(folder: Path, annotations: str = "Anno") -> None:
    """Four photos: two of one blouse, on both sides of the partition, a poncho and jeans."""
    (folder / annotations).mkdir(parents=True)
    (folder / "Eval").mkdir()
    kinds = [("Anorak", 1), ("Blazer", 1), ("Blouse", 1), ("Poncho", 1), ("Jeans", 2)]
    lists = {
        f"{annotations}/list_category_cloth.txt": (
            "category_name  category_type",
            [f"{name:14} {kind}" for name, kind in kinds],
        ),
        f"{annotations}/list_category_img.txt": (
            "image_name  category_label",
            [f"{name:70} {number}" for name, number, *_ in DEEPFASHION_PHOTOS],
        ),
        f"{annotations}/list_bbox.txt": (
            "image_name  x_1  y_1  x_2  y_2",
            [
                f"{name:70} " + " ".join(f"{side:03}" for side in box)
                for name, _, box, *_ in DEEPFASHION_PHOTOS
            ],
        ),
        f"{annotations}/list_attr_cloth.txt": (
            "attribute_name  attribute_type",
            ["a-line                   3", "abstract embroidered     1"],
        ),
        f"{annotations}/list_attr_img.txt": (
            "image_name  attribute_labels",
            [f"{name:70} {told}" for name, *_, told in DEEPFASHION_PHOTOS],
        ),
        "Eval/list_eval_partition.txt": (
            "image_name  evaluation_status",
            [f"{name:70} {split}" for name, _, _, split, _ in DEEPFASHION_PHOTOS],
        ),
    }
    for name, (header, rows) in lists.items():
        (folder / name).write_text("\n".join([str(len(rows)), header, *rows]) + "\n")
    for seed, (name, *_) in enumerate(DEEPFASHION_PHOTOS):
        write_picture(folder / name, seed)


def write_deepfashion2(folder: Path) -> None:
    """Two pictures of a pair in the training set, one in the validation set, equally numbered."""
    pictures = (
        ("train", 1, "user", 1, [(1, "short sleeve top", (5, 5, 40, 40)), (8, "trousers", None)]),
        ("train", 2, "shop", 1, [(1, "short sleeve top", (8, 10, 50, 70))]),
        ("validation", 1, "shop", 1, [(11, "long sleeve dress", (10, 4, 50, 76))]),
    )
    for seed, (part, number, source, pair, items) in enumerate(pictures):
        content: dict[str, Any] = {"source": source, "pair_id": pair}
        for index, (category, name, box) in enumerate(items, 1):
            content[f"item{index}"] = {
                "segmentation": [[5, 5, 40, 5, 40, 40]],
                "scale": 2,
                "viewpoint": 2,
                "zoom_in": 1,
                "landmarks": [20, 6, 2, 30, 6, 1],
                "style": 0,
                "bounding_box": list(box or (12, 40, 38, 78)),
                "category_id": category,
                "occlusion": 1,
                "category_name": name,
            }
        path = folder / part / "annos" / f"{number:06}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        write_picture(folder / part / "image" / f"{number:06}.jpg", 10 + seed)


def coco(
    files: list[str], annotations: list[tuple[int, int, list[float]]], categories: dict[int, str]
) -> dict[str, Any]:
    """A file of annotations: (picture's index, category, box xywh) each."""
    return {
        "info": {"year": 2020},
        "licenses": [],
        "images": [
            {"id": 100 + index, "file_name": name, "width": 60, "height": 80, "license": 1}
            for index, name in enumerate(files)
        ],
        "annotations": [
            {
                "id": number,
                "image_id": 100 + picture,
                "category_id": category,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "segmentation": [[0, 0, 1, 0, 1, 1]],
            }
            for number, (picture, category, box) in enumerate(annotations, 1)
        ],
        "categories": [
            {"id": key, "name": name, "supercategory": "clothes"}
            for key, name in categories.items()
        ],
    }


def write_fashionpedia(folder: Path) -> None:
    """Its two files of annotations, and its pictures in `train` and `test`."""
    categories = {0: "shirt, blouse", 4: "jacket", 6: "pants", 23: "shoe", 31: "sleeve"}
    train = coco(
        ["a1.jpg", "b2.jpg"],
        [
            (0, 4, [5, 5, 40, 30]),
            (0, 6, [8, 35, 30, 40]),
            (0, 31, [5, 5, 10, 20]),
            (1, 6, [10, 30, 30, 45]),
        ],
        categories,
    )
    train["attributes"] = [
        {"id": 17, "name": "blazer", "supercategory": "nickname", "level": 1},
        {"id": 317, "name": "plain (pattern)", "supercategory": "textile pattern", "level": 1},
    ]
    train["annotations"][0]["attribute_ids"] = [17, 317]
    val = coco(["c3.jpg"], [(0, 0, [10, 10, 30, 30]), (0, 23, [20, 70, 9, 9])], categories)
    test = {key: value for key, value in val.items() if key != "annotations"}
    for name, content in (
        ("instances_attributes_train2020.json", train),
        ("instances_attributes_val2020.json", val),
        ("info_test2020.json", test),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    for seed, name in enumerate(("train/a1.jpg", "train/b2.jpg", "test/c3.jpg")):
        write_picture(folder / name, 20 + seed)


def write_modanet(folder: Path) -> None:
    """Its training annotations, and the pictures of the PaperDoll set in `images`."""
    names = "bag belt boots footwear outer dress sunglasses pants top shorts skirt headwear"
    categories = dict(enumerate([*names.split(), "scarf/tie"], 1))
    content = coco(
        ["0000001.jpg", "0000002.jpg"],
        [(0, 5, [5, 5, 40, 60]), (0, 8, [8, 40, 30, 39]), (1, 6, [9, 9, 40, 60])],
        categories,
    )
    annotations = folder / "annotations" / "modanet2018_instances_train.json"
    annotations.parent.mkdir(parents=True)
    annotations.write_text(json.dumps(content))
    for seed, image in enumerate(content["images"]):
        write_picture(folder / "images" / image["file_name"], 30 + seed)


def write_folders(folder: Path, splits: tuple[str, ...] = ("",)) -> None:
    """Two dresses, two pictures of one pair of jeans, and one of a jacket or coat."""
    names = ("dress/a.jpg", "dress/b.png", "jeans/item-1/front.jpg", "jeans/item-1/back.jpg")
    for index, split in enumerate(splits):
        for seed, name in enumerate([*names, "jacket+coat/c.jpg"]):
            write_picture(folder / split / name, 40 + 10 * index + seed)
