from __future__ import annotations

import numpy as np
import pytest

from vode.world.paths import Relief, Road, drive, follow, pace

LOOPS = [("block", 12.0), ("eight", 12.0), ("block", 60.0), ("eight", 60.0), ("block", 300.0)]


def roads(seed: int) -> list[tuple[Road, float]]:
    """Roads of all kinds, with the radius that their bends must keep."""
    rng = np.random.default_rng(seed)
    relief = Relief.random(rng, 0.04)
    made = [(Road.closed_loop(rng, kind, length=600, radius=r, relief=relief), r) for kind, r in LOOPS]
    made += [
        (Road.random(rng, 500, radius=r, corners=c, relief=relief), r) for r, c in ((12.0, 3), (45.0, 0), (300.0, 0))
    ]
    return made


def angle_between(a: float, b: float) -> float:
    return abs((a - b + np.pi) % (2 * np.pi) - np.pi)


@pytest.mark.parametrize("seed", range(4))
def test_bends_are_no_tighter_than_asked(seed: int) -> None:
    for road, radius in roads(seed):
        position, _, _ = road.place(np.arange(0.0, road.length, 0.5), 0.0)
        a, b, c = (position[k : len(position) - 2 + k, [0, 2]] for k in range(3))
        # Menger's curvature of three points: 4 area / product of the sides
        area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
        sides = np.linalg.norm(b - a, axis=1) * np.linalg.norm(c - b, axis=1) * np.linalg.norm(c - a, axis=1)
        assert (4 * area / sides).max() <= 1.05 / radius


@pytest.mark.parametrize(("kind", "radius"), LOOPS)
def test_a_loop_comes_back_to_its_place_and_heading_after_500_m(kind: str, radius: float) -> None:
    for seed in range(4):
        road = Road.closed_loop(np.random.default_rng(seed), kind, length=500, radius=radius)
        way = np.linalg.norm(np.diff(road.place(np.arange(0.0, road.length, 0.1), 0.0)[0], axis=0), axis=1).sum()
        (first, heading, _), (last, heading_after, _) = road.place(0.0, 1.5), road.place(road.length - 1e-6, 1.5)
        assert way >= 500
        assert np.linalg.norm(first - last) < 1e-3
        assert angle_between(float(heading), float(heading_after)) < 1e-4


def test_an_eight_crosses_itself_and_a_block_does_not() -> None:
    for kind, crosses in (("eight", True), ("block", False)):
        road = Road.closed_loop(np.random.default_rng(3), kind, length=700, radius=12)
        arcs = np.arange(0.0, road.length, 1.0)
        points = road.place(arcs, 0.0)[0]
        apart = np.abs(arcs[:, None] - arcs)
        apart = np.minimum(apart, road.length - apart)
        nearest = np.linalg.norm(points[:, None] - points, axis=-1)[apart > 60].min()
        assert (nearest < 1.5) == crosses


def test_headings_and_slopes_are_those_of_the_curve() -> None:
    for road, _ in roads(5):
        arcs = np.linspace(2.0, road.length - 2.0, 200)
        _, heading, slope = road.place(arcs, 0.0)
        step = (road.place(arcs + 1e-3, 0.0)[0] - road.place(arcs - 1e-3, 0.0)[0]) / 2e-3
        np.testing.assert_allclose(step[:, 0], np.sin(heading), atol=2e-3)
        np.testing.assert_allclose(step[:, 2], np.cos(heading), atol=2e-3)
        np.testing.assert_allclose(-step[:, 1], slope, atol=1e-3)
        assert np.abs(slope).max() <= 0.04


def test_lateral_is_to_the_right() -> None:
    road = Road(np.stack([np.zeros(100), np.arange(100) * 0.5], 1))  # straight ahead
    position, heading, _ = road.place(20.0, 2.0)
    np.testing.assert_allclose(position, [2.0, 0.0, 20.0], atol=1e-6)
    assert abs(float(heading)) < 1e-9


