"""PoseNet: motions by both networks, how rotations are told, and the order of frames."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.errors import InputError
from vode.geometry.pose import is_rigid
from vode.networks.options import PoseOptions
from vode.networks.pose import PoseNet, rotation_matrix
from vode.networks.weights import load_weights, weights_bytes

NETWORKS = {
    "posecnn": PoseOptions(),
    "posecnn of 5": PoseOptions(frames=5, explainability=True),
    "posecnn with norms": PoseOptions(normalise=True),
    "resnet18": PoseOptions(network="resnet18", rotation="axis-angle"),
    "posecnn of flow": PoseOptions(input="flow", rotation="quaternion"),
    "resnet18 of flow": PoseOptions("resnet18", input="flow", rotation="6d"),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", NETWORKS)
def test_motions_are_rigid_start_near_identity_and_train(name):
    options = NETWORKS[name]
    frames = 5 if options.frames == 5 else 3
    channels = (frames - 1, 2) if options.input == "flow" else (frames, 3)
    network = PoseNet(options)
    T = network(torch.rand(2, *channels, 33, 96)).T_s_t
    assert T.shape == (2, frames - 1, 4, 4)
    assert is_rigid(T.detach().flatten(0, 1)).all()
    assert 0 < (T - torch.eye(4)).abs().max() < 0.1
    T[:, :, :3].sum().backward()
    unused = {name for name, p in network.named_parameters() if p.grad is None}
    assert all(name.startswith("explainability") for name in unused)


@pytest.mark.parametrize("name", NETWORKS)
def test_motions_are_exact_where_the_rest_is_computed_in_16_bits(name):
    options = NETWORKS[name]
    frames = 5 if options.frames == 5 else 3
    network = PoseNet(options).eval()
    seen = torch.rand(1, *((frames - 1, 2) if options.input == "flow" else (frames, 3)), 32, 96)
    with torch.no_grad():
        exact = network(seen).T_s_t
        with torch.autocast("cpu", torch.bfloat16):
            found = network(seen).T_s_t
    assert found.dtype == torch.float32
    identity = torch.eye(3).expand(1, frames - 1, 3, 3)
    torch.testing.assert_close(found[..., :3, :3] @ found[..., :3, :3].mT, identity, atol=1e-6, rtol=0)
    assert (found - exact).abs().max() < 0.1 * (exact - torch.eye(4)).abs().max()


@pytest.mark.parametrize("representation", ["euler", "axis-angle", "quaternion", "6d"])
def test_rotations_are_those_of_scipy(representation):
    numbers = np.random.default_rng(0).normal(size=(5, {"quaternion": 4, "6d": 6}.get(representation, 3))) * 0.3
    if representation == "euler":
        expected = Rotation.from_euler("XYZ", numbers)
    elif representation == "axis-angle":
        expected = Rotation.from_rotvec(numbers)
    elif representation == "quaternion":
        expected = Rotation.from_quat((numbers + np.eye(4)[0])[:, [1, 2, 3, 0]])
    else:
        columns = (numbers + np.eye(3)[:2].ravel()).reshape(5, 2, 3)
        orthogonal = np.stack([np.linalg.qr(each.T)[0] for each in columns])
        orthogonal *= np.sign(np.einsum("nij,nji->ni", columns, orthogonal))[:, None]
        third = np.cross(orthogonal[..., 0], orthogonal[..., 1])
        expected = Rotation.from_matrix(np.concatenate([orthogonal, third[..., None]], -1))
    found = rotation_matrix(torch.from_numpy(numbers), representation)
    np.testing.assert_allclose(found.numpy(), expected.as_matrix(), atol=1e-6)


def test_a_pair_is_seen_in_the_order_of_time():
    network = PoseNet(NETWORKS["resnet18"]).eval()
    x = torch.rand(1, 3, 3, 32, 96)
    with torch.no_grad():
        before, after = network(x).T_s_t[0]
        # the target of two frames is the second
        later, earlier = network(x[:, 1:]).T_s_t[0, 0], network(x[:, :2]).T_s_t[0, 0]
    torch.testing.assert_close(before, earlier)
    torch.testing.assert_close(after @ later, torch.eye(4))
    assert not torch.allclose(before, after, atol=1e-6)


def test_a_trajectory_has_the_target_in_the_middle():
    network = PoseNet(NETWORKS["posecnn of 5"])
    images = torch.rand(1, 5, 3, 32, 64)
    poses, motions = network.trajectory(images)[0], network(images).T_s_t[0]
    assert torch.equal(poses[2], torch.eye(4))
    assert torch.equal(poses[[0, 1, 3, 4]], motions)


def test_explainability_has_the_sizes_of_the_scales_of_depth():
    explained = PoseNet(NETWORKS["posecnn of 5"])(torch.rand(1, 5, 3, 50, 70)).explained
    assert [tuple(x.shape) for x in explained] == [(1, 4, 50, 70), (1, 4, 25, 35), (1, 4, 13, 18), (1, 4, 7, 9)]


def test_flow_is_seen_relative_to_the_width_of_the_image():
    network, seen = PoseNet(NETWORKS["posecnn of flow"]), []
    network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for width in (100, 200):
        network(torch.full((1, 2, 2, 64, width), 0.1 * width))
    assert [x.unique().item() for x in seen] == pytest.approx([2.0, 2.0])
    assert seen[0].shape == (2, 2, 64, 100)


def test_weights_are_written_and_read(tmp_path):
    network = PoseNet(NETWORKS["posecnn of 5"]).eval()
    (tmp_path / "motion.safetensors").write_bytes(weights_bytes(network))
    again = load_weights(tmp_path / "motion.safetensors", PoseNet)
    assert again.options == network.options
    images = torch.rand(1, 5, 3, 32, 64)
    torch.testing.assert_close(again(images).T_s_t, network(images).T_s_t)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"frames": 1}, "pose.frames"),
        ({"network": "resnet18", "explainability": True}, "pose.explainability"),
        ({"encoder_weights": "imagenet"}, "pose.encoder_weights"),
    ],
)
def test_options_that_do_not_fit_are_refused(changes, named):
    with pytest.raises(InputError) as error:
        PoseOptions(**changes)
    assert named in error.value.parameters
