"""Writing a video: RGB frames in, an .mp4 that players open, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from torch import Tensor

from vode.errors import InputError
from vode.io.atomic import atomic_path

CODECS = ("libx264", "libopenh264", "mpeg4")
"""encoders, the first that is there is taken"""


def write_video(path: Path | str, frames: Iterable[Tensor], rate: float = 10.0) -> int:
    """Write frames (3, H, W) in 0..1 at ``rate`` frames a second, and return their number.

    Frames are taken one at a time, so a generator of any length will do; an odd last row or column is left out, for the
    common pixel format has none. InputError for a path that cannot be written; ValueError without frames.
    """
    count = 0
    with atomic_path(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream: VideoStream | None = None
        for frame in frames:
            pixels = _pixels(frame)
            if stream is None:
                stream = cast(
                    VideoStream, container.add_stream(_codec(path), rate=Fraction(rate).limit_denominator(1000))
                )
                (stream.height, stream.width), stream.pix_fmt = pixels.shape[:2], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            count += 1
        if stream is None:
            raise ValueError("no frames to write")
        container.mux(stream.encode())
    return count


def _pixels(frame: Tensor) -> np.ndarray:
    height, width = (side - side % 2 for side in frame.shape[-2:])
    shown = frame[:, :height, :width].detach().cpu().float().clamp(0, 1).mul(255).round()
    return np.ascontiguousarray(shown.byte().movedim(0, -1).numpy())


def _codec(path: Path | str) -> str:
    found = next((name for name in CODECS if name in av.codecs_available), None)
    if found is None:
        raise InputError(f"{path}: no video encoder in this build of PyAV; write pictures instead")
    return found
