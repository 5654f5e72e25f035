"""Predict with a run's networks on a sequence, and score what its ground truth allows."""

from __future__ import annotations

from contextlib import suppress

from vode.datasets.base import Sequence
from vode.datasets.depth_frames import SequenceFrames
from vode.datasets.flow_pairs import SequencePairs
from vode.errors import InputError
from vode.evaluation import depth_report, flow_report
from vode.evaluation.depth import DepthProtocol, summary
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.result import Result
from vode.geometry.resize import magnified
from vode.io.trajectory import Trajectory
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Perception, network_perception
from vode.odometry.track import track


def score_depth(
    depth: DepthNet,
    sequence: Sequence | list[Sequence],
    size: tuple[int, int],
    *,
    every: int = 1,
    protocol: DepthProtocol = DepthProtocol(),
) -> Result:
    """Depth errors on every ``every``-th frame that has ground truth."""
    frames = SequenceFrames(sequence, every)
    source = depth_report.from_network(depth, frames, size)
    return summary(depth_report.score_frames(source, frames, range(len(frames)), protocol), protocol)


def score_flow(flow: FlowNet, sequence: Sequence, size: tuple[int, int], *, every: int = 1) -> Result:
    """Flow errors over the visible pixels of every ``every``-th pair that has ground truth."""
    pairs = SequencePairs(sequence, every)
    return flow_report.score_pairs(flow_report.from_network(flow, pairs, lambda _: size), pairs, range(len(pairs)))


def ground_truth_trajectory(sequence: Sequence) -> Trajectory:
    """The poses of a sequence; InputError if it has none."""
    if sequence.poses is None:
        raise InputError(f"{sequence.name}: the sequence has no poses, so its odometry cannot be scored")
    return Trajectory(
        sequence.poses, sequence.timestamps, range(len(sequence.poses)), name=f"ground truth of {sequence.name}"
    )


def score_odometry(
    perception: Perception, sequence: Sequence, size: tuple[int, int], options: TrackerOptions = TrackerOptions()
) -> Result | None:
    """Errors of the trajectory of a sequence with poses, whose images are tracked at ``size`` (height, width).

    None where networks see no motion at all, which leaves nothing to align.
    """
    tracked = track(sequence, perception, size=size, options=options)
    with suppress(InputError):
        return evaluate_odometry(tracked.trajectory, ground_truth_trajectory(sequence))
    return None


def score_run(
    flow: FlowNet,
    depth: DepthNet,
    sequence: Sequence,
    size: tuple[int, int],
    options: TrackerOptions = TrackerOptions(),
) -> dict[str, float | None]:
    """The numbers of a run's results; None where the sequence has no such ground truth."""
    results: dict[str, float | None] = dict.fromkeys(
        (
            "flow_epe_px",
            "depth_abs_rel",
            "depth_abs_rel_constant",
            "t_err_percent",
            "r_err_deg_per_100m",
            "ate_m",
        )
    )
    every, size = max(len(sequence) // 80, 1), depth.input_size(size, sequence.size)
    if sequence.has_flow(0):
        results["flow_epe_px"] = score_flow(flow, sequence, size, every=every)["flow_epe_px"]
    if sequence.has_depth(0):
        errors = score_depth(depth, sequence, size, every=every)
        results["depth_abs_rel"] = errors["abs_rel"]
        results["depth_abs_rel_constant"] = errors["abs_rel_constant"]
    if sequence.poses is not None:
        perception = network_perception(flow, depth, options, lambda _: size)
        odometry = score_odometry(perception, sequence, magnified(size, options.magnify), options)
        if odometry is not None:
            results |= {name: odometry[name] for name in ("t_err_percent", "r_err_deg_per_100m", "ate_m")}
    return results
