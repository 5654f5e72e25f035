"""Predict with a run's networks on a sequence, and score what its truth allows."""

from __future__ import annotations

from contextlib import suppress

import torch
from torch import Tensor

from vode.data.depth_frames import SequenceFrames
from vode.data.sequence import Sequence
from vode.errors import InputError
from vode.evaluation.depth import DepthProtocol, summary
from vode.evaluation.depth_report import from_network, score_frames
from vode.evaluation.flow import flow_errors
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.result import Result
from vode.geometry.warp import resize_flow
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.motion import TrackerOptions
from vode.odometry.tracker import network_image, track
from vode.trajectory import Trajectory


@torch.no_grad()
def predict_flow(flow: FlowNet, image_a: Tensor, image_b: Tensor, size: tuple[int, int]) -> Tensor:
    """Flow (2, H, W) between two frames (3, H, W), computed at ``size`` and given in pixels of the frames."""
    device = next(flow.parameters()).device
    flows, _ = flow(network_image(image_a, size, device), network_image(image_b, size, device))
    return resize_flow(flows[0].float(), tuple(image_a.shape[-2:]))[0].cpu()


def score_depth(depth: DepthNet, sequence: Sequence, size: tuple[int, int], *, every: int = 1) -> Result:
    """Depth errors on every ``every``-th frame that has a truth."""
    frames, protocol = SequenceFrames(sequence, every), DepthProtocol()
    return summary(score_frames(from_network(depth, frames, size), frames, range(len(frames)), protocol), protocol)


def score_flow(flow: FlowNet, sequence: Sequence, size: tuple[int, int], *, every: int = 1) -> Result:
    """Flow errors over the visible pixels of every ``every``-th pair that has a truth."""
    pairs = range(0, len(sequence) - 1, every)
    known = [(i, sequence.flow(i)) for i in pairs]
    known = [(i, truth) for i, truth in known if truth is not None]
    if not known:
        raise InputError(f"{sequence.name}: no pair has true flow")
    return flow_errors(
        (predict_flow(flow, sequence.frame(i), sequence.frame(i + 1), size) for i, _ in known),
        (truth[0] for _, truth in known),
        (truth[1] for _, truth in known),
        names=[f"{sequence.name} frame {i}" for i, _ in known],
    )


def true_trajectory(sequence: Sequence) -> Trajectory:
    """The poses of a sequence that has them."""
    return Trajectory(sequence.poses, sequence.stamps, name=f"truth of {sequence.name}")


def score_run(
    flow: FlowNet,
    depth: DepthNet,
    sequence: Sequence,
    size: tuple[int, int],
    options: TrackerOptions = TrackerOptions(),
) -> dict[str, float | None]:
    """The numbers of a run's results; None where the sequence has no such truth."""
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
    every = max(len(sequence) // 80, 1)
    if sequence.flow(0) is not None:
        results["flow_epe_px"] = score_flow(flow, sequence, size, every=every)["flow_epe_px"]
    if sequence.depth(0) is not None:
        errors = score_depth(depth, sequence, size, every=every)
        results["depth_abs_rel"] = errors["abs_rel"]
        results["depth_abs_rel_constant"] = errors["abs_rel_constant"]
    if sequence.poses is not None:
        tracked = track(sequence, flow, depth, size=size, options=options)
        # networks that see no motion at all leave nothing to align: a result, not the end of the run
        with suppress(InputError):
            odometry = evaluate_odometry(tracked.trajectory, true_trajectory(sequence))
            results |= {name: odometry[name] for name in ("t_err_percent", "r_err_deg_per_100m", "ate_m")}
    return results
