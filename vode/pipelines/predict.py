"""Depth and flow of anybody's images and videos, as files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.calibration import load_calibration
from vode.cameras.fit import Calibration
from vode.cameras.lens import Camera
from vode.cameras.metadata import stated_focal
from vode.datasets.folder import camera_file
from vode.errors import InputError
from vode.geometry.resize import image_size
from vode.io.array import float_image
from vode.io.atomic import atomic_write, make_folder, write_bytes
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image
from vode.io.video_writer import write_video
from vode.model import Model
from vode.pipelines.options import DepthFile, FlowFile, FrameRange, OwnCamera
from vode.streams.frames import Frames, open_video
from vode.visualization.colors import depth_range, depth_to_color, flow_length, flow_to_color

UNIT = 256.0
"""steps of a metre, or of the model's unit, in 16-bit PNGs"""
RATE = 10.0
"""frames a second of a video that is made of images"""
LIMIT_FRAMES = 8
"""frames, evenly spread, that the range of colours of a video is taken from"""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """What was written: the folder, how many frames or pairs, and the names of the files that hold several."""

    folder: Path
    count: int
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    """what was assumed"""


def predict_depth_files(
    model: Model,
    source: Path,
    out: Path,
    formats: Sequence[DepthFile] = ("png", "color"),
    frames: FrameRange = FrameRange(),
    on_progress: OnProgress = lambda done, total: None,
    own: OwnCamera = OwnCamera(),
) -> Written:
    """Depth of every frame of a video, a folder of images or one image, in metres if the model is metric.

    png: out/NAME.png, 16 bits, depth x 256, 0 = unknown; npz: out/depth.npz, float32 under the frames' names; color:
    out/color/NAME.png; video: out/depth.mp4, the colours below the images. Colours have one range for all frames.
    out/prediction.json says what the numbers mean. Where nobody gives the camera of metric depth, the notes say what
    the file states of it, or what was assumed. InputError names what cannot be read or written.
    """
    opened, chosen = _open(source, out, frames)
    calibration = _calibration(model, source, own)
    camera_of = _cameras(calibration, own, opened)
    first = image_size(float_image(opened[chosen[0]]))
    unit, notes = _unit(model, camera_of(first))
    notes += () if calibration is None else calibration.notes(first)
    if "png" in formats:
        notes = (f"PNG: value / {UNIT:g} is depth in {unit['unit']}; 0 is unknown", *notes)
    make_folder(out)

    def predict(image: Tensor) -> Tensor:
        return model.predict_depth(image, camera=camera_of(image_size(image)).camera)[None]

    limits = _limits(predict, opened, chosen) if {"color", "video"} & set(formats) else None
    archive = out / "depth.npz"

    def predicted() -> Iterator[Tensor]:
        with ExitStack() as stack:
            kept = stack.enter_context(_archive(archive)) if "npz" in formats else None
            for done, i in enumerate(chosen, start=1):
                image = float_image(opened[i])
                depth, name = predict(image), opened.name(i)
                if "png" in formats:
                    write_depth(out / f"{name}.png", depth, unit=UNIT, sync=False)
                if kept is not None:
                    _add(kept, name, depth[0].numpy())
                if limits is None:
                    yield image
                else:
                    color = depth_to_color(depth, limits=limits)
                    if "color" in formats:
                        write_image(make_folder(out / "color") / f"{name}.png", color, sync=False)
                    yield torch.cat([image, color], 1)
                on_progress(done, len(chosen))

    _consume(predicted(), out / "depth.mp4" if "video" in formats else None, _rate(opened, chosen))
    _describe(out, source, model, first, {"depth": f"PNG: value / {UNIT:g}; npz: as it is"} | unit)
    files = {"npz": archive, "video": out / "depth.mp4"}
    return Written(out, len(chosen), tuple(files[kind] for kind in formats if kind in files), notes)


def predict_flow_files(
    model: Model,
    source: Path,
    out: Path,
    formats: Sequence[FlowFile] = ("flo", "color"),
    frames: FrameRange = FrameRange(),
    on_progress: OnProgress = lambda done, total: None,
) -> Written:
    """Optical flow from every frame to the next of a video or a folder of images, in pixels of the images.

    flo: out/NAME.flo (Middlebury); png: out/NAME.png (KITTI, 1/64 pixel); color: out/color/NAME.png; video:
    out/flow.mp4, the colours below the images. NAME is that of the first image of the pair. InputError names
    what cannot be read or written, and an input of a single frame.
    """
    opened, chosen = _open(source, out, frames)
    if len(chosen) < 2:
        raise InputError(f"{source}: one frame; flow needs two or more")
    first = float_image(opened[chosen[0]])
    make_folder(out)

    def predicted() -> Iterator[Tensor]:
        after, longest = first, None
        for done, (i, j) in enumerate(pairwise(chosen), start=1):
            image, after = after, float_image(opened[j])
            flow, name = model.predict_flow(image, after).movedim(-1, 0), opened.name(i)
            valid = torch.ones_like(flow[:1])
            for kind in {"flo", "png"} & set(formats):
                write_flow(out / f"{name}.{kind}", flow, valid, sync=False)
            longest = flow_length(flow) if longest is None else torch.maximum(longest, flow_length(flow))
            color = flow_to_color(flow, max_flow=longest)
            if "color" in formats:
                write_image(make_folder(out / "color") / f"{name}.png", color, sync=False)
            yield torch.cat([image, color], 1)
            on_progress(done, len(chosen) - 1)

    _consume(predicted(), out / "flow.mp4" if "video" in formats else None, _rate(opened, chosen))
    about = {"flow": "pixels of the images, x then y, to the next frame"}
    _describe(out, source, model, image_size(first), about)
    return Written(out, len(chosen) - 1, (out / "flow.mp4",) if "video" in formats else ())


