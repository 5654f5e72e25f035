"""Pose networks of other systems give the motions that their own code gives, from their tensors' names alone."""

import math

import pytest
import torch
import torch.nn.functional as F

from vode.errors import InputError
from vode.networks.checkpoints.reading import read_checkpoint

CHANNELS = (16, 32, 64, 128, 256, 256, 256)
RESNET = (64, 64, 128, 256, 512)


@pytest.fixture
def snippet():
    return torch.rand(1, 3, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def prefixed(prefix, tensors):
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def bare(prefix, state):
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def decoder_shapes(prefix, outputs):
    """Shapes of the decoder of motions that Monodepth2 and SC-SfMLearner share."""
    found = {}
    for i, (width, inputs, side) in enumerate(((256, 512, 1), (256, 256, 3), (256, 256, 3), (outputs, 256, 1))):
        found |= {f"{prefix}{i}.weight": (width, inputs, side, side), f"{prefix}{i}.bias": (width,)}
    return found


def decoded(state, prefix, features):
    """Its numbers."""
    x = F.conv2d(features, state[f"{prefix}0.weight"], state[f"{prefix}0.bias"]).relu()
    for i in (1, 2):
        x = F.conv2d(x, state[f"{prefix}{i}.weight"], state[f"{prefix}{i}.bias"], padding=1).relu()
    return 0.01 * F.conv2d(x, state[f"{prefix}3.weight"], state[f"{prefix}3.bias"]).mean((0, 2, 3))


def rigid(rotation, translation):
    T = torch.eye(4)
    T[:3, :3], T[:3, 3] = rotation, translation
    return T


def about_axes(x, y, z):
    """Rx Ry Rz, as SfMLearner's code has Euler angles."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(a), math.sin(a)) for a in (x, y, z))
    Rx = torch.tensor([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    Ry = torch.tensor([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return Rx @ Ry @ torch.tensor([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])


def about_vector(vector):
    angle = vector.norm()
    x, y, z = vector / angle
    K = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return torch.eye(3) + angle.sin() * K + (1 - angle.cos()) * K @ K


def assert_moves(found, expected):
    assert expected[:3, 3].norm() > 1e-4
    assert (expected[:3, :3] - torch.eye(3)).abs().max() > 1e-4
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_motions_and_masks_of_sfmlearner_are_its_own(reference, snippet, tmp_path):
    shapes, inputs = {}, 9
    for i, (width, side) in enumerate(zip(CHANNELS, (7, 5, 3, 3, 3, 3, 3), strict=True), start=1):
        shapes |= {f"conv{i}.0.weight": (width, inputs, side, side), f"conv{i}.0.bias": (width,)}
        inputs = width
    shapes |= {"pose_pred.weight": (12, 256, 1, 1), "pose_pred.bias": (12,)}
    widths = (16, 32, 64, 128, 256, 256)
    for i in range(1, 6):
        shapes |= {f"upconv{i}.0.weight": (widths[i], widths[i - 1], 4, 4), f"upconv{i}.0.bias": (widths[i - 1],)}
    for i in range(1, 5):
        shapes |= {f"predict_mask{i}.weight": (2, widths[i - 1], 3, 3), f"predict_mask{i}.bias": (2,)}
    state = reference.random_weights(shapes)
    torch.save({"state_dict": state}, tmp_path / "exp_pose_model_best.pth.tar")
    torch.save({"state_dict": reference.random_weights(reference.dispnet_shapes())}, tmp_path / "dispnet.pth.tar")
    x = features = ((snippet[:, [1, 0, 2]] - 0.5) / 0.5).flatten(1, 2)
    for i in range(1, 8):
        weight = state[f"conv{i}.0.weight"]
        x = F.conv2d(x, weight, state[f"conv{i}.0.bias"], stride=2, padding=weight.shape[-1] // 2).relu()
        features = x if i == 5 else features
    numbers = 0.01 * F.conv2d(x, state["pose_pred.weight"], state["pose_pred.bias"]).mean((0, 2, 3)).view(2, 6)
    with torch.no_grad():
        found = read_checkpoint([tmp_path]).pose(snippet)
    for k in range(2):
        assert_moves(found.T_s_t[0, k], rigid(about_axes(*numbers[k, 3:].tolist()), numbers[k, :3]))
    for i in range(5, 0, -1):
        features = F.conv_transpose2d(features, state[f"upconv{i}.0.weight"], state[f"upconv{i}.0.bias"], 2, 1).relu()
        features = features[..., : 64 // 2 ** (i - 1), : 96 // 2 ** (i - 1)]
        if i < 5:
            logits = F.conv2d(features, state[f"predict_mask{i}.weight"], state[f"predict_mask{i}.bias"], padding=1)
            torch.testing.assert_close(found.explained[i - 1], logits, rtol=1e-4, atol=1e-4)


def write_monodepth2(reference, folder):
    """Its four files; the tensors of the pose network's two."""
    encoder = reference.random_weights(prefixed("encoder.", reference.resnet_shapes(18, images=2)))
    decoder = reference.random_weights(decoder_shapes("net.", 12), 1)
    names = (lambda level, part: f"decoder.{2 * level + part}.conv.conv"), (lambda scale: f"decoder.{10 + scale}.conv")
    depth = reference.random_weights(reference.decoder_shapes(RESNET, 4, *names))
    own = reference.random_weights(prefixed("encoder.", reference.resnet_shapes(18)))
    for name, state in (("pose_encoder", encoder), ("pose", decoder), ("encoder", own), ("depth", depth)):
        torch.save(state, folder / f"{name}.pth")
    return encoder, decoder


def test_motions_of_monodepth2_are_its_own_in_both_directions_of_time(reference, snippet, tmp_path):
    encoder, decoder = write_monodepth2(reference, tmp_path)
    images, motions = (snippet - 0.45) / 0.225, []
    for a, b in ((0, 1), (1, 2)):
        pair = torch.cat([images[:, a], images[:, b]], 1)
        numbers = decoded(decoder, "net.", reference.resnet_features(bare("encoder.", encoder), pair)[-1])
        motions.append(rigid(about_vector(numbers[:3]), numbers[3:6]))
    with torch.no_grad():
        found = read_checkpoint([tmp_path]).pose(snippet).T_s_t[0]
    # to the frame before by the inverse of the motion from it
    assert_moves(found[0], torch.linalg.inv(motions[0]))
    assert_moves(found[1], motions[1])


@pytest.mark.parametrize("shape", [(), (7,), (18,)])
def test_numbers_that_are_no_motions_are_named(reference, shape, tmp_path):
    _, decoder = write_monodepth2(reference, tmp_path)
    torch.save(decoder | {"net.3.bias": torch.zeros(shape)}, tmp_path / "pose.pth")
    with pytest.raises(InputError, match=r"pose\.pth.*weights of another network; .*net\.3\.bias"):
        read_checkpoint([tmp_path])


def test_motions_of_sc_sfmlearner_from_one_frame_to_the_next_are_its_own(reference, snippet, tmp_path):
    shapes = prefixed("encoder.encoder.", reference.resnet_shapes(18, images=2)) | decoder_shapes("decoder.net.", 6)
    state = reference.random_weights(shapes)
    torch.save({"state_dict": state}, tmp_path / "exp_pose_model_best.pth.tar")
    names = (
        (lambda level, part: f"decoder.decoder.{2 * level + part}.conv.conv"),
        (lambda scale: f"decoder.decoder.{10 + scale}.conv"),
    )
    own = prefixed("encoder.encoder.", reference.resnet_shapes(18)) | reference.decoder_shapes(RESNET, 4, *names)
    torch.save({"state_dict": reference.random_weights(own)}, tmp_path / "dispnet_model_best.pth.tar")
    pair = ((snippet[:, 1:] - 0.45) / 0.225).flatten(1, 2)
    numbers = decoded(state, "decoder.net.", reference.resnet_features(bare("encoder.encoder.", state), pair)[-1])
    with torch.no_grad():
        found = read_checkpoint([tmp_path]).pose(snippet).T_s_t[0]
    assert_moves(found[1], rigid(about_axes(*numbers[3:].tolist()), numbers[:3]))
