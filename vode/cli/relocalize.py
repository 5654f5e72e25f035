"""``vode relocalize``: camera poses of single images in a scene, estimated, evaluated and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import save_json
from vode.pipelines.options import PlotFormat, Scene


def relocalize(
    run: tyro.conf.Positional[Path],
    scene: Annotated[Scene, tyro.conf.arg(name="")] = Scene(),
    device: str = "auto",
    saliency: int = 4,
    plot_format: PlotFormat = "png",
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Estimate the camera poses of a scene's images, evaluate and draw them.

    Args:
        run: folder of a run of posenet.
        device: cpu, cuda, ...; auto takes the GPU if there is one.
        saliency: images, at even distances, to draw the saliency of.
        plot_format: of the plots.
        out: folder for plots and the errors of every image; default RUN/relocalization.
        json: file for the numbers.
    """
    from vode.pipelines.relocalize import evaluate_relocalization

    result = evaluate_relocalization(
        run, scene, device=device, saliency=saliency, plot_format=plot_format, out=out, on_progress=print
    )
    print(f"{result}\n")
    if json is not None:
        save_json(json, result.to_dict())
