"""Ray casting: against hand-made triangles, and the two casters against each other."""

import numpy as np
import pytest
import torch

from vode.world.caster import PARALLEL, EmbreeCaster, NoCaster, TorchCaster, make_caster

TRIANGLE = np.array([[-1.0, -1, 5], [3, -1, 5], [-1, 3, 5]], np.float32), np.array([[0, 1, 2]], np.int32)


@pytest.fixture(params=[EmbreeCaster, TorchCaster])
def triangle(request):
    return request.param(*TRIANGLE)


def test_distance_is_in_lengths_of_the_direction(triangle):
    hits = triangle.hits(torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [0.0, 0.0, -1.0]]))
    assert hits.distance.tolist() == pytest.approx([5.0, 2.5, float("inf")])
    assert hits.face.tolist() == [0, 0, 0]


def test_weights_are_barycentric(triangle):
    target = torch.tensor([[0.5, 1.2, 5.0], [-0.9, -0.9, 5.0]])
    hits = triangle.hits(torch.zeros(1, 3), target)
    corners = torch.from_numpy(TRIANGLE[0])
    assert torch.allclose(hits.weights @ corners, target, atol=1e-5)
    assert torch.allclose(hits.weights.sum(-1), torch.ones(2))


def test_both_sides_are_hit(triangle):
    behind = triangle.hits(torch.tensor([[0.0, 0.0, 9.0]]), torch.tensor([[0.0, 0.0, -1.0]]))
    assert behind.distance.item() == pytest.approx(4.0)


def test_what_stands_beyond_the_reach_does_not_block(triangle):
    rays = torch.zeros(3, 3), torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [9.0, 0.0, 1.0]])
    assert triangle.blocked(*rays, 5.1).tolist() == [True, True, False]
    assert triangle.blocked(*rays, 4.9).tolist() == [False, False, False]


def test_the_casters_agree_on_a_cloud_of_triangles_whatever_the_number_of_threads():
    rng = np.random.default_rng(0)
    vertices = (rng.uniform(-5, 5, (400, 1, 3)) + rng.normal(0, 0.8, (400, 3, 3))).reshape(-1, 3).astype(np.float32)
    faces = np.arange(1200, dtype=np.int32).reshape(-1, 3)
    count = PARALLEL + 3
    origins = torch.from_numpy(rng.uniform(-8, 8, (count, 3)).astype(np.float32))
    directions = torch.from_numpy(rng.normal(0, 1, (count, 3)).astype(np.float32))
    one, two = (
        caster.hits(origins, directions) for caster in (EmbreeCaster(vertices, faces), TorchCaster(vertices, faces))
    )
    # a ray along an edge may count for either side
    same = one.face == two.face
    assert same.float().mean() > 0.999
    known = same & one.distance.isfinite()
    assert 0.1 < known.float().mean() < 0.9
    assert torch.allclose(one.distance[known], two.distance[known], rtol=1e-4)
    assert torch.allclose(one.weights[known], two.weights[known], atol=1e-3)
    blocked = EmbreeCaster(vertices, faces).blocked(origins, directions, 2.0)
    assert (blocked == (two.distance < 2.0)).float().mean() > 0.999


def test_nothing_is_never_hit():
    caster = make_caster(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), torch.device("cpu"))
    assert isinstance(caster, NoCaster)
    hits = caster.hits(torch.zeros(1, 3), torch.ones(4, 3))
    assert hits.distance.shape == (4,)
    assert hits.distance.isinf().all()
    assert not caster.blocked(torch.zeros(1, 3), torch.ones(4, 3), 1e9).any()
