"""PoseNet: its heads and poses, its start in the middle of a scene, and its weights."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load, save, save_file
from scipy.spatial.transform import Rotation
from torch import nn
from torchvision.models import resnet18

from vode.errors import InputError
from vode.networks.weights import load_weights, weights_bytes
from vode.relocalization.network import PoseNet, read_rotation, write_rotation
from vode.relocalization.options import PoseNetOptions

KINDS = ["quaternion", "log", "6d"]


def small(**options):
    return PoseNet(PoseNetOptions(**{"features": 16, **options}))


def rotations(count, seed=0):
    return Rotation.from_quat(np.random.default_rng(seed).normal(size=(count, 4)))


def poses(turns, positions):
    T_scene_cam = torch.eye(4).repeat(len(turns), 1, 1)
    T_scene_cam[:, :3, :3] = torch.from_numpy(turns.as_matrix())
    T_scene_cam[:, :3, 3] = torch.as_tensor(np.asarray(positions))
    return T_scene_cam


def angle(quaternion, rotation):
    """Of the rotation between a quaternion, w first, and one of scipy's, radians."""
    found = Rotation.from_quat(np.roll(quaternion.detach().double().numpy(), -1, -1))
    return np.max((found.inv() * rotation).magnitude())


def outputs_of_zero_features(network):
    """What each head gives, the main one first, if no feature of the image tells anything."""
    layers = [network.head[-1]]
    if network.options.backbone == "googlenet":
        layers += [network.backbone.aux2.fc2, network.backbone.aux1.fc2]
    return [network._estimate(layer(torch.zeros(1, layer.in_features))) for layer in layers]


@pytest.mark.parametrize(
    ("backbone", "rotation"),
    [*itertools.product(["resnet18", "googlenet"], KINDS), ("resnet34", "log"), ("resnet50", "quaternion")],
)
def test_every_network_gives_positions_and_unit_quaternions(backbone, rotation):
    torch.manual_seed(0)
    network = small(backbone=backbone, rotation=rotation)
    size = (96, 96) if backbone == "googlenet" else (64, 64)
    numbers = {"quaternion": 4, "log": 3, "6d": 6}[rotation]
    estimates = network(torch.rand(2, 3, *size))
    assert len(estimates) == (3 if backbone == "googlenet" else 1)
    for estimate in estimates:
        assert estimate.position.shape == (2, 3)
        assert estimate.rotation.shape == (2, numbers)
        assert estimate.quaternion.shape == (2, 4)
        torch.testing.assert_close(estimate.quaternion.norm(dim=-1), torch.ones(2))
    sum(x.sum() for estimate in estimates for x in (estimate.position, estimate.quaternion)).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    network.eval()
    with torch.no_grad():
        images = torch.rand(3, 3, size[0], size[1] + 32)
        (estimate,) = network(images)
        (alone,) = network(images[1:2])
    assert estimate.position.shape == (3, 3)
    torch.testing.assert_close(alone.position, estimate.position[1:2], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(alone.quaternion, estimate.quaternion[1:2], atol=1e-4, rtol=1e-3)


def test_googlenets_heads_are_told_apart():
    torch.manual_seed(0)
    network = small(backbone="googlenet", dropout=0.0)
    for layer, value in ((network.head[-1], 1.0), (network.backbone.aux2.fc2, 2.0), (network.backbone.aux1.fc2, 3.0)):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, value)
    assert [estimate.position[0, 0].item() for estimate in network(torch.rand(2, 3, 96, 96))] == [1, 2, 3]


