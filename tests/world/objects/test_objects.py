"""Objects of the built-in world: sound meshes of plausible sizes, each a pure function of its seed."""

import numpy as np
import pytest

from vode.world.materials import Palette
from vode.world.objects import buildings, people, plants, shapes, street, vehicles
from vode.world.objects.heavy import lorries

SEEDS = range(12)


def along(make, *lengths):
    """A maker of things of given lengths."""
    return lambda rng, palette: make(rng, palette, *lengths)


# how it is made, the least and the greatest size (x, height, z) in metres, the most triangles
KINDS = {
    "car": (vehicles.car, (1.5, 1.3, 3.1), (2.4, 2.0, 5.8), 560),
    "van": (vehicles.van, (1.7, 1.6, 3.9), (2.5, 2.7, 6.0), 560),
    "truck": (vehicles.truck, (2.4, 2.5, 5.8), (3.2, 4.1, 16.8), 900),
    "articulated lorry": (lorries.articulated, (2.9, 2.8, 12.0), (3.1, 5.0, 17.5), 4600),
    "lorry": (lorries.lorry, (2.9, 2.4, 7.0), (3.1, 4.6, 10.8), 4600),
    "bus": (vehicles.bus, (2.5, 2.9, 8.8), (3.2, 3.8, 12.9), 600),
    "bicycle": (vehicles.bicycle, (0.3, 0.9, 1.5), (0.8, 1.2, 2.0), 320),
    "motorbike": (vehicles.motorbike, (0.5, 1.0, 1.6), (1.0, 1.4, 2.4), 350),
    "cyclist": (vehicles.cyclist, (0.4, 1.5, 1.5), (0.9, 2.0, 2.0), 680),
    "trailer": (vehicles.parked_trailer, (1.6, 0.8, 3.0), (2.4, 2.9, 8.2), 250),
    "pedestrian": (people.pedestrian, (0.3, 1.0, 0.2), (1.2, 2.3, 1.4), 460),
    "tree": (plants.tree, (0.8, 3.5, 0.8), (16.0, 19.5, 16.0), 1450),
    "conifer": (plants.conifer, (0.8, 3.8, 0.8), (14.0, 21.0, 14.0), 400),
    "bush": (plants.bush, (0.5, 0.5, 0.5), (5.0, 3.2, 5.0), 450),
    "hedge": (along(plants.hedge, 8.0), (0.4, 0.7, 7.9), (1.6, 2.8, 8.6), 500),
    "grass": (plants.grass_tuft, (0.2, 0.15, 0.2), (2.8, 1.0, 2.8), 50),
    "flowers": (plants.flower_bed, (0.7, 0.3, 1.1), (2.2, 1.0, 3.6), 200),
    "crops": (along(plants.crop_field, 20.0), (4.0, 0.7, 19.9), (11.0, 3.8, 20.1), 1500),
    "house": (buildings.house, (6.9, 3.5, 6.4), (19.0, 15.0, 16.0), 800),
    "block": (along(buildings.block, 16.0, 10.0, 12.0), (10.0, 11.0, 15.9), (16.0, 19.0, 17.5), 950),
    "tall block": (along(buildings.block, 30.0, 14.0, 25.0), (14.0, 23.0, 29.9), (20.0, 34.0, 32.0), 1050),
    "low block": (along(buildings.block, 7.0, 8.0, 4.0), (8.0, 3.8, 6.9), (12.0, 10.0, 8.5), 950),
    "shed": (buildings.shed, (1.8, 1.9, 1.6), (4.0, 3.5, 4.5), 120),
    "garage": (buildings.garage, (2.9, 2.3, 5.4), (7.2, 6.0, 7.5), 80),
    "barn": (buildings.barn, (7.9, 4.8, 8.9), (14.0, 12.0, 21.5), 100),
    "church": (buildings.church, (7.9, 9.0, 13.9), (14.0, 36.0, 30.0), 350),
    "tower": (buildings.tower, (3.4, 9.0, 3.4), (7.0, 42.0, 7.0), 350),
    "wall": (along(buildings.wall, 10.0), (0.2, 0.6, 9.9), (0.6, 2.5, 10.6), 90),
    "warehouse": (buildings.warehouse, (15.0, 5.0, 12.0), (41.0, 12.0, 31.0), 300),
    "lamp post": (street.lamp_post, (0.1, 3.2, 0.1), (8.0, 11.5, 0.6), 150),
    "street sign": (street.street_sign, (0.3, 1.9, 0.08), (3.2, 4.5, 0.3), 120),
    "traffic light": (street.traffic_light, (0.1, 3.0, 0.2), (7.5, 7.0, 0.6), 300),
    "fence": (along(street.fence, 8.0), (0.03, 0.7, 7.9), (0.2, 2.2, 8.4), 650),
    "guard rail": (along(street.guard_rail, 20.0), (0.1, 0.7, 19.9), (0.7, 0.9, 20.2), 150),
    "gantry": (along(street.gantry, 14.0), (14.0, 6.0, 0.2), (15.5, 9.5, 0.8), 500),
    "bridge": (along(street.bridge, 14.0), (30.0, 5.9, 5.9), (34.0, 8.6, 16.5), 600),
    "bollard": (street.bollard, (0.09, 0.65, 0.09), (0.3, 1.2, 0.3), 100),
    "bin": (street.bin, (0.3, 0.6, 0.3), (0.9, 1.4, 0.9), 100),
    "bench": (street.bench, (1.3, 0.7, 0.3), (2.3, 1.0, 0.8), 140),
    "bus stop": (street.bus_stop, (2.5, 2.3, 1.2), (6.0, 3.1, 2.4), 170),
    "hydrant": (street.hydrant, (0.3, 0.5, 0.3), (0.5, 1.0, 0.5), 150),
    "utility pole": (street.utility_pole, (1.4, 6.9, 0.2), (2.8, 11.2, 1.0), 180),
    "billboard": (street.billboard, (2.4, 2.4, 0.1), (8.2, 7.2, 0.4), 100),
    "traffic cone": (street.traffic_cone, (0.2, 0.4, 0.2), (0.6, 1.0, 0.6), 100),
    "post box": (street.post_box, (0.4, 1.2, 0.3), (0.7, 1.7, 0.7), 150),
    "kiosk": (street.kiosk, (2.0, 2.4, 2.0), (4.2, 3.6, 3.6), 100),
    "noise barrier": (along(street.noise_barrier, 20.0), (0.2, 2.5, 19.9), (0.4, 5.2, 20.4), 150),
    "delineator": (street.delineator, (0.09, 0.5, 0.07), (0.4, 1.1, 0.3), 60),
}


