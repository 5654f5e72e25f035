"""Weights of a backbone from files: what is read, what is refused, and that no code in them is run."""

from collections import OrderedDict
from urllib.error import URLError

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision.models import ResNet18_Weights

from vode.errors import InputError
from vode.networks.backbone import fetch_state, load_backbone, read_state


class Small(nn.Module):
    """Named as torchvision names the layers of its classifiers."""

    def __init__(self, classes=5):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)
        self.aux1 = nn.ModuleDict({"fc1": nn.Linear(4, 4), "fc2": nn.Linear(4, classes)})
        self.fc = nn.Linear(4, classes)


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def refused(function, *arguments):
    """The one line with which a call is refused."""
    with pytest.raises(InputError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def places365(state):
    """As those who trained on Places365 published their weights."""
    renamed = OrderedDict((f"module.{name}", value) for name, value in state.items())
    return {"epoch": 90, "arch": "resnet18", "state_dict": renamed, "best_prec1": 54.0}


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_of_places365_is_read(tmp_path, zipped):
    torch.manual_seed(0)
    theirs = Small(classes=365)
    # their torch did not count batches yet
    state = {k: v for k, v in theirs.state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(places365(state), tmp_path / "resnet18_places365.pth.tar", _use_new_zipfile_serialization=zipped)
    ours = Small()
    fc = ours.fc.weight.clone()
    load_backbone(ours, read_state(tmp_path / "resnet18_places365.pth.tar"), "file")
    assert torch.equal(ours.conv1.weight, theirs.conv1.weight)
    assert torch.equal(ours.aux1["fc1"].weight, theirs.aux1["fc1"].weight)
    assert torch.equal(ours.fc.weight, fc)


@pytest.mark.parametrize("kind", ["safetensors", "plain", "nested", "parameters"])
def test_files_of_every_kind_hold_the_same_weights(tmp_path, kind):
    network = Small()
    state = network.state_dict()
    path = tmp_path / ("weights.safetensors" if kind == "safetensors" else "weights.pth")
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(
            {"plain": state, "nested": {"state_dict": state}, "parameters": dict(network.named_parameters())}[kind],
            path,
        )
    found = read_state(path)
    assert found.keys() == (dict(network.named_parameters()) if kind == "parameters" else state).keys()
    for name, value in found.items():
        assert torch.equal(value, state[name])


def test_the_layers_of_classes_need_neither_fit_nor_be_there():
    state = Small(classes=365).state_dict()
    ours = Small()
    fc, fc2 = ours.fc.weight.clone(), ours.aux1["fc2"].weight.clone()
    load_backbone(ours, state, "file")
    load_backbone(ours, {k: v for k, v in state.items() if not k.startswith(("fc.", "aux"))}, "file")
    assert torch.equal(ours.conv1.weight, state["conv1.weight"])
    assert torch.equal(ours.fc.weight, fc)
    assert torch.equal(ours.aux1["fc2"].weight, fc2)


def test_names_that_do_not_fit_are_told_in_one_line():
    state, ours = Small().state_dict(), Small()
    before = {k: v.clone() for k, v in ours.state_dict().items()}
    del state["conv1.weight"], state["bn1.running_mean"]
    state |= {"layer9.weight": torch.zeros(1), "bn1.bias": torch.zeros(7)}
    line = refused(load_backbone, ours, state, "places.pth")
    assert line.startswith("places.pth: ")
    assert "missing: bn1.running_mean, conv1.weight;" in line
    assert "not known: layer9.weight;" in line
    assert line.endswith("of another shape: bn1.bias")
    for name, value in ours.state_dict().items():
        assert torch.equal(value, before[name])


def test_of_many_names_a_few_are_told():
    state = Small().state_dict() | {f"extra{i}": torch.zeros(1) for i in range(9)}
    line = refused(load_backbone, Small(), state, "places.pth")
    assert line.endswith("not known: extra0, extra1, extra2 and 6 more")
    assert "missing" not in line
    assert "missing" in refused(load_backbone, Small(), {}, "places.pth")


def test_weights_of_another_depth_are_refused():
    with torch.device("meta"):
        state, network = torchvision.models.resnet18().state_dict(), torchvision.models.resnet34()
    line = refused(load_backbone, network, state, "resnet18.pth")
    assert "another network than ResNet; missing: layer1.2.bn1.bias" in line


def test_code_in_a_file_is_not_run(tmp_path):
    path, made = tmp_path / "weights.pth", tmp_path / "made"
    for content in (Runs(made), {"state_dict": Small().state_dict(), "optimizer": Runs(made)}):
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            assert "weights.pth: not plain weights" in refused(read_state, path)
            assert not made.exists()
    # it would have been
    torch.load(path, weights_only=False)
    assert made.exists()


@pytest.mark.parametrize("name", ["weights.pth", "weights.pth.tar", "weights.safetensors"])
def test_damaged_files_are_refused(tmp_path, name):
    path = tmp_path / name
    assert f"{name}: no such weights file" in refused(read_state, path)
    assert "no such weights file" in refused(read_state, tmp_path)
    state = Small().state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=name.endswith("pth"))
    data = path.read_bytes()
    for damaged in (b"", data[:5], data[: len(data) // 2], data[:-40], b"\0" * 500, b"<html>\nnot found\n</html>"):
        path.write_bytes(damaged)
        # torch tells some of these from files of another kind, and safetensors all
        says = ("damaged weights",) if path.suffix == ".safetensors" else ("damaged weights", "not plain weights")
        assert refused(read_state, path).removeprefix(f"{path}: ").startswith(says)


@pytest.mark.parametrize(
    "content", [[1, 2], torch.zeros(3), {"a": 1}, {"state_dict": {"a": 1}}, {"state_dict": 7}, None]
)
def test_files_without_named_weights_are_refused(tmp_path, content):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    assert refused(read_state, path).startswith(f"{path}: holds no weights by name")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder of downloads, without a network."""

    def unreachable(*arguments, **options):
        raise URLError("no route\nto host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_without_a_network_one_line_says_what_to_do(hub):
    line = refused(fetch_state, ResNet18_Weights.IMAGENET1K_V1, "pose.backbone_weights")
    assert line.startswith(ResNet18_Weights.IMAGENET1K_V1.url)
    assert "no route to host" in line
    assert line.endswith("give a file as pose.backbone_weights")
    assert not list(hub.iterdir())


def test_code_in_a_downloaded_file_is_not_run(hub, tmp_path):
    path = hub / ResNet18_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    torch.save(Runs(tmp_path / "made"), path)
    refused(fetch_state, ResNet18_Weights.IMAGENET1K_V1, "pose.backbone_weights")
    assert not (tmp_path / "made").exists()
    torch.save(OrderedDict(Small().state_dict()), path)
    assert fetch_state(ResNet18_Weights.IMAGENET1K_V1, "pose.backbone_weights").keys() == Small().state_dict().keys()
