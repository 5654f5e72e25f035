"""The losses of TrianFlow's released code against its formulas, pixel by pixel, in value and gradient."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from vode.losses.depth import reprojection_of_depth
from vode.losses.epipolar import epipolar_loss
from vode.losses.flow import flow_losses
from vode.losses.options import RELEASED_FLOW_LOSS, RELEASED_GEOMETRY_LOSS
from vode.networks.options import DepthOptions
from vode.training.options import TaskOptions
from vode.training.tasks.depth import depth_losses
from vode.training.tasks.geometry import Motion

HEIGHT, WIDTH, SCALES = 16, 24, 3


def smooth(*shape, size=(HEIGHT, WIDTH), seed=0):
    """Random float64 values that change slowly."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(*shape, 4, 5, generator=generator, dtype=torch.float64)
    return F.interpolate(coarse, size, mode="bicubic", align_corners=False)


def assert_same(found, expected, inputs):
    """The same values, and the same gradients of their sum, to 1e-5."""
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
    for ours, theirs in zip(
        torch.autograd.grad(found.sum(), inputs, allow_unused=True, retain_graph=True),
        torch.autograd.grad(expected.sum(), inputs, allow_unused=True, retain_graph=True),
        strict=True,
    ):
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * float(theirs.abs().max()))


def bilinear(image, x, y, outside):
    """The value (C,) of an image (C, H, W) at a place; zeros beyond it, or the image reflected."""
    height, width = image.shape[-2:]
    if outside == "reflection":
        x, y = (
            (p.abs() % (2 * last)) if bool((p.abs() % (2 * last)) <= last) else 2 * last - p.abs() % (2 * last)
            for p, last in ((x, width - 1), (y, height - 1))
        )
    left, top = math.floor(float(x)), math.floor(float(y))
    total = image.new_zeros(len(image))
    for i, j in itertools.product((0, 1), (0, 1)):
        if 0 <= left + i < width and 0 <= top + j < height:
            weight = (x - left if i else left + 1 - x) * (y - top if j else top + 1 - y)
            total = total + weight * image[:, top + j, left + i]
    return total


def warped(image, flow):
    height, width = image.shape[-2:]
    rows = [
        torch.stack([bilinear(image, x + flow[0, y, x], y + flow[1, y, x], "zeros") for x in range(width)], 1)
        for y in range(height)
    ]
    return torch.stack(rows, 1)


def valid(flow, back):
    """Pixels (H, W) that the backward flow reaches and whose flows agree."""
    height, width = flow.shape[-2:]
    reached = torch.zeros(height, width, dtype=torch.float64)
    for y, x in itertools.product(range(height), range(width)):
        to_x, to_y = x + back[0, y, x].item(), y + back[1, y, x].item()
        left, top = math.floor(to_x), math.floor(to_y)
        for i, j in itertools.product((left, left + 1), (top, top + 1)):
            if 0 <= i < width and 0 <= j < height:
                reached[j, i] += (1 - abs(to_x - i)) * (1 - abs(to_y - j))
    apart = (flow + warped(back, flow)).norm(dim=0)
    return (reached.clamp(0, 1) * (apart < (0.05 * flow.norm(dim=0)).clamp(min=3.0))).detach()


def ssim_distance(a, b):
    """(1 - SSIM) / 2 (C, H, W), the mean over windows of 3x3 pixels with zeros beyond the image."""

    def mean(x):
        padded = F.pad(x, [1, 1, 1, 1])
        height, width = x.shape[-2:]
        return sum(padded[:, j : j + height, i : i + width] for i, j in itertools.product(range(3), range(3))) / 9

    u, v = mean(a), mean(b)
    above = (2 * u * v + 1e-4) * (2 * (mean(a * b) - u * v) + 9e-4)
    below = (u**2 + v**2 + 1e-4) * (mean(a * a) - u**2 + mean(b * b) - v**2 + 9e-4)
    return ((1 - above / below) / 2).clamp(0, 1)


