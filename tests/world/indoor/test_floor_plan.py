"""Walls of rooms, and what stands where on their floors."""

from __future__ import annotations

import numpy as np
import pytest

from vode.errors import InputError
from vode.world.indoor.floor_plan import CELL, FloorPlan, Opening, Room, Surfaces, connect, shell
from vode.world.indoor.free_space import FreeSpace
from vode.world.mesh import Mesh

PLAIN = Surfaces(floor=0, wall=1, ceiling=2, lining=3)


def area(mesh: Mesh, material: int) -> float:
    a, b, c = (mesh.vertices[mesh.faces[mesh.material == material][:, k]].astype(float) for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def two_rooms() -> tuple[Room, Room]:
    first, second = Room("a", (0.0, 4.0), (0.0, 3.0), 2.5), Room("b", (4.2, 7.0), (0.0, 3.0), 2.5)
    connect(first, second, 1, (1.0, 2.0), 2.1)
    return first, second


def test_walls_have_the_area_that_openings_leave() -> None:
    room = Room("a", (0.0, 4.0), (0.0, 3.0), 2.5, [Opening(0, 1.0, 2.0, 0.9, 2.1), Opening(1, 0.5, 1.4, 0.0, 2.0)])
    mesh = shell(room, PLAIN)
    assert area(mesh, 1) == pytest.approx(2 * 7 * 2.5 - 1.0 * 1.2 - 0.9 * 2.0, abs=1e-4)
    assert area(mesh, 0) == pytest.approx(12)
    assert area(mesh, 2) == pytest.approx(12)


def test_a_dado_takes_its_part_of_the_walls() -> None:
    mesh = shell(Room("a", (0.0, 4.0), (0.0, 3.0), 2.5), Surfaces(0, 1, 2, 3, dado=5, dado_height=1.0))
    assert area(mesh, 5) == pytest.approx(14)
    assert area(mesh, 1) == pytest.approx(21)


def test_one_walks_from_room_to_room_through_the_door_alone() -> None:
    plan = FloorPlan(list(two_rooms()))
    way = FreeSpace(plan.free(), plan.origin, CELL).route(np.array([[1.0, 0.6], [6.0, 0.6]]))
    between = way[(way[:, 0] > 4.0) & (way[:, 0] < 4.2)]
    assert len(between)
    assert (np.abs(between[:, 1] - 1.5) < 0.3).all()
    assert np.linalg.norm(way[0] - [1.0, 0.6]) < 0.3
    assert np.linalg.norm(way[-1] - [6.0, 0.6]) < 0.3


def test_ways_keep_clear_of_what_stands() -> None:
    rooms = two_rooms()
    plan = FloorPlan(list(rooms))
    assert plan.stand(rooms[0], (1.5, 2.5), (0.9, 2.1), 0.7)
    way = FreeSpace(plan.free(), plan.origin, CELL).route(np.array([[0.5, 1.5], [6.0, 1.5]]))
    outside = np.hypot(*(np.abs(way - [2.0, 1.5]) - [0.5, 0.6]).clip(0).T)
    assert outside.min() > 0.25
    assert way[:, 1].min() > 0.25
    assert way[:, 1].max() < 2.75


def test_nothing_is_put_in_something_else_or_before_a_door() -> None:
    rooms = two_rooms()
    plan = FloorPlan(list(rooms))
    assert plan.stand(rooms[0], (1.0, 2.0), (0.0, 1.0), 0.7)
    assert not plan.stand(rooms[0], (1.8, 2.6), (0.5, 1.2), 0.7)
    assert not plan.stand(rooms[0], (3.5, 3.9), (1.2, 1.8), 0.7)
    assert not plan.stand(rooms[0], (-0.5, 0.5), (1.2, 1.8), 0.7)


def test_nothing_shuts_people_out() -> None:
    room = Room("a", (0.0, 4.0), (0.0, 3.0), 2.5)
    left, right = Room("b", (-2.2, -0.2), (0.0, 3.0), 2.5), Room("c", (4.2, 6.2), (0.0, 3.0), 2.5)
    connect(room, left, 3, (1.0, 2.0), 2.1)
    connect(room, right, 1, (1.0, 2.0), 2.1)
    plan = FloorPlan([room, left, right])
    before = plan.tops.copy()
    assert not plan.stand(room, (1.9, 2.1), (0.0, 2.9), 2.0)
    np.testing.assert_array_equal(plan.tops, before)
    assert plan.stand(room, (1.9, 2.1), (0.0, 1.5), 2.0)


def test_a_floor_without_room_is_refused() -> None:
    with pytest.raises(InputError, match="clearance"):
        FreeSpace(np.zeros((20, 20), bool), np.zeros(2), CELL)
