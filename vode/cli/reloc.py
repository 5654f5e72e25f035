"""``vode reloc``: places of single images in a scene, estimated, scored and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
import tyro

from vode.augmentation.photometric import to_float_and_augment
from vode.cli.common import save_json
from vode.datasets.base import noted
from vode.datasets.sample import collate
from vode.evaluation.result import Number, Result
from vode.io.atomic import make_folder, write_bytes
from vode.relocalization import evaluation, family
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.data import scene_sequences
from vode.relocalization.network import PoseNet
from vode.relocalization.plots import error_histograms, places_figure, saliency_panel
from vode.relocalization.posed_images import PosedImages
from vode.relocalization.views import cut_view
from vode.run_folder import RunFolder
from vode.training.distributed import device_name
from vode.visualization.panels import save_panel, spread
from vode.visualization.plots import save_figure


def reloc(
    run: tyro.conf.Positional[Path],
    data: Path | None = None,
    dataset: str | None = None,
    sequences: tuple[str, ...] = (),
    split: Literal["test", "train"] = "test",
    device: str = "auto",
    saliency: int = 4,
    out: Path | None = None,
    format: Literal["png", "pdf", "svg"] = "png",
    json: Path | None = None,
) -> None:
    """Estimate where the images of a scene were taken, score the poses and draw them.

    Args:
        run: folder of a run of posenet.
        data: folder of the scene; default what the run was trained on.
        dataset: its layout, likewise.
        sequences: names of the sequences that were trained on, likewise.
        split: the images: those that the scene is tested on, or those that were trained on.
        device: cpu, cuda, ...; auto takes the GPU if there is one.
        saliency: images, at even distances, to draw the saliency of.
        out: folder for plots and the errors of every image; default RUN/reloc.
        format: of the plots.
        json: file for the numbers.
    """
    config = RunFolder(run).read_config(RelocalizationConfig)
    given = {"data": data, "dataset": dataset, "sequences": sequences}
    config = replace(config, **{name: value for name, value in given.items() if value})
    network = RunFolder(run).load_network(PoseNet, device_name(device))
    parts = dict(zip(("train", "test"), scene_sequences(config), strict=True))
    for line in noted([*parts["train"], *parts["test"]]):
        print(line)
    tested, trained = (family.images(config, parts[part]) for part in (split, "train"))
    ground_truth, known = tested.poses().double(), trained.poses().double()
    estimate = evaluation.locate(network, tested)
    result = evaluation.against(estimate, tested, trained if split == "test" else None)
    where = next(network.parameters()).device
    spent = Number("ms_per_image", evaluation.milliseconds(network, config.size), f"ms, {where.type}, batch 1")
    result = Result(f"Relocalization, {split} images", (*result.numbers, spent), result.protocol, notes=result.notes)
    print(f"{result}\n")
    folder, errors = make_folder(out or run / "reloc"), evaluation.pose_errors(estimate, ground_truth)
    written = [folder / f"{split}{end}" for end in (".csv", f"-places.{format}", f"-errors.{format}")]
    write_bytes(written[0], evaluation.per_image_csv(tested.names(), estimate, ground_truth).encode())
    save_figure(places_figure(ground_truth, estimate, known if split == "test" else None), written[1])
    save_figure(error_histograms(errors.position, errors.rotation.rad2deg()), written[2])
    if saliency > 0:
        written.append(folder / f"{split}-saliency.png")
        _draw_saliency(network, tested, saliency, written[-1])
    for file in written:
        print(file)
    if json is not None:
        save_json(json, result.to_dict())


def _draw_saliency(network: torch.nn.Module, images: PosedImages, count: int, path: Path) -> None:
    device, chosen = next(network.parameters()).device, spread(range(len(images)), count)
    view = cut_view(to_float_and_augment(collate([images[i] for i in chosen])), images.window)
    found = evaluation.saliency(network, view["images"].to(device), view["T_scene_cam"].to(device)).cpu()
    rows = [saliency_panel(image, one) for image, one in zip(view["images"], found, strict=True)]
    names = images.names()
    save_panel(path, rows, names=[names[i] for i in chosen])
