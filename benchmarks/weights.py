"""What weights are worth on scenes that they were not trained on: the rendered world's, and real ones as they are.

    python benchmarks/weights.py [vode-small] [--data DIR] [--skip-odometry]

``--data`` holds the samples that the tests use (kitti_2015, kitti_raw, kitti_odometry, kitti_flow, seven_scenes, tum);
what is not there is left out. Depth is scored with median scaling up to 80 m.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from report import machine, table
from torch import Tensor

from vode.datasets.base import Sequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.stereo import KittiScene
from vode.evaluation.depth import DepthProtocol, depth_scores
from vode.evaluation.depth_edges import DENSE, EdgeCounts, edge_counts, edge_scores
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.io.flow import read_flow
from vode.io.image import read_image
from vode.model import Model, load
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.inputs import open_sequence
from vode.recipes.supervised import EVERYWHERE
from vode.world.options import KINDS
from vode.world.sequence import WorldSequence

WORLD_SEEDS = range(21_000, 21_004)
"""of each kind of scene, neither trained on nor validated on"""
SIZE = (128, 416)
Row = tuple[str, str, str]


def depth_row(name: str, model: Model, frames: Iterable[tuple[Sequence, int]], protocol: DepthProtocol) -> list[Row]:
    """AbsRel and d1 with median scaling, the median ratio of scale, and the F-score of edges where depth is dense."""
    predictions, maps, counts = [], [], []
    for sequence, i in frames:
        depth = sequence.depth(i)
        assert depth is not None
        found = model.predict_depth(sequence.frame(i), camera=sequence.intrinsics)[None]
        predictions.append(found)
        maps.append(depth)
        if (depth > 0).float().mean() >= DENSE:
            counts.append(edge_counts(found[0].numpy(), depth[0].numpy()))
    scores = depth_scores(iter(predictions), iter(maps), protocol)
    errors = scores.errors.mean(0)
    rows = [(name, "AbsRel / d1", f"{errors[0]:.3f} / {errors[4]:.3f}")]
    rows.append(("", "ground truth over prediction, median", f"{np.median(scores.ratios):.2f}"))
    if counts:
        total = EdgeCounts(*np.array(counts).sum(0).tolist())
        rows.append(("", "F-score of edges", f"{edge_scores(total)[2]:.2f}"))
    return rows


def world_rows(model: Model) -> Iterator[list[Row]]:
    """Depth of every kind of scene, and flow of all."""
    together: list[tuple[Sequence, int]] = []
    options = replace(EVERYWHERE, size=SIZE)
    for kind in KINDS:
        sequences = [WorldSequence(seed, replace(options, scenes=(kind,))) for seed in WORLD_SEEDS]
        frames: list[tuple[Sequence, int]] = [(s, i) for s in sequences for i in (5, 30, 55)]
        yield depth_row(f"world, {kind}", model, frames, DepthProtocol())
        together += frames
    yield depth_row("world, all", model, together, DepthProtocol())
    yield flow_rows("world, all", model, (_pair(s, i) for s, i in together))


def _pair(sequence: Sequence, i: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    known = sequence.flow(i)
    assert known is not None
    return sequence.frame(i), sequence.frame(i + 1), known[0], known[1].float()


def flow_rows(name: str, model: Model, pairs: Iterable[tuple[Tensor, Tensor, Tensor, Tensor]]) -> list[Row]:
    """Mean end-point error of the network and of DIS medium, in pixels of the images."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    errors = []
    for a, b, truth, valid in pairs:
        grey = [(x.mean(0) * 255).round().byte().numpy() for x in (a, b)]
        classical = torch.from_numpy(search.calc(grey[0], grey[1], None)).movedim(-1, 0)  # type: ignore[call-overload]
        learned = model.predict_flow(a, b).movedim(-1, 0)
        known = (valid[0] > 0) & truth.isfinite().all(0)
        errors.append([(flow - truth).norm(dim=0)[known].mean().item() for flow in (learned, classical)])
    ours, dis = np.mean(errors, axis=0)
    return [(name, "flow: EPE, of DIS medium", f"{ours:.2f} px, {dis:.2f} px, {ours / dis:.2f}")]


