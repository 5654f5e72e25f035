"""``vode predict``: depth or flow of anybody's images and videos, as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vode.cli.progress import progress_line
from vode.pipelines.options import DepthFile, FlowFile, FrameRange, OwnCamera

if TYPE_CHECKING:
    from vode.pipelines.predict import OnProgress, Written


def depth(
    source: tyro.conf.Positional[Path],
    model: Path,
    out: Path | None = None,
    formats: tuple[DepthFile, ...] = ("png", "color"),
    frames: Annotated[FrameRange, tyro.conf.arg(name="")] = FrameRange(),
    camera: Annotated[OwnCamera, tyro.conf.arg(name="")] = OwnCamera(),
    device: str = "auto",
) -> None:
    """Write the depth of every frame of a video, a folder of images or one image.

    Args:
        source: the video, folder or image.
        model: folder of a run, or name of shipped weights.
        out: folder for the results; default SOURCE-depth in the current folder.
        formats: png (16 bits, depth x 256), npz (float32), color (pictures), video (the images with the colours below).
        device: cpu, cuda, ...; auto takes the GPU if there is one.
    """
    from vode.model import load
    from vode.pipelines.predict import predict_depth_files

    loaded, folder = load(model, device=device), out or Path(f"{source.stem}-depth")
    with _progress("depth") as on_progress:
        written = predict_depth_files(loaded, source, folder, formats, frames, on_progress, camera)
    _print(written, "frames")


def flow(
    source: tyro.conf.Positional[Path],
    model: Path,
    out: Path | None = None,
    formats: tuple[FlowFile, ...] = ("flo", "color"),
    frames: Annotated[FrameRange, tyro.conf.arg(name="")] = FrameRange(),
    device: str = "auto",
) -> None:
    """Write the optical flow from every frame to the next of a video or a folder of images.

    Args:
        source: the video or folder.
        model: folder of a run, or name of shipped weights.
        out: folder for the results; default SOURCE-flow in the current folder.
        formats: flo (Middlebury), png (KITTI), color (pictures), video (the images with the colours below).
        device: cpu, cuda, ...; auto takes the GPU if there is one.
    """
    from vode.model import load
    from vode.pipelines.predict import predict_flow_files

    loaded, folder = load(model, device=device), out or Path(f"{source.stem}-flow")
    with _progress("flow") as on_progress:
        written = predict_flow_files(loaded, source, folder, formats, frames, on_progress)
    _print(written, "pairs")


def _print(written: Written, what: str) -> None:
    print(f"{written.folder}: {written.count} {what}")
    for line in (*written.files, *written.notes):
        print(line)


@contextmanager
def _progress(name: str) -> Iterator[OnProgress]:
    """How far it is, on the error stream."""
    from vode.pipelines.run.progress import Meter

    with progress_line(after=2.0) as tell:
        meter = Meter(name, None, tell)

        def on_progress(done: int, total: int) -> None:
            meter.total = total
            meter(done)

        yield on_progress
