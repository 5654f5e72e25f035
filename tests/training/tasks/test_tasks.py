"""Tasks: what they train, and that a sample without geometry affects no other."""

import dataclasses

import pytest
import torch

from vode.losses.depth import reprojection, triangulated_depth
from vode.losses.options import GeometryLossOptions
from vode.losses.smoothness import disparity_smoothness
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions
from vode.odometry.scale import prediction_scale
from vode.training.options import LossWeights, MotionOptions, TaskOptions
from vode.training.tasks.base import mean_reliable, total_loss
from vode.training.tasks.depth import DepthTask, depth_losses
from vode.training.tasks.flow import FlowTask
from vode.training.tasks.geometry import at_points, motion_from_flow
from vode.training.tasks.joint import JointTask
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

OPTIONS = MotionOptions(count=1500, fraction=0.5, threshold=0.45)
STAGE = TaskOptions(OPTIONS)
TOGETHER = dataclasses.replace(STAGE, separate_images=False)
PAIR = dataclasses.replace(
    TOGETHER, geometry_loss=GeometryLossOptions(scale="pair", images="mean", reprojection="flow")
)


class ExactFlow(torch.nn.Module):
    """Replaces the flow network and returns given flows."""

    def __init__(self, flow_ab, flow_ba):
        super().__init__()
        self.flow_ab = torch.nn.Parameter(flow_ab)
        self.flow_ba = torch.nn.Parameter(flow_ba)

    def forward(self, image_a, image_b):
        def scales(flow):
            return [torch.nn.functional.avg_pool2d(flow, 2**k) / 2**k if k else flow for k in range(4)]

        return scales(self.flow_ab * 1.0), scales(self.flow_ba * 1.0)


@pytest.fixture(scope="module")
def scene():
    """Two pairs of a sequence without moving cars, with exact flow both ways, depth and poses."""
    sequence = WorldSequence(3, WorldOptions(size=(64, 192), frames=6, moving=False))
    poses = sequence.poses.float()
    images, forward, backward, motion, depth = [], [], [], [], []
    for i in (0, 3):
        images.append(torch.stack([sequence.frame(i), sequence.frame(i + 1)]))
        T_b_a = torch.linalg.inv(poses[i + 1]) @ poses[i]
        depth_a, depth_b = sequence.depth(i), sequence.depth(i + 1)
        forward.append(rigid_flow(depth_a, T_b_a, sequence.intrinsics))
        backward.append(rigid_flow(depth_b, torch.linalg.inv(T_b_a), sequence.intrinsics))
        motion.append(T_b_a)
        depth.append(torch.stack([depth_a, depth_b]))
    sample = {"images": torch.stack(images), "intrinsics": sequence.intrinsics.expand(2, 3, 3).clone()}
    return sample, torch.stack(forward), torch.stack(backward), torch.stack(motion), torch.stack(depth)


def rigid_flow(depth, T_b_a, intrinsics):
    """Flow of a static scene by plain projection; the unknown sky is put far away."""
    depth = torch.where(depth > 0, depth, 1e4)[0]
    height, width = depth.shape
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    points = T_b_a[:3, :3] @ (torch.linalg.inv(intrinsics) @ pixels * depth.flatten()) + T_b_a[:3, 3:]
    seen = intrinsics @ points
    return (seen[:2] / seen[2:].clamp(min=1e-3) - pixels[:2]).view(2, height, width)


def test_motion_from_exact_flow_is_exact(scene):
    sample, forward, backward, T_b_a, depth = scene
    found = motion_from_flow(forward, backward, sample["intrinsics"], OPTIONS)
    assert found.reliable.all()
    true = T_b_a[:, :3, 3] / T_b_a[:, :3, 3].norm(dim=-1, keepdim=True)
    assert torch.allclose(found.T_b_a[:, :3, 3], true, atol=2e-3)
    assert torch.allclose(found.T_b_a[:, :3, :3], T_b_a[:, :3, :3], atol=2e-4)
    expected = at_points(depth[:, 0], found.points_a)
    baseline = T_b_a[:, :3, 3].norm(dim=-1, keepdim=True)
    error = (found.depth_a * baseline / expected - 1).abs()[found.valid > 0]
    assert error.median() < 0.02


def test_motion_of_a_fundamental_matrix_is_that_of_the_camera_and_always_counts(scene):
    sample, forward, backward, T_b_a, _ = scene
    options = dataclasses.replace(OPTIONS, solver="fundamental")
    torch.manual_seed(0)
    found = motion_from_flow(forward, backward, sample["intrinsics"], options)
    true = T_b_a[:, :3, 3] / T_b_a[:, :3, 3].norm(dim=-1, keepdim=True)
    assert torch.allclose(found.T_b_a[:, :3, 3], true, atol=0.02)
    assert torch.allclose(found.T_b_a[:, :3, :3], T_b_a[:, :3, :3], atol=2e-3)
    assert found.reliable.tolist() == [1, 1]
    # a camera at rest has no translation to rely on, but a fundamental matrix all the same
    still = torch.zeros_like(forward)
    assert motion_from_flow(still, still, sample["intrinsics"], OPTIONS).reliable.tolist() == [0, 0]
    assert motion_from_flow(still, still, sample["intrinsics"], options).reliable.tolist() == [1, 1]