@pytest.fixture(scope="module", params=KINDS)
def made(request):
    """Some instances of a kind, each with its palette; and the kind's bounds."""
    make, least, greatest, most = KINDS[request.param]
    palettes = [Palette() for _ in SEEDS]
    return [(make(np.random.default_rng(k), palettes[k]), palettes[k]) for k in SEEDS], make, (least, greatest, most)


def areas(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def test_arrays_fit_together_and_are_finite(made):
    for mesh, palette in made[0]:
        count = len(mesh.vertices)
        assert mesh.vertices.shape == mesh.normals.shape == (count, 3)
        assert mesh.uv.shape == (count, 2)
        assert mesh.material.shape == (len(mesh.faces),)
        assert [part.dtype for part in mesh] == [np.float32] * 3 + [np.int32] * 2
        assert all(np.isfinite(part).all() for part in mesh)
        assert 0 <= mesh.faces.min() <= mesh.faces.max() < count
        assert 0 <= mesh.material.min() <= mesh.material.max() < len(palette.table().pattern)


def test_normals_have_unit_length_and_no_triangle_is_empty(made):
    for mesh, _ in made[0]:
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
        assert areas(mesh).min() > 1e-7


def test_objects_stand_on_the_ground_and_have_plausible_sizes(made):
    meshes, _, (least, greatest, _) = made
    for mesh, _ in meshes:
        assert abs(mesh.vertices[:, 1].max()) < 0.002
        size = np.ptp(mesh.vertices, axis=0)
        assert (size >= least).all(), size
        assert (size <= greatest).all(), size
        middle = (mesh.vertices.max(0) + mesh.vertices.min(0))[[0, 2]] / 2
        assert (np.abs(middle) <= 0.5 * size[[0, 2]] + 0.05).all()


def test_objects_are_light(made):
    meshes, _, (_, _, most) = made
    assert max(len(mesh.faces) for mesh, _ in meshes) <= most


def test_equal_seeds_give_equal_objects_and_others_different_ones(made):
    meshes, make, _ = made
    again = make(np.random.default_rng(3), Palette())
    assert all(np.array_equal(one, two) for one, two in zip(again, meshes[3][0], strict=True))
    looks = {(mesh.vertices.tobytes(), palette.table().values.numpy().tobytes()) for mesh, palette in meshes}
    assert len(looks) == len(SEEDS)


def test_lengths_are_as_asked():
    rng, palette = np.random.default_rng(0), Palette()
    for make in (plants.hedge, street.fence, street.guard_rail, street.noise_barrier, buildings.wall):
        for length in (2.0, 5.0, 31.0):
            assert np.ptp(make(rng, palette, length).vertices[:, 2]) == pytest.approx(length, abs=0.65)


def test_wires_hang_between_their_ends():
    start, end = np.array([0.0, -8.0, 0.0]), np.array([2.0, -9.0, 40.0])
    mesh = street.wires(start, end, Palette(), sag=0.7, count=1)
    assert np.linalg.norm(mesh.vertices - start, axis=1).min() < 0.02
    assert np.linalg.norm(mesh.vertices - end, axis=1).min() < 0.02
    middle = mesh.vertices[np.abs(mesh.vertices[:, 2] - 20) < 0.1]
    np.testing.assert_allclose(middle[:, 1], -8.5 + 0.7, atol=0.03)


def test_variants_are_several_different_ones():
    cars = shapes.variants(vehicles.car, np.random.default_rng(1), Palette(), 4)
    assert len({car.vertices.tobytes() for car in cars}) == 4
