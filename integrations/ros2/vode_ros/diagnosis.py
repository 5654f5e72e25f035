"""What the node says of itself: a diagnosis of each image, and lines that are said once."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from vode.odometry.result import FrameResult, Method
from vode_ros.uncertainty import DOUBTFUL


class Level(IntEnum):
    """Those of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


class Counts(NamedTuple):
    """Images since the node began."""

    tracked: int = 0
    refused: int = 0
    """that could not be used"""
    dropped: int = 0
    """that newer ones replaced before anyone had time for them"""


class Diagnosis(NamedTuple):
    """The content of a DiagnosticStatus."""

    level: Level
    message: str
    values: dict[str, str]


def diagnosis(result: FrameResult, seconds: float, counts: Counts) -> Diagnosis:
    """That of an image, which took ``seconds``."""
    level = Level.WARN if result.method in DOUBTFUL else Level.OK
    words = result.describe()
    values = {
        "frame": str(result.index),
        "method": str(result.method),
        "reason": "" if result.reason is None else str(result.reason),
        "inliers": str(result.inliers),
        "parallax": f"{result.parallax:.2f}",
        "scale_deviation": "" if result.scale_deviation is None else f"{result.scale_deviation:.3f}",
        "covariance": COVARIANCES[result.method],
        "seconds": f"{seconds:.3f}",
    }
    return Diagnosis(level, f"{result.method}: {words}" if words else str(result.method), values | _counted(counts))


def refusal(reason: str, counts: Counts) -> Diagnosis:
    """That of an image that could not be used."""
    return Diagnosis(Level.ERROR, reason, _counted(counts))


def silence(topic: str, counts: Counts) -> Diagnosis:
    """That of a time without images."""
    return Diagnosis(Level.STALE, f"no image on {topic}; check its publisher and remapping", _counted(counts))


COVARIANCES = {
    Method.START: "pose exact where odom begins; twist unknown",
    Method.ESSENTIAL: "length as the tracker says; direction and rotation by its drift model",
    Method.PNP: "length as last known; direction and rotation by the drift model",
    Method.NETWORK: "all by the drift model",
    Method.ROTATION: "translation not found: ten times the drift model's deviations",
    Method.REPEATED: "no new image: ten times the drift model's deviations",
    Method.EXTRAPOLATED: "nothing tells the motion: twist unknown; pose grows ten, if lost a thousand times as fast",
}
"""where the covariances of a method come from"""


class Once:
    """Lines that are not repeated while nothing else is said."""

    def __init__(self) -> None:
        self._last = ""

    def new(self, line: str) -> bool:
        """Whether this is another line than the one before."""
        self._last, before = line, self._last
        return line != before


def _counted(counts: Counts) -> dict[str, str]:
    return {name: str(value) for name, value in counts._asdict().items()}