def test_statistics_of_first_and_second_images_can_be_kept_apart(scene):
    sample, forward, backward, _, _ = scene
    motion = motion_from_flow(forward, backward, sample["intrinsics"], OPTIONS)
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(decoder=(8, 8, 8, 8, 8))).train()
    start = {name: value.clone() for name, value in network.state_dict().items()}
    depth_losses(network, sample, forward, motion, STAGE)
    apart = network.encoder.bn1.running_mean.clone()
    network.load_state_dict(start)
    for images in (sample["images"][:, 0], sample["images"][:, 1]):
        network(images)
    torch.testing.assert_close(network.encoder.bn1.running_mean, apart)
    network.load_state_dict(start)
    depth_losses(network, sample, forward, motion, PAIR)
    assert not torch.allclose(network.encoder.bn1.running_mean, apart)


def test_true_depth_has_almost_no_loss_and_another_has(scene):
    sample, forward, backward, _, depth = scene

    class Told(torch.nn.Module):
        def __init__(self, maps):
            super().__init__()
            self.maps = torch.where(maps > 0, maps, 90.0)

        def forward(self, images):
            return [(1 / self.maps.transpose(0, 1).flatten(0, 1) - 0.01) / 9.99]

        def depth_of(self, sigma):
            return 1 / (0.01 + 9.99 * sigma)

        def metric(self, depth, focal):
            return depth

    motion = motion_from_flow(forward, backward, sample["intrinsics"], OPTIONS)
    right = depth_losses(Told(depth), sample, forward, motion, TOGETHER)
    wrong = depth_losses(Told(depth.flip(-2)), sample, forward, motion, TOGETHER)
    assert right.metrics["geometry_failed"] == 0
    for name in ("triangulated_depth", "reprojection_depth", "reprojection_flow"):
        assert right.losses[name] < 0.2 * wrong.losses[name], name


def losses_of_one_map(sigma, images, batch, flow_ab, motion):
    """The losses of a single disparity at full size, as they were before there were scales."""
    depth_a, depth_b = (1 / (0.01 + 9.99 * sigma)).chunk(2)
    predicted = torch.cat([at_points(depth_a, motion.points_a), at_points(depth_b, motion.points_b)], 1)
    reference, valid = torch.cat([motion.depth_a, motion.depth_b], 1), motion.valid.repeat(1, 2)
    scale, aligned = prediction_scale(predicted.detach(), reference, valid, outlier=None)
    usable = motion.reliable * aligned
    scale = torch.where(usable > 0, scale, 1.0)
    each = {"triangulated_depth": triangulated_depth(scale[:, None] * predicted, reference, valid, "log")}
    maps = [scale.view(-1, 1, 1, 1) * depth for depth in (depth_a, depth_b)]
    masks = motion.mask * motion.rigid, motion.rigid
    found = reprojection(*maps, flow_ab, batch["intrinsics"].float(), motion.T_b_a, *masks)
    each["reprojection_depth"], each["reprojection_flow"] = found
    losses = {name: mean_reliable(value, usable) for name, value in each.items()}
    return losses | {"depth_smoothness": disparity_smoothness(sigma, images).view(2, -1).mean(0).mean()}


def test_the_losses_of_one_scale_are_those_of_its_map_to_the_last_bit(scene):
    sample, forward, backward, _, _ = scene
    torch.manual_seed(0)
    network = DepthNet().eval()
    motion = motion_from_flow(forward, backward, sample["intrinsics"], OPTIONS)
    images = sample["images"].transpose(0, 1).flatten(0, 1)
    found = depth_losses(network, sample, forward, motion, PAIR).losses
    expected = losses_of_one_map(network(images)[0], images, sample, forward, motion)
    assert found.keys() == expected.keys()
    gradients = []
    for losses in (found, expected):
        gradients.append(torch.autograd.grad(sum(losses.values()), network.parameters()))
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    assert all(torch.equal(one, two) for one, two in zip(*gradients, strict=True))


def test_the_losses_of_four_scales_are_the_mean_of_those_at_full_size(scene):
    sample, forward, backward, _, _ = scene
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(scales=4)).eval()
    motion = motion_from_flow(forward, backward, sample["intrinsics"], OPTIONS)
    images = sample["images"].transpose(0, 1).flatten(0, 1)
    with torch.no_grad():
        found = depth_losses(network, sample, forward, motion, PAIR)
        maps = [
            torch.nn.functional.interpolate(sigma, (64, 192), mode="bilinear", align_corners=False)
            for sigma in network(images)
        ]
        each = [losses_of_one_map(sigma, images, sample, forward, motion) for sigma in maps]
    assert len({float(losses["triangulated_depth"]) for losses in each}) == 4
    for name, value in found.losses.items():
        torch.testing.assert_close(value, torch.stack([losses[name] for losses in each]).mean())
    assert found.visualizations["depth"].shape == (1, 64, 192)


