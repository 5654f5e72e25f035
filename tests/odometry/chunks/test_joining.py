"""Chunks of a known trajectory, each in a world and a scale of its own, are joined to it again."""

from types import SimpleNamespace

import pytest
import torch

from vode.datasets.sequence_slice import SequenceSlice
from vode.evaluation.odometry import evaluate_odometry
from vode.geometry import similarity
from vode.geometry.ground import Ground
from vode.geometry.pose import from_first, inverse, se3_exp
from vode.io.trajectory import Trajectory
from vode.odometry.chunks.joining import Chunk, join, overlap_similarity
from vode.odometry.chunks.options import ChunkOptions
from vode.odometry.options import TrackerOptions
from vode.odometry.result import Details, FrameResult, Method
from vode.odometry.track import track

SPANS = ChunkOptions(12, 5).spans(40)
ONE, SCALES = (1.0,) * 5, (1.0, 0.3, 2.0, 0.7, 5.0)
DOWN = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)


def moving(frames, seed=0):
    """Poses of a camera that goes forward and turns at random."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(frames, 6, generator=generator, dtype=torch.float64)
    steps = se3_exp(noise * torch.tensor([0.1, 0.1, 0.2, 0.05, 0.1, 0.05]) + torch.tensor([0, 0, 1.0, 0, 0, 0]))
    poses = [torch.eye(4, dtype=torch.float64)]
    for step in steps[1:]:
        poses.append(poses[-1] @ step)
    return torch.stack(poses)


def chunk_of(poses, span, scale=1.0):
    """What tracking tells of some frames: a world at the first of them, numbers from 0, and a scale."""
    own = from_first(poses[span.start : span.stop])
    own[:, :3, 3] *= scale
    results = tuple(
        FrameResult(k, 0.1 * (span.start + k), pose, Method.ESSENTIAL, None, Details(k - 1), 9, 1.0, 0.1, (k - 1,))
        for k, pose in enumerate(own)
    )
    grounds = {k: Ground(DOWN, 1.5 * scale, 0.1, 0.5) for k in range(0, len(span), 2)}
    return Chunk(Trajectory(own, 0.1 * torch.arange(span.start, span.stop)), results, grounds)


def joined_of(poses, scales, spans=SPANS):
    chunks = [chunk_of(poses, span, scale) for span, scale in zip(spans, scales, strict=True)]
    return join(chunks, [span.start for span in spans], with_scale=scales != ONE)


@pytest.mark.parametrize("scales", [ONE, SCALES])
def test_exact_chunks_give_the_exact_whole(scales):
    poses = moving(40)
    joined = joined_of(poses, scales)
    whole = joined.whole
    torch.testing.assert_close(whole.trajectory.poses, poses, atol=1e-9, rtol=0)
    torch.testing.assert_close(whole.trajectory.timestamps, 0.1 * torch.arange(40).double())
    assert joined.describe() == "; 5 chunks joined"
    assert [x.agreeing for x in joined.junctions] == [5] * 4
    for scale, junction in zip(scales[1:], joined.junctions, strict=True):
        assert float(similarity.scale(junction.T_before_chunk)) == pytest.approx(1 / scale)
    # what is said of single frames has the numbers, the world and the scale of the whole
    assert [x.index for x in whole.results] == list(range(40))
    assert [x.details.reference for x in whole.results] == [x.changed[0] for x in whole.results] == list(range(-1, 39))
    torch.testing.assert_close(torch.stack([x.pose for x in whole.results]), poses, atol=1e-9, rtol=0)
    assert all(ground.height == pytest.approx(1.5) for ground in whole.grounds.values())
    expected = {span.start + k for span in SPANS for k in range(0, len(span), 2)}
    assert set(whole.grounds) <= expected
    assert max(whole.grounds) == max(expected)


@pytest.mark.parametrize("scales", [ONE, SCALES])
def test_straight_roads_are_joined_by_what_cameras_say_of_their_rotation(scales):
    poses = torch.eye(4, dtype=torch.float64).repeat(40, 1, 1)
    poses[:, 2, 3] = torch.arange(40)
    torch.testing.assert_close(joined_of(poses, scales).whole.trajectory.poses, poses, atol=1e-9, rtol=0)


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_wrong_poses_in_an_overlap_change_nothing(scale):
    poses = moving(12)
    source = chunk_of(poses, range(12), scale).trajectory.poses
    source[:4] = moving(40, seed=1)[30:34]
    S, agreeing = overlap_similarity(source, poses, with_scale=scale != 1)
    assert agreeing == 8
    torch.testing.assert_close(similarity.rigid(S @ source[4:]), poses[4:], atol=1e-9, rtol=0)


@pytest.mark.parametrize("scales", [ONE, SCALES])
def test_a_camera_at_rest_in_an_overlap_is_joined_where_it_rests_and_said_to_be_in_doubt(scales):
    poses = moving(40)
    rest = SPANS[1]
    poses[rest.start : SPANS[0].stop] = poses[rest.start].clone()
    joined = joined_of(poses, ONE)
    torch.testing.assert_close(joined.whole.trajectory.poses, poses, atol=1e-9, rtol=0)
    assert joined.describe() == f"; 5 chunks joined; a single pose tells how that from frame {rest.start} goes on"


def test_the_difference_of_two_chunks_is_spread_over_their_overlap():
    poses = moving(20)
    spans = ChunkOptions(14, 6).spans(20)
    chunks = [chunk_of(poses, span) for span in spans]
    # the second chunk is 10 % too long: rigidly, one scale holds for both, and no single motion has the difference
    chunks[1].trajectory.poses[:, :3, 3] *= 1.1
    joined = join(chunks, [span.start for span in spans], with_scale=False)
    steps = inverse(poses[:-1]) @ poses[1:]
    found = joined.whole.trajectory.poses
    found_steps = inverse(found[:-1]) @ found[1:]
    change = found_steps[:, :3, 3].norm(dim=-1) / steps[:, :3, 3].norm(dim=-1) - 1
    alone = spans[1].start - 1
    assert change.abs().max() < 0.2
    torch.testing.assert_close(change[:alone], torch.zeros(alone).double(), atol=1e-9, rtol=0)
    torch.testing.assert_close(change[13:], torch.full((6,), 0.1).double(), atol=1e-8, rtol=0)


def test_a_chunk_that_ends_within_its_overlap_adds_nothing():
    poses = moving(20)
    chunks = [chunk_of(poses, range(14)), chunk_of(poses, range(8, 13))]
    joined = join(chunks, [0, 8], with_scale=False)
    assert len(joined.whole.results) == len(joined.whole.trajectory) == 14
    assert joined.junctions == ()
    assert joined.describe() == ""


@pytest.mark.parametrize("scale_from", ["fused", "tracks"])
def test_exact_flow_gives_the_exact_trajectory_by_chunks_too(world, ground_truth, scale_from):
    sequence, spans = world(8, 12), ChunkOptions(8, 4).spans(12)
    options = TrackerOptions(subpixel=False, refine="none", scale_from=scale_from)

    def tracked(span):
        class Part(ground_truth):
            def between(self, i, j):
                return super().between(span.start + i, span.start + j)

            def depth(self, frame):
                return super().depth(SimpleNamespace(index=span.start + frame.index))

        part = SequenceSlice(sequence, start=span.start, end=span.stop)
        odometry = track(part, Part(sequence), size=sequence.size, options=options)
        return Chunk(odometry.trajectory, odometry.results, None)

    chunks = [tracked(span) for span in spans]
    joined = join(chunks, [span.start for span in spans], with_scale=scale_from == "tracks").whole
    true = Trajectory(sequence.poses, sequence.timestamps)
    alignment = "scale" if scale_from == "tracks" else "none"
    assert evaluate_odometry(joined.trajectory, true, alignment)["ate_m"] < 0.01 * float(true.distances()[-1])
    assert [x.index for x in joined.results] == list(range(12))