def test_an_open_road_goes_on_straight() -> None:
    road = Road.random(np.random.default_rng(0), 100, radius=50)
    points, _, _ = road.place(np.array([road.length, road.length + 10, road.length + 20]), 0.0)
    np.testing.assert_allclose(points[1] - points[0], points[2] - points[1], atol=1e-9)
    assert np.linalg.norm(points[1] - points[0]) == pytest.approx(10.0)


@pytest.mark.parametrize("seed", range(6))
def test_speeds_stay_within_bounds(seed: int) -> None:
    travelled = pace(np.random.default_rng(seed), (4.0, 14.0), 20.0)
    metres = np.array([travelled(t) for t in np.arange(0, 20, 0.05)])
    speed = np.diff(metres) / 0.05
    assert speed.min() >= 4.0 - 1e-6
    assert speed.max() <= 14.0 + 1e-6
    assert np.abs(np.diff(speed)).max() / 0.05 < 6.0  # no car brakes harder
    assert travelled(0.0) == pytest.approx(0.0, abs=1e-9)


def test_a_stop_is_a_stop() -> None:
    travelled = pace(np.random.default_rng(1), (4.0, 14.0), 30.0, stops=1)
    rng, road = np.random.default_rng(2), Road.random(np.random.default_rng(0), 500, radius=50)
    pose = drive(rng, road, lateral=1.5, travelled=travelled, height=1.6)
    still = [t for t in np.arange(0, 30, 0.25) if travelled(t + 0.25) - travelled(t) < 1e-6]
    assert len(still) >= 4
    np.testing.assert_allclose(pose(still[0]), pose(still[0] + 0.2), atol=1e-6)


def test_a_distance_is_reached_in_time() -> None:
    assert pace(np.random.default_rng(0), (3.0, 12.0), 90.0, distance=600.0)(90.0) == pytest.approx(600.0, rel=0.02)


def test_a_camera_on_a_car_is_a_pure_rigid_motion_at_its_height() -> None:
    road = Road.random(np.random.default_rng(1), 400, radius=40, relief=Relief.random(np.random.default_rng(2), 0.04))

    def make():
        travelled = pace(np.random.default_rng(3), (5.0, 12.0), 20.0)
        return drive(np.random.default_rng(4), road, lateral=1.6, travelled=travelled, height=1.7, start=30.0)

    one, two = make(), make()
    backwards = {t: two(t) for t in (17.0, 3.3, 0.0)}
    for t, pose in backwards.items():
        np.testing.assert_array_equal(one(t), pose)
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
        ground = road.relief.height(pose[0, 3], pose[2, 3])
        assert -pose[1, 3] - ground == pytest.approx(1.7, abs=0.05)


def test_the_camera_looks_where_it_drives() -> None:
    road = Road.closed_loop(np.random.default_rng(6), "block", length=600, radius=14)
    pose = drive(np.random.default_rng(4), road, lateral=1.6, travelled=lambda t: 8.0 * t, height=1.7)
    for t in np.arange(0, 60, 2.0):
        step = pose(t + 0.05)[:3, 3] - pose(t - 0.05)[:3, 3]
        ahead = pose(t)[:3, :3].T @ step / np.linalg.norm(step)
        assert ahead[2] > 0.99
        down = pose(t)[:3, 1]
        assert down[1] > 0.99


def test_oncoming_cars_face_the_other_way() -> None:
    road = Road.random(np.random.default_rng(1), 200, radius=60)
    pose = follow(road, lateral=-1.6, travelled=-10.0, start=150.0)
    step = pose(5.1)[:3, 3] - pose(5.0)[:3, 3]
    assert (pose(5.0)[:3, 2] @ step) / np.linalg.norm(step) > 0.99
    assert pose(5.0)[2, 3] < pose(0.0)[2, 3]
