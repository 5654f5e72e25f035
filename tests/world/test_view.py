"""What a camera sees: surfaces at their places, in axes of their bodies, and where they go."""

import numpy as np
import pytest
import torch

from vode.world.materials import Palette
from vode.world.mesh import box, place, quad
from vode.world.scene import Mover, Scene
from vode.world.view import STATIC, World

SIZE, FOCAL = (40, 60), 50.0
INTRINSICS = torch.tensor([[FOCAL, 0.0, 29.5], [0.0, FOCAL, 19.5], [0.0, 0.0, 1.0]])
WALL = np.array([[-9.0, 9, 10], [9, 9, 10], [9, -9, 10], [-9, -9, 10]])


def motion(time):
    """Sideways by 0.5 m/s, turning left by 0.1 rad/s, 5 m ahead."""
    angle = -0.1 * time
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    pose[:3, 3] = (0.5 * time - 0.5, 1.0, 5.0)
    return pose


@pytest.fixture(scope="module")
def world():
    """A wall 10 m away, and before it a box that moves."""
    palette = Palette()
    grey = palette.plain((0.5, 0.5, 0.5))
    mover = Mover(box((0.5, 1.0, 0.25), grey), motion)
    return World(Scene(quad(WALL, grey), palette, lambda time: np.eye(4), movers=[mover]))


@pytest.fixture(scope="module")
def seen(world):
    return world.look(1.0, torch.eye(4), INTRINSICS, SIZE)


def test_depth_is_camera_z(seen):
    depth = seen.spread(seen.depth, 0.0).view(SIZE)
    assert torch.allclose(depth[:, 0], torch.tensor(10.0))
    # the near side of the box, which has turned a little about its middle
    assert depth[20, 30] == pytest.approx(4.75, abs=0.03)
    body = seen.spread(seen.body, STATIC).view(SIZE)
    assert body[20, 30] == 1
    assert (body[:, :10] == STATIC).all()


def test_rays_that_hit_nothing_are_sky():
    palette = Palette()
    scene = Scene(quad(WALL / [9, 9, 1], palette.plain((0.5, 0.5, 0.5))), palette, lambda time: np.eye(4))
    seen = World(scene).look(0.0, torch.eye(4), INTRINSICS, SIZE)
    solid = seen.solid.view(SIZE)
    assert solid[20, 30]
    assert not solid[20, 0]
    # the wall is 2 m wide, 10 m away: 10 pixels
    assert solid[20].sum() == 10


def test_points_and_normals_are_in_the_map_towards_the_viewer(seen):
    assert torch.allclose(seen.point, seen.depth[:, None] * seen.directions, atol=1e-5)
    assert ((seen.normal * seen.directions).sum(-1) < 0).all()
    assert torch.allclose(seen.normal[seen.body == STATIC], torch.tensor([0.0, 0.0, -1.0]), atol=1e-6)
    turn = motion(1.0)[:3, :3]
    front = seen.normal[seen.body == 1] @ torch.tensor(turn, dtype=torch.float32)
    # those of a box, in its own axes
    assert torch.allclose(front.abs().amax(-1), torch.ones(len(front)), atol=1e-5)


def test_textures_are_fixed_to_their_body(world, seen):
    later = world.look(1.5, torch.eye(4), INTRINSICS, SIZE)
    for frame in (seen, later):
        points = frame.places.point[frame.body == 1]
        assert (points.abs().amax(0) <= torch.tensor([0.5, 2.0, 0.25]) + 1e-4).all()


def test_pixels_are_as_large_as_they_look(seen):
    wall = seen.body == STATIC
    middle = wall & (seen.directions[:, :2].abs().amax(-1) < 0.45)
    short, long = (axis.norm(dim=-1) for axis in (seen.places.minor, seen.places.major))
    assert torch.allclose(short[wall], torch.tensor(10 / FOCAL), rtol=1e-4)
    # longer where the wall is seen askew
    slant = seen.directions.norm(dim=-1)
    assert torch.allclose(long[wall], 10 / FOCAL * slant[wall], rtol=1e-3)
    assert (seen.places.foot[middle] < 2 * 10 / FOCAL).all()
    assert (seen.places.foot[middle] > 0.9 * 10 / FOCAL).all()


def test_what_is_seen_moves_with_its_body(world, seen):
    carried = world.carried(seen, 2.0)
    wall = seen.body == STATIC
    assert torch.equal(carried[wall], seen.point[wall].double())
    move = torch.tensor(motion(2.0) @ np.linalg.inv(motion(1.0)))
    moved = seen.point[~wall].double() @ move[:3, :3].T + move[:3, 3]
    assert torch.allclose(carried[~wall], moved)
    assert (carried[~wall] - seen.point[~wall]).norm(dim=-1).min() > 0.3


def test_points_behind_the_box_are_hidden_and_those_on_it_are_not(world):
    eye = torch.zeros(3, dtype=torch.float64)
    points = torch.tensor([[0.0, 0.0, 9.9], [0.0, 0.0, 4.7], [4.0, 0.0, 9.9]], dtype=torch.float64)
    assert world.sees(1.0, eye, points).tolist() == [False, True, True]
    assert world.sees(11.0, eye, points).tolist() == [True, True, True], "the box has gone"


def test_a_placed_mesh_is_turned_from_ahead_to_the_right():
    ahead = place(box((0.1, 0.1, 2.0), 0), (5.0, 0.0, 7.0), yaw=np.pi / 2)
    assert ahead.vertices[:, 0].max() == pytest.approx(7.0, abs=1e-5)
    assert ahead.vertices[:, 2].max() == pytest.approx(7.1, abs=1e-5)