def _open(source: Path, out: Path, frames: FrameRange) -> tuple[Frames, range]:
    if frames.step < 1 or frames.start < 0 or (frames.end is not None and frames.end < 0):
        raise InputError(f"start {frames.start}, end {frames.end}, step {frames.step}: a step is 1 or more, others 0")
    opened = open_video(source)
    if source.resolve() == out.resolve():
        raise InputError(f"{out}: the folder of the input itself; name another one for the output")
    chosen = range(len(opened))[frames.start : frames.end : frames.step]
    if not chosen:
        raise InputError(f"{source}: no frame from {frames.start} to {frames.end}, of {len(opened)}")
    names = [opened.name(i) for i in chosen]
    if len(set(names)) < len(names):
        raise InputError(f"{source}: two images of one name, apart from the suffix; rename one of them")
    return opened, chosen


def _calibration(model: Model, source: Path, own: OwnCamera) -> Calibration | None:
    """The calibration that is named or lies beside the images; None without, and where depth is up to scale."""
    if own.calibration is not None and own.fov is not None:
        raise InputError("both a calibration and a field of view; give one of them", "calibration", "fov")
    if not model.metric:
        if own != OwnCamera():
            raise InputError(
                f"{model.source}: its depth is up to scale for any camera; leave the camera out", "calibration", "fov"
            )
        return None
    file = own.calibration or camera_file(source, source.resolve().name)
    return None if file is None or own.fov is not None else load_calibration(file)


class _Known(NamedTuple):
    """A camera, and what is said of it where nobody gave it."""

    camera: Camera
    note: str = ""
    assumed: bool = False


def _cameras(calibration: Calibration | None, own: OwnCamera, opened: Frames) -> Callable[[tuple[int, int]], _Known]:
    """A function that gives the camera of images of a size: as it is given, as a file states it, or assumed."""
    file, pixel_aspect = opened.files[0] if opened.files else opened.path, opened.pixel_aspect

    @cache
    def camera_of(size: tuple[int, int]) -> _Known:
        if own.fov is not None:
            return _Known(Camera.of_view(size, own.fov, pixel_aspect))
        if calibration is not None:
            return _Known(calibration.camera(size))
        if (stated := stated_focal(file, size)) is not None:
            camera = Camera.of_focal(size, stated.pixels, pixel_aspect)
            return _Known(camera, f"focal length {stated.pixels:.0f} px by {stated.how}")
        camera = Camera.assumed(size, pixel_aspect)
        return _Known(
            camera,
            f"no camera is known: a focal length of {camera.focal[0]:.0f} pixels is assumed, a horizontal view of "
            f"{camera.view:.0f} degrees; give a calibration or a field of view for metres",
            assumed=True,
        )

    return camera_of


def _unit(model: Model, known: _Known) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the numbers of depth mean, and a note where they rest on what nobody gave."""
    if not model.metric:
        return {"unit": "the model's unit, metres only up to scale"}, ()
    unit = "metres, if the focal length is as assumed" if known.assumed else "metres"
    about = {"unit": unit, "focal_px": known.camera.focal[1], "focal_assumed": known.assumed}
    return about, (known.note,) if known.note else ()


def _limits(predict: Callable[[Tensor], Tensor], opened: Frames, chosen: range) -> tuple[float, float]:
    """Nearest and farthest depth that colours are spread over, the same for all frames."""
    some = chosen[:: max(len(chosen) // LIMIT_FRAMES, 1)]
    found = [depth_range(predict(float_image(opened[i]))) for i in some]
    return min(near for near, _ in found), max(far for _, far in found)


def _consume(pictures: Iterator[Tensor], video: Path | None, rate: float) -> None:
    """Make the pictures, and a video of them where one is asked for."""
    if video is not None:
        write_video(video, pictures, rate)
        return
    for _ in pictures:
        pass


def _rate(opened: Frames, chosen: range) -> float:
    first, last = opened.timestamp(chosen[0]), opened.timestamp(chosen[-1])
    if first is None or last is None or not last > first:
        return RATE
    return (len(chosen) - 1) / (last - first)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A NumPy .npz that is written one map after the other, whole or not at all."""
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        yield archive


def _add(archive: zipfile.ZipFile, name: str, values: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
        np.lib.format.write_array(entry, values, allow_pickle=False)


def _describe(out: Path, source: Path, model: Model, size: tuple[int, int], about: dict[str, Any]) -> None:
    """Write down what the files hold and which model they come from; ``size`` is that of the first image."""
    content = {"source": str(source), "model": model.source, "computed_at": list(model.size_for(size))} | about
    write_bytes(out / "prediction.json", (json.dumps(content, indent=1) + "\n").encode())