def real_rows(model: Model, data: Path) -> Iterator[list[Row]]:
    """Depth and flow of the real samples that are there."""
    if (root := data / "kitti_2015").is_dir():
        scenes = [KittiScene(root, file.stem[:6]) for file in sorted((root / "disp_occ_0").glob("*_10.png"))]
        yield depth_row("KITTI 2015", model, [(s, 0) for s in scenes], DepthProtocol())
        yield flow_rows("KITTI 2015, left to right", model, (_stereo_pair(s) for s in scenes))
    if (root := data / "kitti_flow").is_dir():
        flow, valid = read_flow(root / "flow_gt.png")
        images = (read_image(root / name) for name in ("frame1.png", "frame2.png"))
        yield flow_rows("KITTI flow", model, [(*images, flow, valid)])
    if (root := data / "kitti_raw").is_dir():
        sequence = open_sequence("kitti-raw", root)
        frames = [(sequence, i) for i in range(len(sequence)) if sequence.has_depth(i)]
        yield depth_row("KITTI raw, lidar, Garg's crop", model, frames, DepthProtocol(crop="garg"))
    for name, dataset, folder in (("redkitchen", "7scenes", "seven_scenes/redkitchen"), ("TUM rpy", "tum", "tum")):
        if (data / folder).is_dir():
            frames = [(s, i) for s in _all_sequences(dataset, data / folder) for i in range(0, len(s), 5)]
            yield depth_row(name, model, [(s, i) for s, i in frames if s.has_depth(i)], DepthProtocol(cap=10))


def _all_sequences(dataset: str, root: Path) -> list[Sequence]:
    from vode.datasets.options import DataOptions
    from vode.datasets.registry import open_dataset

    opened = open_dataset(DataOptions(dataset, data=root))
    return opened.open_all(opened.names("all"))


def _stereo_pair(scene: KittiScene) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    disparity, right = scene.disparity(), scene.right(0)
    assert right is not None
    return scene.frame(0), right, torch.cat([-disparity, torch.zeros_like(disparity)]), (disparity > 0).float()


def odometry_rows(model: Model, data: Path) -> Iterator[list[Row]]:
    """The first frames of KITTI 00 with both refinements, scale fitted and not, and the speed of a frame."""
    root = data / "kitti_odometry"
    if not root.is_dir():
        return
    sequence = KittiOdometry(root, "00", camera=0)
    truth = ground_truth_trajectory(sequence)
    for refine in ("none", "window"):
        options = replace(model.tracker, refine=refine)
        found = track(sequence, model.perception(), size=model.tracking_size(sequence.size), options=options).trajectory
        for alignment in ("7dof", "6dof"):
            values = evaluate_odometry(found, truth, alignment=alignment)
            shown = f"{values['t_err_percent']:.2f} % / {values['r_err_deg_per_100m']:.2f} / {values['ate_m']:.2f} m"
            yield [(f"KITTI 00, {len(sequence)} frames, {refine}, {alignment}", "t_err / r_err / ATE", shown)]
    images = [sequence.frame(i).mul(255).byte().permute(1, 2, 0).numpy() for i in range(24)]
    odometry = VisualOdometry(model, sequence.camera)
    for image in images[:4]:
        odometry.register_frame(image)
    start = time.perf_counter()
    for image in images[4:]:
        odometry.register_frame(image)
    yield [("", "frames/s of register_frame, 1241x376", f"{20 / (time.perf_counter() - start):.1f}")]


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="vode-small")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--skip-odometry", action="store_true")
    given = parser.parse_args()
    model = load(given.model, device="cpu")
    print(machine("timm"), "\n")
    rows = [row for found in world_rows(model) for row in found]
    if given.data is not None:
        rows += [row for found in real_rows(model, given.data) for row in found]
        if not given.skip_odometry:
            rows += [row for found in odometry_rows(model, given.data) for row in found]
    print(table(["scenes", "measure", given.model], rows))


if __name__ == "__main__":
    main()
