"""A stream from whatever a person names: a file, a folder, a pattern, a data set, a bag, a webcam, an address."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

from vode.cameras.calibration import load_calibration
from vode.datasets.base import ImageSequence
from vode.datasets.folder import FolderSequence, camera_file, image_files
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.datasets.tum import has_camera, listed_images
from vode.errors import InputError
from vode.io.image import IMAGE_SUFFIXES
from vode.streams.bag import BagStream, is_bag
from vode.streams.frames import Frames
from vode.streams.layouts import Layout, find_layout
from vode.streams.network import is_address, open_address
from vode.streams.options import StreamOptions
from vode.streams.recorded import RecordedStream, stream_frames, stream_sequence
from vode.streams.stream import Stream, StreamKind
from vode.streams.webcam import open_webcam, webcam_number

_PATTERN = re.compile(r"[*?\[]")


def open_stream(
    address: Path | str, *, calibration: Path | str | None = None, options: StreamOptions = StreamOptions()
) -> Stream:
    """The images of an address, in order, with their times and, if anything tells it, their camera.

    An address is a video file, an image, a folder of images or a pattern for their names (walk/*_rgb.png), a sequence
    of KITTI, TUM RGB-D or 7-Scenes, a bag of ROS 1 or 2, a webcam (0 or /dev/video0), or rtsp://, http://, udp:// ...
    With a ``calibration``, or one beside files, images of files come undistorted and as they are stored, else as
    viewers show them. InputError, one line, names what is wrong and the remedy.
    """
    address, file = str(address), None if calibration is None else Path(calibration)
    if not address.strip():
        raise InputError("the source has no name; name a video, a folder of images, a webcam's number or an address")
    if not 0 < options.timeout < float("inf"):
        raise InputError(f"a timeout of {options.timeout:g} seconds; give a number above 0", "timeout")
    number = webcam_number(address)
    if number is not None:
        return _calibrated(open_webcam(number, options), file, options)
    if is_address(address):
        return _calibrated(open_address(address, options), file, options)
    path = Path(address)
    if not path.exists() and _PATTERN.search(address):
        path, options = _folder_and_pattern(path, options)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if is_bag(path):
        return _calibrated(BagStream(path, options), file, options)
    layout = find_layout(path, options.camera) if path.is_dir() and options.pattern is None else None
    # a calibration of one's own belongs to a folder of images, whatever it is part of
    if layout is not None and (file is None or layout.whole or layout.dataset == "tum"):
        return _open_layout(layout, file, options)
    return _open_files(path, file, options)


def _calibrated(stream: Stream, calibration: Path | None, options: StreamOptions) -> Stream:
    """The stream with the camera of a file, if one is given, in the place of its own; images stay as they are."""
    if calibration is not None:
        try:
            loaded = load_calibration(calibration, options.camera)
            stream.camera, stream.camera_origin = loaded.camera(stream.size), str(calibration)
        except BaseException:
            stream.close()
            raise
        stream.notes += loaded.notes(stream.size)
    return stream


def _folder_and_pattern(path: Path, options: StreamOptions) -> tuple[Path, StreamOptions]:
    if _PATTERN.search(str(path.parent)):
        raise InputError(f"{path}: a pattern for folders; give one for the names of images in one folder")
    if options.pattern is not None:
        raise InputError(f"{path}: two patterns, this one and {options.pattern}; leave one of them", "pattern")
    return path.parent, replace(options, pattern=path.name)


def _open_layout(layout: Layout, calibration: Path | None, options: StreamOptions) -> RecordedStream:
    folder = layout.root / layout.sequence
    if layout.dataset == "tum" and calibration is None and not has_camera(folder):
        times, images, notes = listed_images(folder, "rgb.txt")
        stream = stream_frames(Frames(folder, files=images), layout.sequence, options.rate, times.tolist())
        stream.notes += notes
        return stream
    cameras = () if layout.camera is None else (layout.camera,)
    where = DataOptions(layout.dataset, layout.root, camera=cameras, calibration=calibration)
    sequence = cast(ImageSequence, open_dataset(where).open(layout.sequence))
    origin = f"the data set, {layout.dataset}" if calibration is None else str(calibration)
    return stream_sequence(sequence, StreamKind.DATASET, options.rate, origin)


def _open_files(path: Path, calibration: Path | None, options: StreamOptions) -> RecordedStream:
    """A video, a folder of images or one image; undistorted if a camera file is given or found beside."""
    if path.is_dir():
        image_files(path, options.pattern)
    name, pattern, is_file = path.stem if path.is_file() else path.resolve().name, options.pattern, path.is_file()
    found = calibration or (camera_file(path.parent, path.name) if is_file else camera_file(path, name))
    if found is None:
        return stream_frames(Frames(path, pattern=pattern), name, options.rate)
    if is_file and path.suffix.lower() in IMAGE_SUFFIXES:
        path, name, pattern, is_file = path.parent, path.parent.resolve().name, path.name, False
    sequence = FolderSequence(path, name, options.camera, calibration=found, pattern=pattern)
    kind = StreamKind.VIDEO if is_file else StreamKind.IMAGES
    stream = stream_sequence(sequence, kind, options.rate, str(found))
    stream.file, stream.lens = path if is_file else stream.file, sequence.lens
    return stream
