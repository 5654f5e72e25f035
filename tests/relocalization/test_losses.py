"""Losses of absolute poses against values worked out by hand and a plain loop over points."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.geometry.pose import quaternion_exp, quaternion_log
from vode.relocalization.losses import LearnedWeights, position_distance, reprojection_distance, rotation_distance
from vode.relocalization.options import PoseLossOptions

IDENTITY = torch.tensor([[1.0, 0, 0, 0]])
K = torch.tensor([[[100.0, 0, 7.0], [0, 150.0, -3.0], [0, 0, 1]]])


def rotations(count, seed):
    return Rotation.from_quat(np.random.default_rng(seed).normal(size=(count, 4)))


def quaternions(rotation):
    """Of scipy's rotations, (N, 4) with w first."""
    return torch.from_numpy(np.roll(np.atleast_2d(rotation.as_quat()), 1, -1).copy())


def test_the_defaults_are_the_papers():
    options = PoseLossOptions()
    assert (options.kind, options.beta, options.auxiliary) == ("learned", 500.0, 0.3)
    assert (options.clip, options.nearest, options.farthest, options.least) == (100.0, 0.2, 1000.0, 10)


def test_positions_by_hand():
    position = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [4.0, 5.0, 6.0]], requires_grad=True)
    ground_truth = torch.tensor([[4.0, 6.0, 3.0], [2.0, -1.0, 2.0], [4.0, 5.0, 6.0]])
    distance = position_distance(position, ground_truth)
    assert distance.tolist() == pytest.approx([5, 3, 0], abs=2e-6)
    distance.sum().backward()
    expected = torch.tensor([[-0.6, -0.8, 0], [-2 / 3, 1 / 3, -2 / 3], [0, 0, 0]])
    torch.testing.assert_close(position.grad, expected)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("length", [1.0, 7.0, -0.1])
