"""Which camera took a stream: calibrated, stated, estimated from the video, or assumed, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from vode.cameras.calibration import load_calibration
from vode.cameras.lens import Camera
from vode.cameras.metadata import stated_focal
from vode.cameras.self_calibration.estimate import SelfCalibration, self_calibrate
from vode.cameras.self_calibration.options import SelfCalibrationOptions
from vode.errors import InputError
from vode.streams.recorded import RecordedStream
from vode.streams.stream import Stream

ASSUMED_DEVIATION = 0.3
"""of the logarithm, over phones, webcams, dash and action cameras"""
PARTS, LENGTH = 6, 60
"""pieces of a long recording that are looked at, and frames of each"""


class CameraOrigin(StrEnum):
    """What tells a camera, in the order in which it is asked."""

    CALIBRATION = "calibration"
    FIELD_OF_VIEW = "field of view"
    SOURCE = "source"
    """the data set, the bag, or a camera file beside the images"""
    METADATA = "metadata"
    SELF_CALIBRATION = "self-calibration"
    ASSUMPTION = "assumption"


@dataclass(frozen=True)
class FoundCamera:
    """A camera of a stream's images, and how far it is to be trusted."""

    camera: Camera
    origin: CameraOrigin
    uncertainty: float
    """standard deviation of the focal length, relative; 0 for what is given"""
    note: str
    """one line for people"""
    lens: Camera | None = None
    """that of the images as they are stored, where the stream has undistorted them"""

    @property
    def stored(self) -> Camera:
        """The camera of the images as they are stored, with its lens."""
        return self.camera if self.lens is None else self.lens


def find_camera(
    stream: Stream,
    *,
    calibration: Path | str | None = None,
    fov: float | None = None,
    images: Iterable[np.ndarray] | None = None,
    options: SelfCalibrationOptions | None = SelfCalibrationOptions(),
) -> FoundCamera:
    """The camera of a stream's images, which may have a lens that distorts.

    Asked in this order: a ``calibration`` file, which ``open_stream`` takes too, the horizontal ``fov`` in degrees, the
    stream's own camera, EXIF or the video's metadata, the video itself, an assumption. The video is looked at by
    self-calibration unless ``options`` are None: recordings in several places, of live streams ``images``, if some of
    the first ones are given.
    """
    if calibration is not None and fov is not None:
        raise InputError("both a calibration and a field of view; give one of them", "calibration", "fov")
    if calibration is not None and stream.camera_origin != str(calibration):
        if stream.undistorted:
            origin = f"opened undistorted with the camera of {stream.camera_origin}"
            raise InputError(f"{stream.name}: {origin}; open it with this calibration instead", "calibration")
        loaded = load_calibration(calibration)
        note = "; ".join((f"camera of {calibration}", *loaded.notes(stream.size)))
        return FoundCamera(loaded.camera(stream.size), CameraOrigin.CALIBRATION, 0.0, note)
    if fov is not None:
        camera = Camera.of_view(stream.size, fov, stream.pixel_aspect)
        return FoundCamera(camera, CameraOrigin.FIELD_OF_VIEW, 0.0, f"a field of view of {fov:g} degrees was given")
    if stream.camera is not None:
        origin = CameraOrigin.SOURCE if calibration is None else CameraOrigin.CALIBRATION
        return FoundCamera(stream.camera, origin, 0.0, f"camera of {stream.camera_origin}", stream.lens)
    stated = None if stream.file is None else stated_focal(stream.file, stream.size)
    if stated is not None:
        camera = camera_of_focal(stream, stated.pixels)
        note = f"focal length {stated.pixels:.0f} px by {stated.how} (within about {stated.deviation:.0%})"
        return FoundCamera(camera, CameraOrigin.METADATA, stated.deviation, note)
    if options is None or (stream.live and images is None):
        return assumed_camera(stream, "as nothing tells it")
    found = self_calibrate(_pieces(stream) if images is None else images, options)
    if not found.told:
        return assumed_camera(stream, found.reason)
    return FoundCamera(
        camera_of_focal(stream, found.focal, found.k1), CameraOrigin.SELF_CALIBRATION, found.deviation, _said(found)
    )


def camera_of_focal(stream: Stream, focal: float, k1: float = 0.0) -> Camera:
    """A camera with the principal point in the middle, and a radial-tangential lens if it distorts."""
    camera = Camera.of_focal(stream.size, focal, stream.pixel_aspect)
    return replace(camera, lens="radtan", distortion=(k1, 0.0, 0.0, 0.0)) if k1 else camera


def assumed_camera(stream: Stream, reason: str) -> FoundCamera:
    """A usual camera, and a note that it is one."""
    camera = Camera.assumed(stream.size, stream.pixel_aspect)
    note = (
        f"focal length {camera.focal[0]:.0f} px is ASSUMED, {reason}: it may be off by {ASSUMED_DEVIATION:.0%} and "
        "more, and turns and depths with it; give a calibration or a field of view"
    )
    return FoundCamera(camera, CameraOrigin.ASSUMPTION, ASSUMED_DEVIATION, note)


def _said(found: SelfCalibration) -> str:
    lens = f", k1 {found.k1:+.3f} ± {found.k1_deviation:.3f}" if found.k1 else ""
    return (
        f"focal length {found.focal:.0f} px ± {found.deviation:.1%}{lens}, estimated from the video itself "
        f"({found.pairs} pairs of frames)"
    )


def _pieces(stream: Stream) -> Iterator[np.ndarray]:
    """Images in order: all of a short recording, pieces of a long one that lie evenly in it."""
    count = stream.length or 0
    if not isinstance(stream, RecordedStream) or count <= PARTS * LENGTH:
        yield from (image for _, image in stream)
        return
    starts = np.linspace(0, count - LENGTH, PARTS).astype(int)
    for start in starts.tolist():
        yield from (stream.image(index) for index in range(start, start + LENGTH))
