"""The view-synthesis family: depth and pose networks, trained on snippets of frames without labels."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any, cast

import torch
from torch import nn

from vode.datasets.base import Capability, Sequence, only_frames
from vode.errors import InputError
from vode.evaluation.depth import DepthProtocol
from vode.evaluation.runs import score_depth, score_flow, score_odometry
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.pose import PoseNet
from vode.networks.residual_flow import ResidualFlowNet
from vode.networks.weights import Network, without_download
from vode.odometry.perception import NoDepth, Perception, network_perception
from vode.odometry.sources.pose_network import WithPoseNetwork
from vode.run_folder import BESIDE, RunFolder, find_run
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.data import scoring_sequence, training_sequences, validation_sequences
from vode.training.options import TaskOptions
from vode.training.tasks.base import Task
from vode.training.tasks.flow import FlowTask
from vode.training.video import begin, finish, stage_samples
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.view_synthesis.flow_pose import PoseNetFlowTask, motion_network
from vode.view_synthesis.geonet import ResidualFlowTask, geonet_of, score_full_flow
from vode.view_synthesis.monodepth import MonodepthTask
from vode.view_synthesis.options import SynthesisOptions
from vode.view_synthesis.rest import without_rest
from vode.view_synthesis.stereo import in_stereo, metric
from vode.view_synthesis.task import ViewSynthesisTask

__all__ = [
    "begin",
    "finish",
    "measures",
    "networks",
    "prepare",
    "samples",
    "score",
    "settled",
    "stage_samples",
    "task",
    "validation",
]

ODOMETRY = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "scale_deviation")
"""results of the trajectory"""


def networks(config: ViewSynthesisConfig, *, fresh: bool = True) -> dict[str, nn.Module]:
    """The networks of a run; see ``Family.networks``. What a start lacks besides the depth is new."""
    wanted = parts(config)
    if not fresh:
        return {name: kind.build(without_download(options)) for name, (kind, options) in wanted.items()}
    if config.start_from is None:
        return {name: kind.build(options) for name, (kind, options) in wanted.items()}
    start = find_run(config.start_from)
    found: dict[str, nn.Module] = {}
    for name, (kind, asked) in wanted.items():
        if name != "depth" and not start.has_network(kind):
            found[name] = kind.build(asked)
            continue
        network = found[name] = start.load_start(kind, asked, name)
        if isinstance(network, DepthNet) and config.snippet.stereo and not network.is_metric:
            raise InputError(
                f"{config.start_from}: its depth is up to scale, that of stereo in metres; start from metric depth, or "
                "set start_from to None for new networks",
                "start_from",
            )
    return found


def parts(config: ViewSynthesisConfig) -> dict[str, tuple[type[Network], Any]]:
    """The kind and the options of each network of a run, by their name in the configuration."""
    found: dict[str, tuple[type[Network], Any]] = {"depth": (DepthNet, config.depth)}
    if config.snippet.length > 1:
        found["pose"] = PoseNet, config.pose
    if config.pose.input == "flow":
        found["flow"] = FlowNet, config.flow
    if "residual" in dict(config.plan()):
        found["residual"] = ResidualFlowNet, config.residual
    return found


def settled(config: ViewSynthesisConfig, networks: nn.ModuleDict) -> ViewSynthesisConfig:
    """The configuration with the networks' options."""
    options: dict[str, Any] = {name: cast(Network, network).options for name, network in networks.items()}
    return replace(config, **options)


def prepare(config: ViewSynthesisConfig, folder: RunFolder) -> ViewSynthesisConfig:
    """With stereo depth is in metres, for which a new network gets its canonical focal length: that of the cameras."""
    if not config.snippet.stereo or config.start_from is not None:
        return config
    return replace(config, depth=metric(config.depth, training_sequences(config), config.size))


def samples(config: ViewSynthesisConfig, folder: RunFolder) -> ClipDataset:
    """The augmented training snippets, without those of a camera at rest."""
    return snippets(config, without_rest(training_sequences(config), config, folder))


def validation(config: ViewSynthesisConfig, trained: ClipDataset) -> ClipDataset:
    """The validation snippets, not augmented."""
    return snippets(config, validation_sequences(config, trained.sequences), vary=False)


def snippets(config: ViewSynthesisConfig, sequences: list[Sequence], *, vary: bool = True) -> ClipDataset:
    """Snippets of the sequences, augmented if ``vary``: those whose target, in the middle, may begin a sample."""
    snippet = config.snippet
    before = snippet.length // 2 * snippet.stride
    sequences = [around_starts(sequence, before) for sequence in sequences]
    clips = ClipDataset(
        in_stereo(sequences, snippet) if snippet.stereo else sequences,
        ClipShape(snippet.length, snippet.stride, config.clip_every),
        size=config.size,
        augment=config.augment if vary else None,
        seed=config.seed,
        ground_truth={Capability.STEREO} if snippet.stereo else False,
        raw=True,
    )
    return clips.kept(config.block, config.reuse) if vary and config.block else clips


