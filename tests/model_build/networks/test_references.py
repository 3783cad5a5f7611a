"""The networks to compare with: published names, one step down the loss, files of the contract."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_app.errors import ModelError
from model_build.data.garment_crops import CropSample
from model_build.export import (
    Card,
    ClassifierGraph,
    DetectorGraph,
    export_classifier,
    export_detector,
    largest_difference,
)
from model_build.networks.fcos import ResNet50Fpn, cells
from model_build.networks.resnet import load_resnet50
from model_build.networks.vgg import Vgg19Classifier, load_vgg19
from model_build.train import classifier, garments
from model_build.train.detector import People
from model_build.train.fcos import Wanted, assign, garment_losses, people_losses

CARD = Card("detector", "1.0.0", ("person",), "Apache-2.0", "nothing", {})


def small_vgg() -> Vgg19Classifier:
    torch.manual_seed(0)
    return Vgg19Classifier(side_px=32, width=32)


@pytest.fixture(scope="module")
def fpn() -> ResNet50Fpn:
    torch.manual_seed(0)
    return ResNet50Fpn(labels=3, categories=15)


VGG_NAMES = [
    f"features.{number}.{kind}"
    for number in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
    for kind in ("weight", "bias")
] + [f"classifier.{number}.{kind}" for number in (0, 3, 6) for kind in ("weight", "bias")]


def test_vgg19_has_the_published_names_and_shapes() -> None:
    with torch.device("meta"):
        state = Vgg19Classifier().backbone.state_dict()
    assert set(state) == set(VGG_NAMES[:-2])
    assert state["features.34.weight"].shape == (512, 512, 3, 3)
    assert state["classifier.0.weight"].shape == (4096, 25088)
    assert state["classifier.3.weight"].shape == (4096, 4096)
    assert sum(value.numel() for value in state.values()) == 143_667_240 - 4096 * 1000 - 1000


def test_resnet50_has_the_published_names_and_shapes(fpn: ResNet50Fpn) -> None:
    state = fpn.backbone.state_dict()
    assert state["conv1.weight"].shape == (64, 3, 7, 7)
    assert state["layer1.0.downsample.0.weight"].shape == (256, 64, 1, 1)
    assert state["layer3.5.conv2.weight"].shape == (256, 256, 3, 3)
    assert state["layer4.2.bn3.running_var"].shape == (2048,)
    learnt = [v for k, v in state.items() if not k.endswith(("running_mean", "running_var"))]
    assert sum(value.numel() for value in learnt) == 25_557_032 - 2048 * 1000 - 1000


def published(state: dict[str, Tensor], path: Path) -> Path:
    """A file as torchvision writes it: other numbers, the old last layer, counters."""
    content = {name: value + 0.5 for name, value in state.items()}
    content |= {"fc.weight": torch.zeros(1000, 2048), "bn1.num_batches_tracked": torch.tensor(7)}
    torch.save(content, path)
    return path


def test_published_weights_are_read_by_name(tmp_path: Path, fpn: ResNet50Fpn) -> None:
    vgg, resnet = small_vgg(), copy.deepcopy(fpn.backbone)
    before = {"vgg": dict(vgg.backbone.state_dict()), "resnet": dict(fpn.backbone.state_dict())}
    before = {key: {n: v.clone() for n, v in state.items()} for key, state in before.items()}
    load_vgg19(vgg, published(before["vgg"], tmp_path / "vgg.pth"))
    load_resnet50(resnet, published(before["resnet"], tmp_path / "resnet.pth"))
    for name, value in vgg.backbone.state_dict().items():
        assert torch.equal(value, before["vgg"][name] + 0.5), name
    for name, value in resnet.state_dict().items():
        assert torch.equal(value, before["resnet"][name] + 0.5), name


def test_other_weights_are_refused(tmp_path: Path, fpn: ResNet50Fpn) -> None:
    vgg = small_vgg()
    state = dict(vgg.backbone.state_dict())
    state["classifier.0.weight"] = torch.zeros(64, 512)
    path = published(state, tmp_path / "vgg19.pth")
    with pytest.raises(
        ModelError, match=r"classifier\.0\.weight of shape \(32, 512\), found shape"
    ):
        load_vgg19(vgg, path)
    with pytest.raises(ModelError, match=r"expected conv1\.weight .* found nothing"):
        load_resnet50(fpn.backbone, path)


def test_what_is_no_weights_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"weights\.pth: cannot be read"):
        load_vgg19(small_vgg(), path)


def garment_batch() -> garments.Batch:
    rng = np.random.default_rng(0)
    samples = [
        CropSample(
            crop=rng.integers(0, 255, (128, 64, 3)).astype(np.uint8),
            boxes=np.array([[4, 10, 60, 60], [8, 60, 56, 120]], np.float32),
            regions=np.array([0, 1], np.int64),
            has_boxes=has_boxes,
            wears=np.eye(15, dtype=np.float32)[3],
        )
        for has_boxes in (True, False)
    ]
    return garments.stack(samples)


def people_batch() -> People:
    rng = np.random.default_rng(0)
    pictures = torch.from_numpy(rng.integers(0, 255, (2, 3, 64, 96)).astype(np.uint8))
    boxes = [torch.tensor([[10.0, 4, 40, 60], [60, 4, 90, 60]]), torch.zeros(0, 4)]
    ignored = [torch.tensor([False, True]), torch.zeros(0, dtype=torch.bool)]
    return People(pictures, pictures, boxes, ignored, [True, False])


def piece_batch() -> classifier.PieceBatch:
    generator = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 255, (4, 40, 32, 3), dtype=torch.uint8, generator=generator)
    return classifier.PieceBatch(crops, torch.eye(15, dtype=torch.bool)[:4])


@pytest.mark.parametrize(
    ("network", "losses"),
    [
        (small_vgg, lambda n: classifier.losses(n, piece_batch())),
        (lambda: ResNet50Fpn(3, 15), lambda n: garment_losses(n, garment_batch())),
        (lambda: ResNet50Fpn(1), lambda n: people_losses(n, people_batch())),
    ],
    ids=["vgg19", "resnet50-fpn on garments", "resnet50-fpn on people"],
)
def test_a_step_lowers_the_loss(
    network: Callable[[], nn.Module], losses: Callable[[nn.Module], dict[str, Tensor]]
) -> None:
    torch.manual_seed(0)
    model = network().eval()  # without dropout: the same loss twice
    loss = torch.stack(list(losses(model).values())).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    before = float(loss.detach())
    moving = [parameter for parameter in model.parameters() if parameter.grad is not None]
    steepness = sum(float(p.grad.square().sum()) for p in moving if p.grad is not None)
    assert len(moving) == len(list(model.parameters()))
    with torch.no_grad():
        for parameter in moving:
            assert parameter.grad is not None
            parameter.sub_(parameter.grad, alpha=0.01 * before / steepness)
        after = torch.stack(list(losses(model).values())).sum()
    assert float(after) < before


def test_the_files_say_what_torch_says(tmp_path: Path, fpn: ResNet50Fpn) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3)).astype(np.uint8)
    path = tmp_path / "garments.onnx"
    export_detector(fpn, (64, 96), path, CARD, 20, ("wears",))
    differences = largest_difference(DetectorGraph(fpn, 20), path, pictures)
    assert set(differences) == {"boxes", "scores", "wears"}
    assert differences.pop("boxes") < 0.05
    assert max(differences.values()) < 1e-3
    vgg = small_vgg().eval()
    export_classifier(vgg, (40, 32), tmp_path / "classifier.onnx", CARD)
    crops = pictures[:, :40, :32].copy()
    found = largest_difference(ClassifierGraph(vgg), tmp_path / "classifier.onnx", crops)
    assert max(found.values()) < 5e-3  # its large weights are stored in half precision


def wanted(*boxes: list[float], ignored: int = 0, is_complete: bool = True) -> Wanted:
    return Wanted(
        torch.tensor(boxes).reshape(-1, 4),
        torch.zeros(len(boxes), dtype=torch.int64),
        torch.arange(len(boxes)) >= len(boxes) - ignored,
        is_complete,
    )


GRID = cells(128, 128)


@pytest.mark.parametrize(
    ("box", "stride"), [([10.0, 10, 50, 50], 8), ([0, 0, 128, 128], 16), ([-150, 0, 150, 128], 32)]
)
def test_a_box_belongs_to_the_level_of_its_size(box: list[float], stride: int) -> None:
    owner, says = assign(GRID, wanted(box))
    assert set(GRID[owner == 0, 2].tolist()) == {stride}
    assert says.all()


def test_the_smaller_of_two_boxes_wins() -> None:
    owner, _ = assign(GRID, wanted([4, 4, 60, 60], [20, 20, 44, 44]))
    is_middle = ((GRID[:, :2] - 32).abs().amax(1) < 8) & (GRID[:, 2] == 8)
    assert is_middle.sum() == 4
    assert (owner[is_middle] == 1).all()


def test_nothing_is_said_of_the_ignored_and_of_what_is_not_told() -> None:
    owner, says = assign(GRID, wanted([0, 0, 64, 64], ignored=1))
    assert (owner == -1).all()
    assert not says[((GRID[:, :2] > 0) & (GRID[:, :2] < 64)).all(1)].any()
    assert says[(GRID[:, :2] > 64).all(1)].all()
    _, says = assign(GRID, wanted([0, 0, 64, 64], is_complete=False))
    assert not says[(GRID[:, :2] > 64).all(1)].any()
    _, says = assign(GRID, wanted(is_complete=False))
    assert not says.any()
