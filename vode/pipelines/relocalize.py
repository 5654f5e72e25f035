"""Visual relocalization: the poses of a scene's images estimated by a run, evaluated and drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.base import noted
from vode.datasets.sample import collate
from vode.devices import device_name
from vode.evaluation.result import Number, Result
from vode.io.atomic import make_folder, write_bytes
from vode.pipelines.options import PlotFormat, Scene
from vode.relocalization import evaluation, family
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.data import scene_sequences
from vode.relocalization.network import PoseNet
from vode.relocalization.plots import error_histograms, places_figure, saliency_panel
from vode.relocalization.posed_images import PosedImages
from vode.relocalization.views import cut_view
from vode.run_folder import find_run
from vode.visualization.panels import save_panel, spread
from vode.visualization.plots import save_figure


def evaluate_relocalization(
    run: Path,
    scene: Scene = Scene(),
    *,
    device: str = "auto",
    saliency: int = 4,
    plot_format: PlotFormat = "png",
    out: Path | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> Result:
    """Errors of the poses that a run estimates of single images, beside those of two simple predictors.

    Plots, the errors of every image and the saliency of some go to ``out``, by default RUN/relocalization;
    ``on_progress`` is called with a line about each.
    """
    folder = find_run(run)
    config = folder.read_config(RelocalizationConfig)
    config = replace(
        config,
        data=scene.data or config.data,
        dataset=scene.dataset or config.dataset,
        sequences=scene.sequences or config.sequences,
    )
    network = folder.load_network(PoseNet, device_name(device))
    parts = dict(zip(("train", "test"), scene_sequences(config), strict=True))
    for line in noted([*parts["train"], *parts["test"]]):
        on_progress(line)
    tested, trained = (family.images(config, parts[part]) for part in (scene.split, "train"))
    true, known = tested.poses().double(), trained.poses().double()
    estimate = evaluation.locate(network, tested)
    result = evaluation.against(estimate, tested, trained if scene.split == "test" else None)
    where = next(network.parameters()).device
    spent = Number("ms_per_image", evaluation.milliseconds(network, config.size), f"ms, {where.type}, batch 1")
    title = f"Relocalization, {scene.split} images"
    result = Result(title, (*result.numbers, spent), result.protocol, notes=result.notes)
    folder_out, errors = make_folder(out or folder.output("relocalization")), evaluation.pose_errors(estimate, true)
    ends = (".csv", f"-places.{plot_format}", f"-errors.{plot_format}")
    files = [folder_out / f"{scene.split}{end}" for end in ends]
    write_bytes(files[0], evaluation.per_image_csv(tested.names(), estimate, true).encode())
    save_figure(places_figure(true, estimate, known if scene.split == "test" else None), files[1])
    save_figure(error_histograms(errors.position, errors.rotation.rad2deg()), files[2])
    if saliency > 0:
        files.append(folder_out / f"{scene.split}-saliency.png")
        _draw_saliency(network, tested, saliency, files[-1])
    for file in files:
        on_progress(str(file))
    return result


def _draw_saliency(network: PoseNet, images: PosedImages, count: int, path: Path) -> None:
    device, chosen = next(network.parameters()).device, spread(range(len(images)), count)
    view = cut_view(to_float_and_augment(collate([images[i] for i in chosen])), images.window)
    found = evaluation.saliency(network, view["images"].to(device), view["T_scene_cam"].to(device)).cpu()
    rows = [saliency_panel(image, one) for image, one in zip(view["images"], found, strict=True)]
    names = images.names()
    save_panel(path, rows, names=[names[i] for i in chosen])
