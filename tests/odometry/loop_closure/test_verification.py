"""Two keyframes of one place give their similarity; others are refused, each for what it lacks."""

from dataclasses import replace

import numpy as np
import pytest

from vode.geometry import similarity
from vode.geometry.pose import relative, rotation_angle
from vode.odometry.loop_closure.verification import match, verify
from vode.odometry.options import VerificationOptions

SIZE = (128, 416)


@pytest.mark.parametrize("scale", [1.0, 1.4])
def test_the_similarity_is_measured_with_the_scale_of_both_depths(course, scale):
    found = verify(course.keyframe(1), course.keyframe(2, scale), course.intrinsics, SIZE)
    assert found is not None
    S, inliers = found
    exact = relative(course.poses[2], course.poses[1])
    assert inliers > 40
    assert float(similarity.scale(S)) == pytest.approx(1 / scale, rel=0.01)
    assert (S[:3, 3] - exact[:3, 3]).norm() < 0.05
    assert rotation_angle(similarity.rigid(S)[:3, :3].mT @ exact[:3, :3]) < 0.002


def test_other_places_are_refused(course):
    for other in (10, 12, 20):
        assert verify(course.keyframe(1), course.keyframe(other), course.intrinsics, SIZE) is None


def test_depth_that_disagrees_is_refused(course):
    one, two = course.keyframe(1), course.keyframe(2)
    noise = np.exp(np.random.default_rng(0).normal(0, 1, len(two.depth))).astype(np.float32)
    assert verify(one, two._replace(depth=two.depth * noise), course.intrinsics, SIZE) is None
    assert verify(one, two._replace(depth=0 * two.depth), course.intrinsics, SIZE) is None


def test_matches_in_one_corner_are_refused(course):
    one, two = course.keyframe(1), course.keyframe(2)
    corner = two.pixels[:, 0] < 100
    part = two._replace(pixels=two.pixels[corner], descriptors=two.descriptors[corner], depth=two.depth[corner])
    few = VerificationOptions(inliers=8)
    assert verify(one, two, course.intrinsics, SIZE, few) is not None
    assert verify(one, part, course.intrinsics, SIZE, few) is None


def test_a_place_seen_from_afar_is_refused(course):
    one, two = course.keyframe(1), course.keyframe(2)
    near = replace(VerificationOptions(), distance=0.01)
    assert verify(one, two, course.intrinsics, SIZE, near) is None


def test_matches_are_mutual_and_distinct():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 255, (20, 128), dtype=np.uint8)
    order = rng.permutation(20)
    rows, columns = match(a, a[order], 0.8)
    assert np.array_equal(order[columns], rows)
    assert len(rows) == 20
    # what there is twice is no match
    rows, _ = match(a, np.concatenate([a, a[:5]]), 0.8)
    assert rows.tolist() == list(range(5, 20))
    assert len(match(a[:0], a, 0.8)[0]) == len(match(a, a[:1], 0.8)[0]) == 0


def test_frames_without_features_are_refused(course):
    one = course.keyframe(1)
    empty = one._replace(pixels=one.pixels[:0], descriptors=one.descriptors[:0], depth=one.depth[:0])
    assert verify(empty, one, course.intrinsics, SIZE) is None
