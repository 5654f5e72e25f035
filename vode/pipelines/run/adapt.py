"""Adaptation of the model to the very video of a run, before it is tracked."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from vode.adaptation.config import AdaptationConfig
from vode.devices import device_name
from vode.errors import InputError
from vode.model import Model, load
from vode.pipelines.run.folder import ADAPTATION, OutputFolder
from vode.pipelines.run.options import RunOptions
from vode.pipelines.run.progress import Meter, OnProgress
from vode.pipelines.run.source import Source
from vode.pipelines.train import resume, train
from vode.recipes import recipe
from vode.run_folder import find_run
from vode.streams.camera import FoundCamera
from vode.training.log import OnWork, progress_to

NETWORKS = ("depth", "flow")


def check_model(options: RunOptions, source: Source, *, with_depth: bool) -> None:
    """InputError if there are no weights of the name, or none and no other depth, or they cannot be adapted."""
    name = options.model
    if name is None and not with_depth:
        raise InputError("no model, and no depth of another source, which the API takes; name a model", "model")
    if name is not None and not find_run(name).holds_run:
        raise InputError(f"{name}: no run in it (no config.json); name the folder that training left", "model")
    device_name(options.device)
    if options.adapt and source.adaptable is None:
        raise InputError(f"{source.address}: adaptation is for videos and folders of images; leave it out", "adapt")


def adapted_model(
    source: Source, found: FoundCamera, folder: OutputFolder, options: RunOptions, on_progress: OnProgress
) -> tuple[Model, dict[str, Any] | None]:
    """The model as it is adapted to the source, or as it is without minutes; and what came of it.

    The training run is in the run's folder, and goes on where it was interrupted.
    """
    assert options.model is not None
    if not options.adapt:
        return load(options.model, device=options.device), None
    assert source.adaptable is not None
    run = folder.path / ADAPTATION
    with progress_to(_teller(on_progress)):
        results = _results(run, source.adaptable, _camera(found, folder), options)
    return load(run, device=options.device), _told(results, options.adapt)


def _teller(on_progress: OnProgress) -> OnWork:
    """Tells what adaptation works on as a stage of the run, each piece of work with a clock of its own."""
    meters: dict[str, Meter] = {}

    def tell(what: str, done: int, total: int) -> None:
        meters.setdefault(what, Meter("adapt", total, on_progress, done))(done, what)

    return tell


def _camera(found: FoundCamera, folder: OutputFolder) -> dict[str, Any]:
    """The camera as a data set takes it: of stored images where a file told it, else of images as viewers show them."""
    camera = found.camera
    if found.lens is not None or camera.distorts:
        return {"calibration": folder.file("calibration")}
    return {"fov": camera.view}


def _results(run: Path, data: Path, camera: dict[str, Any], options: RunOptions) -> dict[str, float | None]:
    if (run / "config.json").is_file():
        return resume(run)[1]
    recommended = recipe("adapt")
    assert isinstance(recommended, AdaptationConfig)
    config = replace(
        recommended,
        data=data,
        pattern=options.pattern,
        **camera,
        minutes=options.adapt,
        start_from=Path(str(options.model)),
        device=options.device,
    )
    return train(config, run)[1]


def _told(results: dict[str, float | None], minutes: float) -> dict[str, Any]:
    """The verdict for the summary."""
    residuals: dict[str, dict[str, float | None]] = {"before": {}, "after": {}}
    for name in NETWORKS:
        for when, values in residuals.items():
            value = results.get(f"{name}_{when}")
            values[name] = value if value is not None and math.isfinite(value) else None
    kept = [name for name in NETWORKS if results.get(f"{name}_adapted") == 1.0]
    words = f"adapted {' and '.join(kept)} is better on frames held out, and used" if kept else "the start is kept"
    return {"minutes": minutes, "kept": bool(kept), **residuals, "note": words}