@pytest.mark.parametrize(("backbone", "expected"), [("resnet18", [0.2 / 0.229, 0, -0.2 / 0.225]), ("googlenet", None)])
def test_colours_reach_the_backbone_as_its_weights_were_trained(backbone, expected):
    network, seen = small(backbone=backbone).eval(), []
    # torchvision's GoogLeNet was trained with colours of -1 to 1
    expected = expected or [2 * 0.685 - 1, 2 * 0.456 - 1, 2 * 0.206 - 1]
    network.backbone.conv1.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(torch.tensor([0.685, 0.456, 0.206]).view(1, 3, 1, 1).expand(1, 3, 64, 64))
    torch.testing.assert_close(seen[0][0, :, 5, 7], torch.tensor(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_rotations_are_read_as_they_are_written(kind):
    turns = rotations(50)
    quaternion = torch.from_numpy(np.roll(turns.as_quat(), 1, -1).copy())
    for sign in (1, -1):
        numbers = write_rotation(sign * quaternion, kind)
        assert numbers.shape == (50, {"quaternion": 4, "log": 3, "6d": 6}[kind])
        assert angle(read_rotation(numbers, kind), turns) < 1e-6
    # any length of a quaternion and of the columns says the same
    if kind != "log":
        assert angle(read_rotation(3 * numbers, kind), turns) < 1e-6


def test_rotations_are_written_as_named():
    # a quarter turn about y takes z to x and x to -z
    root = 2**-0.5
    quaternion = torch.tensor([root, 0, root, 0])
    assert write_rotation(quaternion, "quaternion").tolist() == quaternion.tolist()
    torch.testing.assert_close(write_rotation(quaternion, "log"), torch.tensor([0, math.pi / 4, 0]))
    torch.testing.assert_close(write_rotation(quaternion, "6d"), torch.tensor([0.0, 0, -1, 0, 1, 0]))


@pytest.mark.parametrize(("backbone", "rotation"), [*(("resnet18", kind) for kind in KINDS), ("googlenet", "6d")])
def test_training_begins_in_the_middle_of_the_scene(backbone, rotation):
    network = small(backbone=backbone, rotation=rotation)
    random = np.random.default_rng(0)
    positions = random.normal(size=(200, 3)) * [1.0, 2.0, 3.0] + [100.0, -50.0, 7.0]
    for middle in ([0.0, 0, 0], [0.4, -0.7, 2.0], [0, math.pi, 0], [0, 0, -math.pi + 0.01]):
        turns = Rotation.from_rotvec(middle) * Rotation.from_rotvec(random.normal(size=(200, 3)) * 0.3)
        network.fit_scene(poses(turns, positions))
        torch.testing.assert_close(network.centre, torch.from_numpy(positions.mean(0)).float())
        # the root mean square along one axis
        spread = math.sqrt(((positions - positions.mean(0)) ** 2).mean())
        assert network.spread.item() == pytest.approx(spread, rel=1e-5)
        estimates = outputs_of_zero_features(network)
        assert len(estimates) == (3 if backbone == "googlenet" else 1)
        for estimate in estimates:
            assert angle(estimate.quaternion, turns.mean()) < 1e-3
            torch.testing.assert_close(estimate.position[0], network.centre)


def test_the_start_is_a_rotation_if_the_mean_is_nearest_to_a_mirror():
    """Half turns about x, y and z have a mean of -1/3: a point reflection is nearest, and no camera is one."""
    network = small()
    network.fit_scene(poses(Rotation.from_rotvec(math.pi * np.eye(3)), np.eye(3)))
    (estimate,) = outputs_of_zero_features(network)
    matrix = Rotation.from_quat(np.roll(estimate.quaternion[0].detach().double().numpy(), -1)).as_matrix()
    # the trace of rotations is -1 to 3, and the product with the mean is greatest where it is least
    assert np.trace(matrix) == pytest.approx(-1, abs=1e-5)


def test_positions_are_learned_about_the_centre_in_units_of_the_spread():
    network = small()
    network.centre.copy_(torch.tensor([10.0, 20.0, 30.0]))
    network.spread.fill_(2.0)
    position = network._estimate(torch.tensor([[1.0, -2.0, 3.0, 0, 5, 0, 0]])).position
    assert position.tolist() == [[12, 16, 36]]


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_position_alone_has_a_spread_of_one(count, dtype):
    network = small()
    T_scene_cam = poses(rotations(count), np.tile([0.1, -1234.567, 3.3], (count, 1))).to(dtype)
    network.fit_scene(T_scene_cam)
    assert network.spread.item() == 1
    torch.testing.assert_close(network.centre, torch.tensor([0.1, -1234.567, 3.3]))
    assert all(value.isfinite().all() for value in network.state_dict().values())


def test_close_positions_keep_their_spread():
    """A millimetre apart."""
    network = small()
    network.fit_scene(poses(rotations(2), [[5.0, 0, 0], [5.001, 0, 0]]))
    assert network.spread.item() == pytest.approx(0.0005 / math.sqrt(3), rel=1e-2)


def test_fitting_a_scene_leaves_nothing_to_differentiate():
    network = small()
    network.fit_scene(poses(rotations(5), np.eye(5, 3)))
    assert network.head[-1].bias.requires_grad
    assert network.head[-1].bias.is_leaf
    kept = {name for name in network.state_dict() if "." not in name}
    assert kept == {"centre", "spread"}


@pytest.mark.parametrize("backbone", ["resnet18", "googlenet"])
def test_weights_round_trip_with_scene_and_options(tmp_path, backbone):
    torch.manual_seed(0)
    network = small(backbone=backbone, rotation="6d", dropout=0.25).eval()
    network.fit_scene(poses(rotations(9), np.random.default_rng(0).normal(size=(9, 3)) * 4 + 50))
    (tmp_path / "pose.safetensors").write_bytes(weights_bytes(network))
    loaded = load_weights(tmp_path / "pose.safetensors", PoseNet)
    assert loaded.options == network.options
    assert not loaded.training
    assert loaded.state_dict().keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert loaded.centre.norm() > 10
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(image)[0].position, network(image)[0].position, atol=1e-3, rtol=1e-4)


@pytest.fixture(scope="module")
def places365(tmp_path_factory):
    """A checkpoint as of Places365, and the weights in it."""
    torch.manual_seed(1)
    state = resnet18(num_classes=365).state_dict()
    path = tmp_path_factory.mktemp("weights") / "resnet18_places365.pth.tar"
    named = {f"module.{name}": value for name, value in state.items()}
    torch.save({"epoch": 90, "arch": "resnet18", "state_dict": named, "best_prec1": 54.0}, path)
    return path, state


def test_a_backbone_starts_from_a_checkpoint_that_is_not_needed_again(tmp_path, places365):
    path, state = places365
    copy = tmp_path / "places.safetensors"
    save_file({name: value.half() for name, value in state.items()}, copy)
    for given, bound in ((path, 0.0), (copy, 1e-3)):
        network = small(backbone_weights=given)
        for name, value in network.backbone.state_dict().items():
            torch.testing.assert_close(value, state[name], atol=bound, rtol=bound)
    copy.unlink()
    (tmp_path / "pose.safetensors").write_bytes(weights_bytes(network))
    loaded = load_weights(tmp_path / "pose.safetensors", PoseNet)
    assert loaded.options.backbone_weights is None
    assert torch.equal(loaded.backbone.layer4[1].conv2.weight, network.backbone.layer4[1].conv2.weight)


@pytest.mark.parametrize(("backbone", "says"), [("resnet34", "missing: layer1.2"), ("googlenet", "GoogLeNet; missing")])
def test_a_checkpoint_of_another_backbone_is_refused(places365, backbone, says):
    path, _ = places365
    with pytest.raises(InputError) as caught:
        small(backbone=backbone, backbone_weights=path)
    assert str(caught.value).startswith(f"{path}: weights of another network")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_imagenet_and_a_file_at_once_are_refused(places365):
    with pytest.raises(InputError, match="not both"):
        small(imagenet=True, backbone_weights=places365[0])


@pytest.mark.parametrize("backbone", ["resnet18", "googlenet"])
def test_imagenet_weights_are_those_that_torchvision_keeps(tmp_path, monkeypatch, places365, backbone):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)

    def unreachable(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    with pytest.raises(InputError, match=rf"^https://.*{backbone}-.*no network.*a file as pose\.backbone_weights$"):
        small(backbone=backbone, imagenet=True)
    if backbone == "resnet18":
        (tmp_path / "hub" / "checkpoints").mkdir(parents=True, exist_ok=True)
        torch.save(places365[1], tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth")
        network = small(imagenet=True)
        assert torch.equal(network.backbone.conv1.weight, places365[1]["conv1.weight"])


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "resnet99"},
        {"backbone": "alexnet"},
        {"backbone": "resnet34"},
        {"rotation": "euler"},
        {"rotation": "6d"},
        {"dropout": 2.0},
        {"features": 17},
        {"colour": 1},
    ],
)
def test_weights_that_do_not_fit_their_description_are_refused(tmp_path, pose_weights, change):
    tensors, options = pose_weights
    path = tmp_path / "pose.safetensors"
    path.write_bytes(save(tensors, {"vode": json.dumps({"kind": "pose", "options": options | change})}))
    with pytest.raises(InputError, match=r"pose\.safetensors: weights of another network"):
        load_weights(path, PoseNet)


@pytest.fixture(scope="module")
def pose_weights():
    return load(weights_bytes(small())), {"backbone": "resnet18", "rotation": "quaternion", "features": 16}
