"""Depth and flow of anybody's images and videos, as files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.array import float_image
from vode.io.atomic import atomic_write, make_folder, write_bytes
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image
from vode.io.video_writer import write_video
from vode.model import Model
from vode.pipelines.inputs import Frames, open_video
from vode.pipelines.options import DepthFile, FlowFile, FrameRange
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


def predict_depth_files(
    model: Model,
    source: Path,
    out: Path,
    formats: Sequence[DepthFile] = ("png", "color"),
    frames: FrameRange = FrameRange(),
    on_progress: OnProgress = lambda done, total: None,
) -> Written:
    """Depth of every frame of a video, a folder of images or one image.

    png: out/NAME.png, 16 bits, depth x 256, 0 = unknown; npz: out/depth.npz, float32 under the frames' names; color:
    out/color/NAME.png; video: out/depth.mp4, the colours below the images. Colours have one range for all frames.
    out/prediction.json says what the numbers mean. InputError names what cannot be read or written.
    """
    opened, chosen = _open(source, out, frames)
    make_folder(out)
    limits = _limits(model, opened, chosen) if {"color", "video"} & set(formats) else None
    archive = out / "depth.npz"

    def predicted() -> Iterator[Tensor]:
        with ExitStack() as stack:
            kept = stack.enter_context(_archive(archive)) if "npz" in formats else None
            for done, i in enumerate(chosen, start=1):
                image = float_image(opened[i])
                depth, name = model.predict_depth(image)[None], opened.name(i)
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
    about = {"depth": f"PNG: value / {UNIT:g}; npz: as it is", "unit": "the model's, metres only up to scale"}
    _describe(out, source, model, about)
    files = {"npz": archive, "video": out / "depth.mp4"}
    return Written(out, len(chosen), tuple(files[kind] for kind in formats if kind in files))


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
    make_folder(out)

    def predicted() -> Iterator[Tensor]:
        after, longest = float_image(opened[chosen[0]]), None
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
    _describe(out, source, model, about)
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


def _limits(model: Model, opened: Frames, chosen: range) -> tuple[float, float]:
    """Nearest and farthest depth that colours are spread over, the same for all frames."""
    some = chosen[:: max(len(chosen) // LIMIT_FRAMES, 1)]
    found = [depth_range(model.predict_depth(float_image(opened[i]))[None]) for i in some]
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


def _describe(out: Path, source: Path, model: Model, about: dict[str, str]) -> None:
    """Write down what the files hold and which model they come from."""
    content = {"source": str(source), "model": model.source, "computed_at": list(model.size)} | about
    write_bytes(out / "prediction.json", (json.dumps(content, indent=1) + "\n").encode())
