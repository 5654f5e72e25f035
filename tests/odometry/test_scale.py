"""The scale of a translation among noise, outliers and objects that are wrong as a whole."""

import math

import pytest
import torch

from vode.odometry.options import ScaleOptions
from vode.odometry.scale import Scale, both, translation_scale

N = 2000


@pytest.fixture
def points():
    """Triangulated depth, parallax of 1 m beside it at a focal length of 700, places, and a generator."""
    generator = torch.Generator().manual_seed(0)
    depth = 4 + 60 * torch.rand(8, N, generator=generator, dtype=torch.float64)
    places = torch.rand(8, N, 2, generator=generator)
    return depth, 1 / depth, places, generator


def normal(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def run(predicted, points, valid=None, noise=0.3 / 700, **options):
    depth, parallax, places, _ = points
    valid = torch.ones_like(depth, dtype=torch.bool) if valid is None else valid
    return translation_scale(
        predicted, depth, parallax, torch.full((8,), noise).double(), valid, places, ScaleOptions(**options)
    )


def test_exact_depth_gives_the_exact_scale(points):
    scale = run(1.7 * points[0], points)
    assert scale.known.all()
    torch.testing.assert_close(scale.value, torch.full((8,), 1.7).double())
    assert scale.deviation.max() < 1e-9


def test_a_third_of_outliers_moves_it_little(points):
    depth, _, _, generator = points
    predicted = 0.4 * depth * (0.1 * normal(generator, 8, N)).exp()
    wrong = torch.rand(8, N, generator=generator) < 0.3
    scale = run(torch.where(wrong, 5 * predicted, predicted), points)
    assert (scale.value / 0.4).log().abs().max() < 0.02


def test_the_deviation_is_that_of_the_errors(points):
    depth, _, _, generator = points
    errors, told = [], []
    for _ in range(40):
        scale = run(depth * (0.2 * normal(generator, 8, N)).exp(), points)
        errors.append(scale.value.log())
        told.append(scale.deviation)
    ratio = torch.cat(told).square().mean().sqrt() / torch.cat(errors).square().mean().sqrt()
    assert 0.8 < ratio < 1.25


def test_objects_that_are_wrong_as_a_whole_make_it_uncertain(points):
    depth, _, places, generator = points
    region = (places[..., 0] * 8).long() + 8 * (places[..., 1] * 4).long()
    errors, told = [], []
    for _ in range(40):
        whole = (0.2 * normal(generator, 8, 32)).gather(1, region)
        scale = run(depth * whole.exp(), points)
        errors.append(scale.value.log())
        told.append(scale.deviation)
    ratio = torch.cat(told).square().mean().sqrt() / torch.cat(errors).square().mean().sqrt()
    assert 0.7 < ratio < 1.3


def test_points_of_little_parallax_count_for_little(points):
    depth, parallax, _, generator = points
    noisy = depth * (1 + 0.3 / 700 / parallax * normal(generator, 8, N)).clamp(min=0.1)
    scale = translation_scale(
        depth, noisy, parallax, torch.full((8,), 0.3 / 700).double(), noisy > 0, points[2], ScaleOptions()
    )
    plain = (depth / noisy).median(1).values
    assert scale.value.log().square().mean() < 0.5 * plain.log().square().mean()
    none = run(depth, points, noise=1.0)
    assert not none.known.any()
    assert (none.value == 1).all()


def test_too_few_or_too_vague_points_tell_nothing(points):
    depth, _, _, generator = points
    few = torch.arange(N).expand(8, N) < 50
    assert not run(depth, points, valid=few).known.any()
    assert run(depth, points, valid=few, least_points=50).known.all()
    wild = depth * normal(generator, 8, 1).exp() * (normal(generator, 8, N)).exp()
    assert not run(wild, points, deviation=1e-3).known.any()


@pytest.mark.parametrize("broken", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_depth_takes_no_part(points, broken):
    depth = points[0]
    predicted = torch.where(torch.rand(8, N, generator=points[3]) < 0.5, broken, 2 * depth)
    torch.testing.assert_close(run(predicted, points).value, torch.full((8,), 2.0).double())
    scale = run(torch.full_like(depth, broken), points)
    assert not scale.known.any()
    assert scale.value.isfinite().all()


def test_points_that_noise_brings_nearer_do_not_weigh_more(points):
    depth, parallax, places, generator = points
    noise = 2 / 700
    shown = parallax + noise * normal(generator, 8, N)
    triangulated = depth * parallax / shown
    found = []
    for accuracy in (0.05, 0.3):
        scale = translation_scale(
            depth, triangulated, shown, torch.full((8,), noise).double(), depth > 0, places, ScaleOptions(accuracy)
        )
        found.append(float(scale.value.log().mean().abs()))
    assert found[0] < 8e-4
    assert found[1] < 1e-3


def test_two_measurements_count_by_their_precision():
    def scale(value, deviation, known=True):
        return Scale(torch.tensor([value]), torch.tensor([deviation]), torch.tensor([known]))

    found = both(scale(1.0, 0.01), scale(4.0, 0.01))
    assert float(found.value) == pytest.approx(2.0)
    assert float(found.deviation) == pytest.approx(0.01 / 2**0.5)
    assert float(both(scale(1.0, 0.01), scale(4.0, 1.0)).value) == pytest.approx(1.0, abs=0.001)
    assert float(both(scale(1.0, float("inf"), False), scale(4.0, 0.1)).value) == pytest.approx(4.0)
    assert not both(scale(1.0, float("inf"), False), scale(1.0, 0.5, False)).known