def test_quaternions_by_hand(sign, length):
    half = math.radians(30)
    estimate = torch.tensor([[math.cos(half), math.sin(half), 0, 0], [0, 0, 1, 0]]) * length
    ground_truth = torch.tensor([[1.0, 0, 0, 0], [0, 0, -1, 0]]) * sign
    # the chord of 30 degrees
    expected = [2 * math.sin(half / 2), 0]
    assert rotation_distance(estimate, ground_truth, "quaternion").tolist() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_logarithms_by_hand(sign):
    ground_truth = torch.tensor([[math.cos(0.5), 0, math.sin(0.5), 0], [math.cos(0.4), math.sin(0.4), 0, 0]]) * sign
    # the second is the logarithm of the other quaternion of the same rotation
    estimate = torch.tensor([[0.3, 0, 0], [0.4 - math.pi, 0, 0]])
    assert rotation_distance(estimate, ground_truth, "log").tolist() == pytest.approx([math.sqrt(0.34), 0], abs=3e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_two_columns_by_hand(sign):
    root = 2**-0.5
    ground_truth = torch.tensor([[1.0, 0, 0, 0], [root, 0, 0, root]]) * sign
    estimate = torch.tensor([[1.0, 0, 0, 0, 1, 2], [1, 0, 0, 0, 1, 0]])
    # a quarter turn about z takes x to y and y to -x
    assert rotation_distance(estimate, ground_truth, "6d").tolist() == pytest.approx([2, 2])


@pytest.mark.parametrize("kind", ["quaternion", "log", "6d"])
def test_a_quaternion_and_its_negative_are_one_truth(kind):
    ground_truth = quaternions(rotations(40, 0))
    found = quaternions(rotations(40, 1)) * torch.tensor([1.0, -1.0]).repeat(20)[:, None]
    numbers = {"quaternion": found, "log": quaternion_log(found), "6d": torch.cat([found, found[:, :2]], -1)}[kind]
    distance = rotation_distance(numbers, ground_truth, kind)
    torch.testing.assert_close(rotation_distance(numbers, -ground_truth, kind), distance)
    assert (distance > 0.01).all()
    if kind == "quaternion":
        torch.testing.assert_close(rotation_distance(-numbers, ground_truth, kind), distance)
        assert (distance <= math.sqrt(2) + 1e-6).all()


@pytest.mark.parametrize("kind", ["quaternion", "log", "6d"])
def test_gradients_of_rotations(kind):
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(6, {"quaternion": 4, "log": 3, "6d": 6}[kind], generator=generator, dtype=torch.float64)
    ground_truth = quaternions(rotations(6, 0))
    assert torch.autograd.gradcheck(lambda x: rotation_distance(x, ground_truth, kind), numbers.requires_grad_())


@pytest.mark.parametrize("kind", ["quaternion", "log", "6d"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("angle", [0.0, 1.0, math.pi])
def test_gradients_at_the_true_rotation_are_finite(kind, dtype, angle):
    ground_truth = quaternion_exp(torch.tensor([[0.0, 0.0, angle / 2]], dtype=dtype))
    matrix = torch.from_numpy(Rotation.from_rotvec([0, 0, angle]).as_matrix())
    exact = {
        "quaternion": ground_truth,
        "log": quaternion_log(ground_truth),
        "6d": matrix[:, :2].T.reshape(1, 6).to(dtype),
    }[kind]
    exact = exact.clone().requires_grad_()
    distance = rotation_distance(exact, ground_truth, kind)
    assert distance.dtype == dtype
    assert distance.item() < 3e-6
    distance.sum().backward()
    assert exact.grad.isfinite().all()
    assert exact.grad.norm() < 1.1


def test_learned_weights_by_hand():
    weights = LearnedWeights()
    assert {name: p.item() for name, p in weights.named_parameters()} == {"position": 0.0, "rotation": -3.0}
    assert weights(torch.tensor(2.0), torch.tensor(0.5)).item() == pytest.approx(2 + 0.5 * math.exp(3) - 3, rel=1e-5)
    with torch.no_grad():
        weights.position.fill_(0.5)
        weights.rotation.fill_(-1.0)
    expected = 2 * math.exp(-0.5) + 0.5 + 0.5 * math.e - 1
    assert weights(torch.tensor(2.0), torch.tensor(0.5)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [2.0, 1.0, 0.25])
def test_a_large_loss_lowers_its_own_weight(loss):
    """In units of exp(s), the value at which a weight rests: a gradient below 0 makes s larger, exp(-s) smaller."""
    weights = LearnedWeights()
    position = torch.tensor(loss, requires_grad=True)
    rotation = torch.tensor(loss * math.exp(-3), requires_grad=True)
    weights(position, rotation).backward()
    for s in (weights.position, weights.rotation):
        assert s.grad.item() == pytest.approx(1 - loss, abs=1e-5)
    assert position.grad.item() == pytest.approx(1)
    assert rotation.grad.item() == pytest.approx(math.exp(3), rel=1e-5)


def points_before(count=12, depth=5.0):
    """(1, P, 3): a row of points before a camera at the origin."""
    x = torch.linspace(-1, 1, count)
    return torch.stack([x, 0.5 * x, torch.full_like(x, depth)], -1)[None]


@pytest.mark.parametrize(("clip", "expected"), [(100.0, 80.0), (80.5, 80.0), (79.0, 79.0), (1.0, 1.0)])
def test_reprojection_by_hand(clip, expected):
    # 1 m aside at 5 m is 20 pixels of a focal length of 100; 2 m are 60 of one of 150
    distance, enough = reprojection_distance(
        torch.tensor([[1.0, -2.0, 0]]),
        IDENTITY,
        torch.eye(4)[None],
        points_before(),
        torch.ones(1, 12),
        K,
        PoseLossOptions(clip=clip),
    )
    assert distance.item() == pytest.approx(expected, rel=1e-5)
    assert enough.tolist() == [True]


def random_scene(batch=4, count=60):
    """Poses, estimates near them, points around the cameras (a part behind), which are seen: float64."""
    random = np.random.default_rng(3)
    T_scene_cam = np.tile(np.eye(4), (batch, 1, 1))
    turns = rotations(batch, 3)
    T_scene_cam[:, :3, :3], T_scene_cam[:, :3, 3] = turns.as_matrix(), random.normal(size=(batch, 3)) * 5
    estimate = turns * Rotation.from_rotvec(random.normal(size=(batch, 3)) * 0.1)
    position = T_scene_cam[:, :3, 3] + random.normal(size=(batch, 3)) * 0.2
    points = random.uniform([-3, -2, -1], [3, 2, 8], (batch, count, 3))
    points = np.einsum("bij,bnj->bni", T_scene_cam[:, :3, :3], points) + T_scene_cam[:, None, :3, 3]
    seen = (random.random((batch, count)) < 0.8).astype(float)
    intrinsics = np.tile(K[0].double().numpy(), (batch, 1, 1))
    intrinsics[:, 0, 0] += 20 * np.arange(batch)
    return [torch.from_numpy(x) for x in (position, T_scene_cam, points, seen, intrinsics)], quaternions(estimate)


def by_a_loop(position, T_scene_cam, points, seen, intrinsics, quaternion, options):
    """Means, numbers of points that count, and of those at the limit."""
    means, numbers, limited = [], [], []
    for b in range(len(points)):
        turn = Rotation.from_quat(np.roll(quaternion[b].numpy(), -1))
        distances = []
        for point, s in zip(points[b].numpy(), seen[b].tolist(), strict=True):
            true = T_scene_cam[b, :3, :3].numpy().T @ (point - T_scene_cam[b, :3, 3].numpy())
            found = turn.inv().apply(point - position[b].numpy())
            if s and all(options.nearest < z < options.farthest for z in (true[2], found[2])):
                pixels = [intrinsics[b].numpy() @ (p / p[2]) for p in (true, found)]
                distances.append(min(np.abs(pixels[0] - pixels[1])[:2].sum(), options.clip))
        means.append(np.mean(distances) if len(distances) >= options.least else 0.0)
        numbers.append(len(distances))
        limited.append(sum(d == options.clip for d in distances))
    return means, numbers, limited


@pytest.mark.parametrize(
    "options",
    [
        PoseLossOptions(),
        PoseLossOptions(clip=20.0),
        PoseLossOptions(nearest=2.0, farthest=6.0),
        PoseLossOptions(least=38),
    ],
)
def test_reprojection_is_that_of_a_loop(options):
    (position, T_scene_cam, points, seen, intrinsics), quaternion = random_scene()
    means, numbers, limited = by_a_loop(position, T_scene_cam, points, seen, intrinsics, quaternion, options)
    assert min(numbers) > 0
    assert max(numbers) < points.shape[1]
    assert sum(limited) > 0 or options.nearest > 1
    # a quaternion of any length and sign is the same pose
    for factor in (1.0, -1.0, 3.0):
        distance, enough = reprojection_distance(
            position, factor * quaternion, T_scene_cam, points, seen, intrinsics, options
        )
        torch.testing.assert_close(distance, torch.tensor(means, dtype=torch.float64))
        assert enough.tolist() == [number >= options.least for number in numbers]
    alone = reprojection_distance(
        *(x[1:2] for x in (position, quaternion, T_scene_cam, points, seen, intrinsics)), options
    )
    torch.testing.assert_close(alone[0], distance[1:2])


def test_gradients_of_reprojection():
    (position, T_scene_cam, points, seen, intrinsics), quaternion = random_scene(batch=2, count=30)
    options = PoseLossOptions(nearest=1.0, least=5)

    def judge(position, quaternion):
        distance, enough = reprojection_distance(position, quaternion, T_scene_cam, points, seen, intrinsics, options)
        assert enough.all()
        return distance

    assert torch.autograd.gradcheck(judge, (position.requires_grad_(), quaternion.requires_grad_()))


@pytest.mark.parametrize("z", [0.05, 0.199, 0.201, 4.9, 999.0, 1001.0, 0.0, -5.0])
@pytest.mark.parametrize("whose", ["truth", "estimate"])
def test_only_points_at_the_right_depth_before_both_cameras_count(whose, z):
    """The points lie ``z`` before one of the cameras and 5 m before the other."""
    T_scene_cam, position = torch.eye(4)[None].clone(), torch.zeros(1, 3)
    position[0, 0] = 1.0
    (T_scene_cam[:, :3, 3] if whose == "truth" else position)[0, 2] = 5.0 - z
    position.requires_grad_()
    options = PoseLossOptions(clip=1e9, least=1)
    distance, enough = reprojection_distance(
        position, IDENTITY, T_scene_cam, points_before(), torch.ones(1, 12), K, options
    )
    counts = 0.2 < z < 1000
    assert enough.item() == counts
    assert (distance.item() > 0) == counts
    distance.sum().backward()
    assert position.grad.isfinite().all()
    assert bool(position.grad.any()) == counts


@pytest.mark.parametrize("few", [0, 1, 9, 10])
def test_images_with_too_few_points_are_left_out(few):
    position = torch.tensor([[1.0, 0, 0], [1.0, 0, 0]], requires_grad=True)
    quaternion = IDENTITY.repeat(2, 1).requires_grad_()
    seen = torch.ones(2, 12)
    seen[0, few:] = 0
    points = points_before().repeat(2, 1, 1)
    # those that are not seen are filled up with anything
    points[0, few:] = torch.tensor([0.0, 0.0, 0.0])
    T_scene_cam = torch.eye(4).repeat(2, 1, 1)
    distance, enough = reprojection_distance(position, quaternion, T_scene_cam, points, seen, K.repeat(2, 1, 1))
    judged = few >= 10
    assert enough.tolist() == [judged, True]
    assert distance.tolist() == pytest.approx([20.0 * judged, 20.0])
    distance.sum().backward()
    for grad in (position.grad, quaternion.grad):
        assert grad.isfinite().all()
        assert bool(grad[0].any()) == judged
        assert grad[1].any()


def test_gradients_are_finite_at_the_truth_and_behind_the_camera():
    position, quaternion = torch.zeros(1, 3, requires_grad=True), IDENTITY.clone().requires_grad_()
    hard = torch.tensor([[0.0, 0, 0], [1, 1, 0], [1, 2, -5], [0, 0, -1e-8], [1e6, 0, 1e-8], [1, 1, 0.2], [1, 1, 1000]])
    points = torch.cat([points_before(), hard[None]], 1)
    distance, enough = reprojection_distance(
        position, quaternion, torch.eye(4)[None], points, torch.ones(1, points.shape[1]), K
    )
    assert distance.item() == 0
    assert enough.all()
    distance.sum().backward()
    assert position.grad.isfinite().all()
    assert quaternion.grad.isfinite().all()


def test_what_is_clipped_pulls_no_more():
    position = torch.tensor([[1.0, 0, 0]], requires_grad=True)
    for clip, pulls in ((100.0, True), (19.0, False)):
        position.grad = None
        camera, options = (torch.eye(4)[None], points_before(), torch.ones(1, 12), K), PoseLossOptions(clip=clip)
        distance, _ = reprojection_distance(position, IDENTITY, *camera, options)
        distance.sum().backward()
        assert bool(position.grad.any()) == pulls
