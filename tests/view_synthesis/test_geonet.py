"""GeoNet: rigid flow of the exact world is its flow, full flow is that and the residual, and what each stage trains."""

import pytest
import torch
from torch import nn

from vode.datasets.sample import collate
from vode.geometry.pose import relative
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions, ResidualFlowOptions
from vode.networks.pose import Motions, PoseNet
from vode.networks.residual_flow import ResidualFlowNet
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.tasks.base import total_loss
from vode.view_synthesis.geonet import GeoNet, ResidualFlowTask
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = DepthOptions("mobilenetv3_small_050", decoder=(8, 8, 8, 8, 8))
FAR = 1e4
"""metres: what the sky is taken for"""


@pytest.fixture(scope="module")
def sequence():
    """Three frames in which a car drives."""
    return WorldSequence(7, WorldOptions(size=(64, 128), frames=3))


@pytest.fixture(scope="module")
def batch(sequence):
    return collate([ClipDataset([sequence], ClipShape(3))[0]])


class TrueDepth(nn.Module):
    """The depths of the target and of the sources, whatever it is shown."""

    def __init__(self, sequence):
        super().__init__()
        known = [sequence.depth(i) for i in (1, 0, 2)]
        self.inverse = torch.stack([1 / torch.where(depth > 0, depth, FAR) for depth in known])

    def forward(self, images):
        return [self.inverse]

    def depth_of(self, inverse):
        return 1 / inverse

    def metric(self, depth, focal):
        return depth


class TrueMotion(nn.Module):
    """The motions of the world from frame 1 to the others."""

    def __init__(self, sequence):
        super().__init__()
        poses = sequence.poses
        self.T_s_t = torch.stack([relative(poses[1], poses[i]) for i in (0, 2)])[None].float()

    def forward(self, images):
        return Motions(self.T_s_t, [])


class Constant(nn.Module):
    """A residual of a constant fraction of the image."""

    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, target, source, warped, rigid, error):
        self.seen = target, source, warped, rigid, error
        batch, _, height, width = target.shape
        size = torch.tensor([width, height]).view(1, 2, 1, 1)
        return [self.value * size / 2**k * target.new_ones(batch, 2, height >> k, width >> k) for k in range(4)]


def exact(sequence, residual=0.0):
    return GeoNet(TrueDepth(sequence), TrueMotion(sequence), Constant(residual))


def test_rigid_flow_is_the_worlds_flow_of_what_stands(sequence, batch):
    rigid = exact(sequence)(batch["images"], batch["intrinsics"]).rigid
    pairs = [(rigid.ab[0], 1, 0), (rigid.ab[1], 1, 2), (rigid.ba[0], 0, 1), (rigid.ba[1], 2, 1)]
    for flow, i, j in pairs:
        truth, seen = sequence.flow_between(i, j)
        standing = (~sequence.moving(i) & (sequence.depth(i) > 0) & seen)[0]
        assert standing.float().mean() > 0.4
        assert (flow - truth).norm(dim=0)[standing].max() < 0.01
        moving = (sequence.moving(i) & seen)[0]
        assert moving.any()
        assert (flow - truth).norm(dim=0)[moving].median() > 0.1


def test_full_flow_is_rigid_flow_and_the_residual(sequence, batch):
    found = exact(sequence, 0.1)(batch["images"], batch["intrinsics"])
    for k, (ab, ba) in enumerate(found.full):
        assert ab.shape == ba.shape == (2, 2, 64 >> k, 128 >> k)
    residual = torch.tensor([12.8, 6.4]).view(1, 2, 1, 1).expand_as(found.rigid.ab)
    torch.testing.assert_close(found.full[0].ab - found.rigid.ab, residual, atol=1e-3, rtol=0)
    torch.testing.assert_close(found.full[0].ba - found.rigid.ba, residual, atol=1e-3, rtol=0)


def test_the_residual_network_sees_the_images_of_each_direction(sequence, batch):
    geonet = exact(sequence)
    found = geonet(batch["images"], batch["intrinsics"])
    target, source, warped, rigid, error = geonet.residual.seen
    before, now, after = batch["images"][0]
    assert torch.equal(target, torch.stack([now, now, before, after]))
    assert torch.equal(source, torch.stack([before, after, now, now]))
    assert torch.equal(rigid, torch.cat(found.rigid))
    # what rigid flow makes of the sources is more like the target than they are
    assert (warped - target).abs().mean() < 0.7 * (source - target).abs().mean()
    assert error.shape == (4, 1, 64, 128)


def test_losses_are_least_for_exact_flow(sequence, batch):
    low, least, high = (ResidualFlowTask(exact(sequence, value))(batch) for value in (-0.005, 0.0, 0.005))
    for name in ("flow_warp", "flow_consistency"):
        assert least.losses[name] < 0.9 * min(low.losses[name], high.losses[name])


def test_the_second_stage_trains_the_residual_network_alone(batch):
    torch.manual_seed(0)
    geonet = GeoNet(DepthNet(TINY), PoseNet(), ResidualFlowNet(ResidualFlowOptions(TINY.encoder, TINY.decoder)))
    task = ResidualFlowTask(geonet)
    assert task.trained() == [geonet.residual]
    geonet.depth.eval(), geonet.pose.eval()
    output = task(batch)
    assert output.losses.keys() == task.weights.keys() == {"flow_warp", "flow_smoothness", "flow_consistency"}
    total_loss(output.losses, task.weights).backward()
    assert all(p.grad.isfinite().all() for p in geonet.residual.parameters())
    assert sum(p.grad.abs().sum() for p in geonet.residual.parameters()) > 0
    assert all(p.grad is None for network in (geonet.depth, geonet.pose) for p in network.parameters())


def test_flow_is_predicted_in_pixels_of_the_frames(sequence):
    frames = torch.stack([sequence.frame(i) for i in range(3)])
    full, rigid = exact(sequence, 0.1).predict_flow(frames, sequence.intrinsics, (64, 128))
    larger = torch.nn.functional.interpolate(frames, (128, 256), mode="bilinear", align_corners=False)
    intrinsics = sequence.intrinsics.clone()
    intrinsics[:2, :2] *= 2
    intrinsics[:2, 2] = 2 * (intrinsics[:2, 2] + 0.5) - 0.5
    full_2, rigid_2 = exact(sequence, 0.1).predict_flow(larger, intrinsics, (64, 128))
    truth, seen = sequence.flow_between(1, 2)
    standing = (~sequence.moving(1) & (sequence.depth(1) > 0) & seen)[0]
    assert (rigid - truth).norm(dim=0)[standing].max() < 0.01
    assert (full - rigid).mean((1, 2)).tolist() == pytest.approx([12.8, 6.4], abs=1e-3)
    assert (full_2 - rigid_2).mean((1, 2)).tolist() == pytest.approx([25.6, 12.8], abs=1e-3)
    halved = torch.nn.functional.avg_pool2d(rigid_2, 2) / 2
    assert (halved - rigid)[:, 2:-2, 2:-2].norm(dim=0)[standing[2:-2, 2:-2]].median() < 0.01