def around_starts(sequence: Sequence, before: int) -> Sequence:
    """The sequence, of which samples begin so many frames before those that it names, which are the targets."""
    if sequence.starts is None:
        return sequence
    return only_frames(sequence, [i - before for i in sequence.starts if i >= before])


def task(name: str, config: ViewSynthesisConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
    """The Task of the stage ``name``."""
    depth = cast(DepthNet, networks["depth"])
    if name == "flow":
        stage = config.flow_stage
        options = TaskOptions(flow_loss=stage.flow_loss, weights=stage.weights, mixed=mixed)
        return FlowTask(cast(FlowNet, networks["flow"]), options)
    if name == "residual":
        last = config.residual_stage
        return ResidualFlowTask(geonet_of(networks), last.consistency, last.weights, mixed)
    if config.objective == "left-right":
        return MonodepthTask(depth, dataclasses.asdict(config.depth_stage.weights), mixed)
    kind = PoseNetFlowTask if "flow" in networks else ViewSynthesisTask
    motion = motion_network(networks) if "pose" in networks else None
    if name == "motion":
        begin = before_motion(config.synthesis)
        return kind(depth, motion, begin, config.motion_stage.weights, mixed, motion_alone=True)
    return kind(depth, motion, config.synthesis, config.depth_stage.weights, mixed)


def before_motion(options: SynthesisOptions) -> SynthesisOptions:
    """How frames are compared as long as no motion is known.

    At all sizes, as only in the coarsest images a motion of several pixels is near the truth, and without the masks,
    which would leave out nearly all.
    """
    return replace(options, compared_at="own", outside="masked", auto_mask=False, consistency_mask=False)


def measures(name: str, networks: nn.ModuleDict, samples: ClipDataset, config: ViewSynthesisConfig) -> dict[str, float]:
    """Errors of depth, flow and odometry on the first sequence; of flow alone in the flow stage."""
    errors = _flow_scores if name == "flow" else _scores
    found = errors(networks, samples.sequences[0], config)
    return {name: value for name, value in found.items() if value is not None}


def score(networks: nn.ModuleDict, config: ViewSynthesisConfig) -> dict[str, float | None]:
    """Errors of depth, flow and odometry on the sequence that a finished run is scored on."""
    return _scores(networks, scoring_sequence(config), config)


def _scores(networks: nn.ModuleDict, sequence: Sequence, config: ViewSynthesisConfig) -> dict[str, float | None]:
    depth = cast(DepthNet, networks["depth"])
    size = depth.input_size(config.size, sequence.size)
    results: dict[str, float | None] = dict.fromkeys(("depth_abs_rel", "depth_abs_rel_constant", *ODOMETRY))
    if sequence.has_depth(0):
        every = max(len(sequence) // 80, 1)
        errors = score_depth(depth, sequence, size, every=every)
        results |= {"depth_abs_rel": errors["abs_rel"], "depth_abs_rel_constant": errors["abs_rel_constant"]}
        if depth.is_metric:
            metres = score_depth(depth, sequence, size, every=every, protocol=DepthProtocol(scaling="none"))
            results["depth_abs_rel_metres"] = metres["abs_rel"]
    if sequence.poses is not None:
        odometry = score_odometry(_perception(networks, config, size), sequence, size, config.tracker)
        if odometry is not None:
            results |= {name: odometry[name] for name in ODOMETRY}
    return results | _flow_scores(networks, sequence, config)


def _flow_scores(networks: nn.ModuleDict, sequence: Sequence, config: ViewSynthesisConfig) -> dict[str, float | None]:
    """Errors of the flow network and of GeoNet's flow, where the run has them."""
    size, every = cast(DepthNet, networks["depth"]).input_size(config.size, sequence.size), max(len(sequence) // 80, 1)
    results: dict[str, float | None] = {}
    if "flow" in networks and sequence.has_flow(0):
        flow = cast(FlowNet, networks["flow"])
        results["flow_epe_px"] = score_flow(flow, sequence, size, every=every)["flow_epe_px"]
    if "residual" in networks and sequence.has_flow(0):
        results |= score_full_flow(geonet_of(networks), sequence, config.snippet.length, size, every=every)
    return results


def _perception(networks: nn.ModuleDict, config: ViewSynthesisConfig, size: tuple[int, int]) -> Perception:
    """What tells motions, as the tracker's options say; another run's flow where there is none."""
    depth = cast(DepthNet, networks["depth"])
    device = next(depth.parameters()).device
    by_network = config.tracker.tracker == "pose-network" and "pose" in networks
    if by_network and "flow" not in networks:
        return WithPoseNetwork(NoDepth(device), cast(PoseNet, networks["pose"]), lambda _: size)
    flow = networks["flow"] if "flow" in networks else find_run(BESIDE).load_network(FlowNet, device)
    seen = network_perception(cast(FlowNet, flow), depth, config.tracker, lambda _: size)
    return WithPoseNetwork(seen, cast(PoseNet, networks["pose"]), lambda _: size) if by_network else seen
