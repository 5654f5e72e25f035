"""What the tracker says about each frame: data for programs, and the one place that makes prose of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from torch import Tensor


class Method(StrEnum):
    """How the pose of a frame was found, the best first."""

    START = "start"
    """the world begins here; so do frames before the first that shows something"""
    ESSENTIAL = "essential"
    """essential matrix or homography, its translation scaled by the depth"""
    PNP = "pnp"
    """perspective-n-point on the depth"""
    NETWORK = "network"
    """a pose network's motion, as it is"""
    ROTATION = "rotation"
    """rotation from two views, translation zero"""
    EXTRAPOLATED = "extrapolated"
    """constant velocity: nothing told the motion"""
    REPEATED = "repeated"
    """the same image again: the same pose"""


class Reason(StrEnum):
    """What kept a better method from being taken."""

    UNREADABLE = "unreadable"
    BLANK = "blank"
    SAME_IMAGE = "same_image"
    NO_TWO_VIEW_MOTION = "no_two_view_motion"
    AT_REST = "at_rest"
    PURE_ROTATION = "pure_rotation"
    UNRELIABLE_TRANSLATION = "unreliable_translation"
    SHORT_BASELINE = "short_baseline"
    """points that tracks know tell a small motion better than two views"""
    UNKNOWN_SCALE = "unknown_scale"
    ASSUMED_SCALE = "assumed_scale"
    """without depth: the length of the motion is that of the last one, or one unit at the start"""


PROSE = {
    Reason.UNREADABLE: "the image cannot be read",
    Reason.BLANK: "the image is black, or of one colour",
    Reason.SAME_IMAGE: "the image is that of frame {reference}",
    Reason.NO_TWO_VIEW_MOTION: "two views find no motion",
    Reason.AT_REST: "the camera is at rest",
    Reason.PURE_ROTATION: "the camera only rotates",
    Reason.UNRELIABLE_TRANSLATION: "two views do not determine the translation",
    Reason.SHORT_BASELINE: "the camera moved too little for two views to tell how far points are",
    Reason.UNKNOWN_SCALE: "the depth does not determine the scale",
    Reason.ASSUMED_SCALE: "the length is that of the last motion, or one unit at the start",
}


@dataclass(frozen=True)
class Details:
    """What else is known about the motion of a frame."""

    reference: int | None = None
    """the frame that the motion starts from: the last one before it that shows something; None at the start"""
    pnp_failed: bool = False
    """PnP was tried and found no pose"""
    late: float | None = None
    """time since the reference in median steps between frames, where it is longer than the frames in between explain"""
    message: str = ""
    """what reading the image said, where it failed"""


class DepthLevel(NamedTuple):
    """How depth compares with the trajectory, by all that was known when a frame came."""

    factor: float
    """what depth is to be multiplied by to fit the trajectory"""
    deviation: float
    """relative standard deviation of the factor"""


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Pose of one frame as it was estimated when the frame came, and how."""

    index: int
    timestamp: float | None
    """seconds"""
    pose: np.ndarray | Tensor
    """(4, 4) float64 world-from-camera, in the unit of the depth; later frames may correct it"""
    method: Method
    reason: Reason | None
    """None for the best method"""
    details: Details
    inliers: int
    """correspondences that the motion explains"""
    parallax: float
    """median over the inliers, pixels beyond the rotation"""
    scale_deviation: float | None
    """relative standard deviation of the length of the translation, where it is known"""
    changed: Sequence[int]
    """earlier frames whose poses were corrected just now, in their order"""
    depth_level: DepthLevel | None = None
    """None where depth is taken as it is, or has told no length yet"""

    def describe(self) -> str:
        """The reason and the details in words, empty for a frame that needs none."""
        reference = self.details.reference
        words = [] if self.reason is None else [PROSE[self.reason].format(reference=reference)]
        if self.details.message:
            words.append(self.details.message)
        if self.details.pnp_failed:
            words.append("PnP finds no pose")
        if reference is not None and self.index - reference > 1 and self.method is not Method.REPEATED:
            words.append(f"from frame {reference}")
        if self.details.late is not None:
            words.append(f"{self.details.late:.1f} median steps of time after it")
        return ", ".join(words)


def in_order(frames: Iterable[int]) -> Sequence[int]:
    """Numbers of frames in their order: a range where none is left out, as every frame may correct a hundred others."""
    numbers = tuple(sorted({*frames}))
    gapless = numbers and numbers[-1] - numbers[0] + 1 == len(numbers)
    return range(numbers[0], numbers[-1] + 1) if gapless else numbers


def log_lines(results: Sequence[FrameResult]) -> str:
    """JSON lines, one a frame: how its pose was found, and why not by a better method."""
    rows = []
    for result in results:
        row = {"frame": result.index, "method": result.method, "reason": result.reason} | asdict(result.details)
        row |= {name: getattr(result, name) for name in ("inliers", "parallax", "scale_deviation")}
        rows.append(json.dumps(row, allow_nan=False) + "\n")
    return "".join(rows)


def extrapolated(results: Sequence[FrameResult]) -> list[str]:
    """A line for each frame whose motion nothing told."""
    return [f"frame {x.index}: {x.describe()}" for x in results if x.method is Method.EXTRAPOLATED]


def summary(results: Sequence[FrameResult]) -> str:
    """How many motions, of all frames but the first, were found by which method."""
    counts = Counter(result.method for result in results[1:])
    return f"{len(results[1:])} motions: " + ", ".join(f"{n} {method}" for method, n in counts.most_common())
