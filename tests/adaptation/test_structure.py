"""Sparse depth of frames: triangulated along a trajectory, in its unit, without what moves."""

from dataclasses import replace

import pytest
import torch

from vode.adaptation.options import StructureOptions
from vode.adaptation.structure import (
    Estimates,
    draw_pixels,
    fuse,
    median_parallax,
    partners,
    sparse_depth,
    triangulated_pairs,
)

OPTIONS = StructureOptions(points=3000, parallax=(2.0, 6.0), subpixel=False)


def found(sequence, exact, poses=None, size=None, unit=1.0):
    poses = sequence.poses if poses is None else poses
    size = size or sequence.size
    pairs = triangulated_pairs(exact.frame, poses, lambda i: unit * exact.depth(exact.frame(i)), exact, size, OPTIONS)
    return sparse_depth([pair for of_frame in pairs for pair in of_frame], len(poses), size, OPTIONS)


@pytest.fixture(scope="module")
def structure(sequence, exact):
    return found(sequence, exact)


def errors(structure, sequence):
    """Differences of log depth of all points."""
    return torch.cat(
        [
            each.log_depth - sequence.depth(i).flatten()[each.pixels].clamp(min=1e-3).log()
            for i, each in enumerate(structure)
        ]
    )


def test_depth_is_that_of_the_scene_in_metres(sequence, structure):
    error = errors(structure, sequence).abs()
    assert min(len(each.pixels) for each in structure) > 300
    assert error.median() < 0.02
    assert error.quantile(0.9) < 0.1


def test_deviations_are_those_of_the_errors(sequence, structure):
    deviation = torch.cat([each.deviation for each in structure])
    normalised = (errors(structure, sequence) / deviation).abs()
    # exact flow is better than the correspondences of images that the least noise stands for
    assert normalised.median() < 0.8
    assert (normalised > 3).float().mean() < 0.1


def test_it_is_in_the_unit_of_the_trajectory(sequence, exact, structure):
    half = sequence.poses.clone()
    half[:, :3, 3] *= 0.5
    depth = found(sequence, exact, half, unit=0.5)
    same = [torch.isin(a.pixels, b.pixels) for a, b in zip(structure, depth, strict=True)]
    whole = torch.cat([each.log_depth[keep] for each, keep in zip(structure, same, strict=True)])
    other = torch.cat([b.log_depth[torch.isin(b.pixels, a.pixels)] for a, b in zip(structure, depth, strict=True)])
    torch.testing.assert_close(whole - other, torch.full_like(whole, 0.6931), atol=0.02, rtol=0)


def test_pixels_are_those_of_the_size_that_is_asked_for(sequence, exact):
    size = (32, 96)
    structure = found(sequence, exact, size=size)
    halves = [sequence.depth(i)[0].reshape(32, 2, 96, 2).transpose(1, 2).reshape(32 * 96, 4) for i in range(16)]
    off = torch.cat(
        [
            (each.log_depth.exp()[:, None] / halves[i][each.pixels].clamp(min=1e-3)).log().abs().amin(1)
            for i, each in enumerate(structure)
        ]
    )
    assert off.median() < 0.02


def test_unknown_poses_have_no_depth(sequence, exact):
    poses = sequence.poses.clone()
    poses[8] = float("nan")
    structure = found(sequence, exact, poses)
    assert len(structure[8].pixels) == 0
    assert len(structure[12].pixels) > 300


def test_partners_are_the_nearest_with_parallax_enough(sequence, exact):
    frame, depth = exact.frame(0), exact.depth(exact.frame(0))
    chosen = partners(0, sequence.poses, depth, frame, OPTIONS)
    assert chosen == sorted(chosen)
    K = frame.intrinsics
    parallax = [
        median_parallax(depth, K, (torch.linalg.inv(sequence.poses[b]) @ sequence.poses[0]).float()) for b in range(11)
    ]
    for b, least in zip(chosen, OPTIONS.parallax, strict=False):
        assert parallax[b] >= least
        assert b == 1 or parallax[b - 1] < least or b - 1 in chosen
    still = sequence.poses[:1].expand(16, -1, -1)
    assert partners(0, still, depth, frame, OPTIONS) == []


def test_parallax_is_focal_length_times_baseline_over_depth():
    K = torch.tensor([[[100.0, 0, 32], [0, 100, 16], [0, 0, 1]]])
    T_b_a = torch.eye(4)
    T_b_a[0, 3] = 0.5
    assert median_parallax(torch.full((1, 1, 32, 64), 10.0), K, T_b_a) == pytest.approx(5.0, rel=1e-4)


def test_estimates_that_contradict_the_most_precise_are_left_out():
    def estimates(*values):
        log, variance = zip(*values, strict=True)
        return Estimates(torch.tensor(log), torch.tensor(variance))

    none = float("inf")
    pairs = [
        estimates((1.0, 0.01), (1.0, 0.0001), (0.0, none), (2.0, 0.0001), (1.0, 4.0)),
        estimates((1.3, 0.01), (2.0, 0.0100), (0.0, none), (2.0, none), (1.0, none)),
        estimates((5.0, 0.01), (3.0, 0.0100), (0.0, none), (0.0, none), (1.0, none)),
    ]
    fused = fuse(pairs, torch.arange(5), replace(OPTIONS, accuracy=0.15))
    assert fused.pixels.tolist() == [0, 3]
    torch.testing.assert_close(fused.log_depth, torch.tensor([1.15, 2.0]))
    torch.testing.assert_close(fused.deviation, torch.tensor([0.005**0.5, 0.01]))
    assert len(fuse([], torch.arange(5), OPTIONS).pixels) == 0


def test_pixels_of_a_frame_are_the_same_in_all_of_its_pairs():
    first = draw_pixels(3, (20, 30), 100)
    assert first.equal(draw_pixels(3, (20, 30), 100))
    assert not first.equal(draw_pixels(4, (20, 30), 100))
    assert len(first.unique()) == 100
    assert len(draw_pixels(3, (5, 6), 100)) == 30