def photometric_and_smoothness(image_a, image_b, flows, backs):
    photometric = smoothness = 0.0
    for k in range(SCALES):
        a, b = (F.avg_pool2d(x[None], 2**k)[0] if k else x for x in (image_a, image_b))
        mask, seen, flow = valid(flows[k], backs[k]), warped(b, flows[k]), flows[k]
        l1 = ((a - seen).abs() * mask).mean() / mask.mean()
        photometric = photometric + 0.15 * l1 + 0.85 * ssim_distance(a * mask, seen * mask).mean() / mask.mean()
        for axis in (1, 2):
            bend, step = (flow / 20).diff(n=2, dim=axis), a.diff(dim=axis).abs().mean(0)
            step = step[1:] if axis == 1 else step[:, 1:]
            smoothness = smoothness + ((-10 * step).exp() * bend.abs()).mean() / 2
    return photometric, smoothness


def test_flow_losses_sum_both_directions_over_consistent_pixels_masked_before_ssim():
    a, b = smooth(1, 3, seed=1), smooth(1, 3, seed=2)
    sizes = [(HEIGHT >> k, WIDTH >> k) for k in range(SCALES)]
    forward = [(8 * smooth(1, 2, size=size, seed=3) - 4).requires_grad_() for size in sizes]
    backward = [
        (2 * smooth(1, 2, size=s, seed=4) - f.detach() - 1).requires_grad_()
        for f, s in zip(forward, sizes, strict=True)
    ]
    found, _ = flow_losses(a, b, forward, backward, options=RELEASED_FLOW_LOSS)
    one = photometric_and_smoothness(a[0], b[0], [f[0] for f in forward], [f[0] for f in backward])
    two = photometric_and_smoothness(b[0], a[0], [f[0] for f in backward], [f[0] for f in forward])
    mask = valid(forward[0][0], backward[0][0])
    assert 0.2 < mask.mean() < 0.99
    for name, first, second in zip(("flow_photometric", "flow_smoothness"), one, two, strict=True):
        assert_same(found[name], (first + second)[None], [*forward, *backward])


@pytest.fixture(scope="module")
def geometry():
    """Depths, flow, masks, intrinsics and a motion without relation to each other."""
    depth_a, depth_b = (3 + 4 * smooth(1, 1, seed=seed) for seed in (5, 6))
    flow = 4 * smooth(1, 2, seed=7) - 2
    masks = smooth(1, 1, seed=8), smooth(1, 1, seed=9)
    K = torch.tensor([[[20.0, 0, 11], [0, 22, 8], [0, 0, 1]]], dtype=torch.float64)
    T = torch.eye(4, dtype=torch.float64)[None].clone()
    T[0, :3, :3] = torch.linalg.matrix_exp(
        torch.tensor([[0, -0.02, 0.05], [0.02, 0, 0.01], [-0.05, -0.01, 0]]).double()
    )
    T[0, :3, 3] = torch.tensor([0.6, -0.2, 0.7])
    return depth_a, depth_b, flow, masks, K, T


def reprojected(depth_a, depth_b, flow, masks, K, T):
    """Both parts of the reprojection loss of one pair: maps (H, W), flow (2, H, W), masks (H, W)."""
    depth_part = flow_part = weight = 0.0
    for y, x in itertools.product(range(HEIGHT), range(WIDTH)):
        point = torch.linalg.solve(K, torch.tensor([x, y, 1.0]).double()) * depth_a[y, x]
        point = T[:3, :3] @ point + T[:3, 3]
        place = (K @ point)[:2] / point[2]
        offset = (torch.tensor([x, y]).double() + flow[:, y, x] - place.detach()).abs().mean()
        flow_part = flow_part + masks[1][y, x] * offset
        if bool((place > 0).all()) and place[0] < WIDTH - 1 and place[1] < HEIGHT - 1:
            other = bilinear(depth_b[None], place[0], place[1], "reflection")[0]
            weight = weight + masks[0][y, x]
            depth_part = depth_part + masks[0][y, x] * (1 - point[2] / other).abs()
    return depth_part / weight, flow_part / masks[1].sum()


def test_reprojection_reads_depth_where_depth_leads_and_its_flow_part_trains_flow_alone(geometry):
    depth_a, depth_b, flow, masks, K, T = geometry
    inputs = [x.clone().requires_grad_() for x in (depth_a, depth_b, flow)]
    found = reprojection_of_depth(*inputs, K, T, *masks)
    expected = reprojected(*(x[0, 0] for x in inputs[:2]), inputs[2][0], [m[0, 0] for m in masks], K[0], T[0])
    for ours, theirs in zip(found, expected, strict=True):
        assert_same(ours, theirs[None], inputs)
    assert torch.autograd.grad(found[0].sum(), inputs[2], allow_unused=True, retain_graph=True)[0] is None
    assert torch.autograd.grad(found[1].sum(), inputs[0], allow_unused=True, retain_graph=True)[0] is None


