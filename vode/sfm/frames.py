"""Selection of the frames that a scene is built from: evenly spaced, the sharpest of each stretch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from vode.datasets.folder import FolderSequence, camera_file, names_in
from vode.errors import InputError
from vode.io.image import encode
from vode.sfm.options import FrameOptions

WIDTH = 640
"""width in pixels to which larger images are reduced for measuring sharpness"""
QUALITY = 95
"""quality of the JPEGs that are written"""
FEWEST = 3
"""smallest number of frames that can be mapped"""


class Frames(NamedTuple):
    """The frames taken from a video."""

    numbers: tuple[int, ...]
    """frame numbers in the video"""
    size: tuple[int, int]
    """(height, width)"""
    intrinsics: np.ndarray | None
    """(3, 3) pixels, centres at integers; None if the camera is unknown"""
    blur: float
    """median width of edges over the frames, pixels"""


def open_video(video: Path, options: FrameOptions) -> tuple[FolderSequence, bool]:
    """A video or folder of images, and whether its camera is known; InputError if it is not a single sequence."""
    names = names_in(video, options.pattern)
    if len(names) != 1:
        found = f"{len(names)} videos and folders of images in it" if names else "no images or videos in it"
        raise InputError(f"{video}: {found}; name one video, or one folder of images")
    # A folder may also contain a single video or folder of images.
    name = video.name if video.is_file() else names[0]
    known = bool(options.fov or options.calibration or camera_file(video, name))
    # Images of an unknown camera stay unchanged, for which any field of view will do.
    fov = options.fov if known else 90.0
    sequence = FolderSequence(
        video, name, calibration=options.calibration, fov=fov, rotate=options.rotate, pattern=options.pattern
    )
    return sequence, known


def take_frames(
    video: Path, options: FrameOptions, folder: Path, on_progress: Callable[[str], None] = lambda line: None
) -> Frames:
    """Write the frames into a folder, each named by its number, as 000000.jpg.

    The frame with the narrowest edges is taken from each stretch of ``step`` frames. InputError names the video and
    the problem.
    """
    sequence, known = open_video(video, options)
    if not known and sequence.intrinsics[0, 0] != sequence.intrinsics[1, 1]:
        square = "its pixels are not square, which mapping cannot find out; give the field of view or a calibration"
        raise InputError(f"{video}: {square}", "fov", "calibration")
    numbers = range(len(sequence))[options.start : options.end]
    step = options.step if options.step is not None else max(round(len(numbers) / max(options.frames, 1)), 1)
    if min(step, options.frames) < 1 or min(options.start, options.end or 0) < 0:
        bounds = "the step and the number of frames must be 1 or more, start and end 0 or more"
        raise InputError(bounds, "step", "frames", "start", "end")
    stretches = [numbers[at : at + step] for at in range(0, len(numbers), step)]
    if len(stretches) < FEWEST:
        raise InputError(
            f"{video}: {len(stretches)} frames, of {len(sequence)} in it, are too few to map; "
            "take more by another start, end or step",
            "start",
            "end",
            "step",
        )
    on_progress(f"choosing {len(stretches)} of {len(numbers)} frames")
    taken, blurs = [], []
    for stretch in stretches:
        best = np.inf
        for number in stretch:
            pixels = _eight_bits(sequence.pixels(number))
            width = edge_width(pixels)
            # The first of a stretch is taken if none has any edges.
            if number == stretch[0] or width < best:
                best, chosen, sharpest = width, number, pixels
        encode(folder / f"{chosen:06d}.jpg", cv2.cvtColor(sharpest, cv2.COLOR_RGB2BGR), sync=False, quality=QUALITY)
        taken.append(chosen)
        blurs.append(best)
    intrinsics = sequence.intrinsics.double().numpy() if known else None
    return Frames(tuple(taken), sequence.size, intrinsics, float(np.median(blurs)))


def edge_width(pixels: np.ndarray) -> float:
    """Width of the edges of an 8-bit image (H, W, 3) in pixels; infinite if there are none.

    The root mean square of the gradient over that of the Laplacian: edges blurred by a Gaussian of s pixels give
    1.4 s, whatever their contrast.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height = max(round(grey.shape[0] * WIDTH / grey.shape[1]), 1)
    if grey.shape[1] > WIDTH:
        grey = cv2.resize(grey, (WIDTH, height), interpolation=cv2.INTER_AREA)
    # Noise, which would count as very narrow edges, is smoothed first.
    grey = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
    gradient, laplacian = float((x * x + y * y).mean()), float(np.square(cv2.Laplacian(grey, cv2.CV_32F)).mean())
    return (gradient / laplacian) ** 0.5 if laplacian > 1e-12 else np.inf


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else (pixels // 257).astype(np.uint8)