@pytest.mark.parametrize("task", [DepthTask, JointTask])
@pytest.mark.parametrize("scales", [1, 4])
def test_every_parameter_of_the_depth_network_is_trained(scene, task, scales):
    sample, forward, backward, _, _ = scene
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(scales=scales)).train()
    stage = task(ExactFlow(forward, backward), network, STAGE)
    total_loss(stage(sample).losses, stage.weights).backward()
    assert len(network.heads) == scales
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_a_sample_without_motion_is_left_out_and_counted(scene):
    sample, forward, backward, _, _ = scene
    torch.manual_seed(0)
    network = DepthNet().eval()
    spoiled = forward.clone(), backward.clone()
    for flow in spoiled:
        flow[1] = 0
    losses = {}
    for name, flows in {"both": (forward, backward), "spoiled": spoiled}.items():
        stage = DepthTask(ExactFlow(*flows), network, STAGE)
        torch.manual_seed(1)
        losses[name] = stage(sample)
    alone = {k: v[:1] for k, v in sample.items()}
    torch.manual_seed(1)
    losses["alone"] = DepthTask(ExactFlow(forward[:1], backward[:1]), network, STAGE)(alone)
    assert losses["both"].metrics["geometry_failed"] == 0
    assert losses["spoiled"].metrics["geometry_failed"] == 0.5
    for name in ("triangulated_depth", "reprojection_depth"):
        assert losses["spoiled"].losses[name].item() == pytest.approx(losses["alone"].losses[name].item(), rel=1e-4)


def test_a_batch_without_any_motion_gives_zero_and_finite_gradients(scene):
    sample = scene[0]
    network = DepthNet()
    still = torch.zeros(2, 2, 64, 192)
    flow = ExactFlow(still, still)
    task = JointTask(flow, network, STAGE)
    losses, metrics, _ = task(sample)
    assert metrics["geometry_failed"] == 1
    assert losses["triangulated_depth"] == losses["reprojection_depth"] == losses["epipolar"] == 0
    total_loss(losses, task.weights).backward()
    gradients = [p.grad for p in [*network.parameters(), *flow.parameters()] if p.grad is not None]
    assert gradients
    assert all(g.isfinite().all() for g in gradients)


def test_each_stage_trains_what_it_says(scene):
    sample, forward, backward, _, _ = scene
    flow, depth = ExactFlow(forward, backward), DepthNet()

    def touched(stage):
        for p in [*flow.parameters(), *depth.parameters()]:
            p.grad = None
        losses, _, visualizations = stage(sample)
        assert all(not visualization.requires_grad for visualization in visualizations.values())
        total_loss(losses, stage.weights).backward()
        return [any(p.grad is not None and p.grad.any() for p in n.parameters()) for n in (flow, depth)]

    assert touched(FlowTask(flow)) == [True, False]
    assert touched(DepthTask(flow, depth, STAGE)) == [False, True]
    assert touched(JointTask(flow, depth, STAGE)) == [True, True]
    only = JointTask(flow, depth, STAGE, flow_only=True)
    assert only.trained() == [flow]


def test_the_total_is_the_weighted_sum_and_a_loss_without_a_weight_is_an_error():
    weights = dataclasses.asdict(LossWeights(triangulated_depth=2.0, flow_smoothness=10.0))
    losses = {"triangulated_depth": torch.tensor(2.0), "flow_smoothness": torch.tensor(0.5)}
    assert total_loss(losses, weights) == 9
    with pytest.raises(ValueError, match="no weight for the loss 'triangulated_dept'"):
        total_loss({"triangulated_dept": torch.tensor(2.0)}, weights)


def test_metric_depth_is_trained_at_the_focal_length_of_each_sample(scene):
    """Depth predicted for half of the sample's focal length is doubled, and then has the same losses."""
    sample, forward, backward, _, depth = scene
    motion = motion_from_flow(forward, backward, sample["intrinsics"], OPTIONS)
    focal = float(sample["intrinsics"][0, 1, 1])
    found = []
    for canonical, factor in ((0.0, 1), (focal / 2, 2)):
        network = DepthNet(DepthOptions(canonical_focal=canonical))
        maps = torch.where(depth > 0, depth, 90.0).transpose(0, 1).flatten(0, 1) / factor
        network.forward = lambda images, maps=maps: [(1 / maps - 0.01) / 9.99]
        found.append(depth_losses(network, sample, forward, motion, TOGETHER))
    shown = [output.visualizations["depth"] for output in found]
    torch.testing.assert_close(shown[1], shown[0])
