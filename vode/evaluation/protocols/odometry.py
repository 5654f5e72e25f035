"""Protocols of odometry: what other systems' released code measures besides, or instead of, KITTI's segment errors.

trianflow scores segments as is the default here. sfmlearner and monodepth2 score snippets of five frames: the former
their positions, the latter the translations of the chained inverse motions, with the shorter snippets at the end too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vode.errors import InputError
from vode.evaluation.result import Number, Result
from vode.io.association import AssociationOptions, associate
from vode.io.trajectory import Trajectory


@dataclass(frozen=True)
class OdometryProtocol:
    """How released code scores a trajectory."""

    alignment: str = "7dof"
    """of the whole trajectory, for segment errors and the ATE"""
    snippet: int = 0
    """frames of a snippet, 0 = it scores whole trajectories"""
    inverse: bool = False
    """chain the inverse motions of a snippet, in place of its motions"""
    least: int = 5
    """frames of the shortest snippet at the end of a sequence"""


PUBLISHED: Mapping[str, OdometryProtocol] = {
    "trianflow": OdometryProtocol(),
    "sfmlearner": OdometryProtocol(snippet=5),
    "monodepth2": OdometryProtocol(snippet=5, inverse=True, least=2),
}
"""by the name of the system"""


def check_alignment(system: str | None, alignment: str) -> None:
    """InputError if a system's trajectories are not aligned as is asked for."""
    if system is not None and PUBLISHED[system].alignment != alignment:
        published = PUBLISHED[system].alignment
        raise InputError(f"{system} is scored after {published}, not {alignment}; leave one of them out", "protocol")


def with_protocol(
    result: Result,
    estimate: Trajectory,
    ground_truth: Trajectory,
    system: str | None,
    matching: AssociationOptions = AssociationOptions(),
) -> Result:
    """The result of an evaluation with the numbers and the name of a system's protocol; as it is without one."""
    if system is None:
        return result
    protocol, numbers, differs = PUBLISHED[system], result.numbers, []
    if protocol.snippet:
        matches = associate(estimate, ground_truth, by=matching.by, max_difference=matching.max_difference)
        errors = snippet_errors(matches.estimate, matches.ground_truth, protocol)
        spread = float(errors.std(correction=0)) if len(errors) else None
        numbers += (
            Number(f"{system}_ate_m", float(errors.mean()) if len(errors) else None, "m"),
            Number(f"{system}_ate_std_m", spread, "m"),
        )
        differs.append(f"its figure is {system}_ate_m, over snippets of {protocol.snippet} frames scaled one by one")
    if protocol.inverse:
        differs.append("of the inverse motions")
    if protocol.least < protocol.snippet:
        differs.append(f"with those of {protocol.least} frames or more at the end")
    told = f"{system}; unlike the default: {', '.join(differs) or 'nothing'}"
    return replace(result, numbers=numbers, protocol={**result.protocol, "protocol": told})


def snippet_errors(estimate: Trajectory, ground_truth: Trajectory, protocol: OdometryProtocol) -> Tensor:
    """Errors (S,) in metres of all snippets of consecutive matched frames: sqrt(sum of squares) / frames.

    The first frame of a snippet is the origin, and sum(xy) / sum(xx) the scale of the estimate.
    """
    found = []
    for frames in range(protocol.snippet, protocol.least - 1, -1):
        last = len(ground_truth) - frames
        starts = torch.arange(last + 1) if frames == protocol.snippet else torch.tensor([last] if last >= 0 else [])
        starts = starts.long()
        ends = starts + frames - 1
        kept = ground_truth.indices[ends] - ground_truth.indices[starts] == frames - 1
        window = starts[kept, None] + torch.arange(frames)
        x, y = (_positions(trajectory.poses[window], protocol) for trajectory in (estimate, ground_truth))
        square = x.square().sum(dim=(1, 2))
        scale = torch.where(square > 0, (x * y).sum(dim=(1, 2)) / square.clamp(min=1e-300), 1.0)
        found.append((scale[:, None, None] * x - y).square().sum(dim=(1, 2)).sqrt() / frames)
    return torch.cat(found)


def _positions(poses: Tensor, protocol: OdometryProtocol) -> Tensor:
    """Positions (S, F, 3) of the frames of snippets, of poses (S, F, 4, 4), in the axes of their first ones."""
    if not protocol.inverse:
        return (torch.linalg.inv(poses[:, :1]) @ poses)[..., :3, 3]
    chain = [torch.eye(4, dtype=poses.dtype).expand(len(poses), 4, 4)]
    for i in range(1, poses.shape[1]):
        chain.append(chain[-1] @ torch.linalg.inv(poses[:, i]) @ poses[:, i - 1])
    return torch.stack(chain, 1)[..., :3, 3]