class Told(torch.nn.Module):
    """A depth network whose output is told."""

    options = DepthOptions()

    def __init__(self, sigma):
        super().__init__()
        self.sigma = sigma

    def forward(self, images):
        return [self.sigma]

    def depth_of(self, sigma):
        return 1 / (0.01 + 9.99 * sigma)

    def metric(self, depth, focal):
        return depth


def smoothness(disparity, image):
    """First-order smoothness of a disparity (H, W) on an image (3, H, W)."""
    normal, total = disparity / disparity.mean(), 0.0
    for axis in (0, 1):
        step = image.diff(dim=axis + 1).abs().mean(0)
        total = total + ((-step).exp() * normal.diff(dim=axis).abs()).mean()
    return total


def test_losses_of_depth_are_summed_over_both_images_each_with_its_own_scale(geometry):
    _, _, flow, masks, K, T = (x.float() if isinstance(x, torch.Tensor) else x for x in geometry)
    generator = torch.Generator().manual_seed(10)
    sigma = (0.02 + 0.05 * torch.cat([smooth(1, 1, seed=5), smooth(1, 1, seed=6)])).float().requires_grad_()
    points = [torch.rand(1, 40, 2, generator=generator) * 14 for _ in range(2)]
    references = [1 + torch.rand(1, 40, generator=generator) for _ in range(2)]
    images = torch.cat([smooth(1, 3, seed=1), smooth(1, 3, seed=2)]).float()
    score, rigid = (mask.float() for mask in masks)
    every = torch.ones(1, 40)
    motion = Motion(T, K, torch.ones(1), torch.zeros_like(score), score, rigid, *points, *references, every)
    options = TaskOptions(triangulation_loss="square", geometry_loss=RELEASED_GEOMETRY_LOSS, separate_images=False)
    found = depth_losses(Told(sigma), {"images": images[None], "intrinsics": K}, flow, motion, options).losses
    expected, scaled = 0.0, []
    for depth, places, reference in zip(1 / (0.01 + 9.99 * sigma), points, references, strict=True):
        ratio = torch.stack([bilinear(depth, x, y, "zeros")[0] for x, y in places[0]]) / reference[0]
        factor = (ratio.sum() / ratio.square().sum()).detach()
        expected = expected + (1 - factor * ratio).square().mean()
        scaled.append(factor * depth[0])
    assert abs(scaled[0].mean() / scaled[1].mean() - 1) > 0.01
    assert_same(found["triangulated_depth"], expected, [sigma])
    pair = [x.double() for x in (*scaled, flow[0])]
    expected = reprojected(*pair, [(score * rigid)[0, 0].double(), rigid[0, 0].double()], K[0].double(), T[0].double())
    assert_same(found["reprojection_depth"].double(), expected[0], [sigma])
    assert found["reprojection_flow"].item() == pytest.approx(expected[1].item(), rel=1e-5)
    assert_same(found["depth_smoothness"], sum(map(smoothness, sigma[:, 0], images)), [sigma])


def test_every_pixel_is_held_to_the_epipolar_lines_whether_visible_or_not(geometry):
    flow, K, T = (geometry[i].float() for i in (2, 4, 5))
    inverse = torch.linalg.inv(K[0])
    t = T[0, :3, 3]
    cross = torch.tensor([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    F_b_a, flow = inverse.T @ cross @ T[0, :3, :3] @ inverse, flow.requires_grad_()
    distances = []
    for y, x in itertools.product(range(HEIGHT), range(WIDTH)):
        line = F_b_a @ torch.tensor([x, y, 1.0])
        offset = line[0] * (x + flow[0, 0, y, x]) + line[1] * (y + flow[0, 1, y, x]) + line[2]
        distances.append(offset.abs() / line[:2].norm())
    expected = torch.stack([distance for distance in distances if 0.1 < distance < 0.5]).mean()
    found = epipolar_loss(flow, F_b_a[None], torch.zeros(1, 1, HEIGHT, WIDTH), RELEASED_GEOMETRY_LOSS)
    assert_same(found, expected[None], [flow])
    assert epipolar_loss(flow, F_b_a[None], torch.zeros(1, 1, HEIGHT, WIDTH)) == 0
