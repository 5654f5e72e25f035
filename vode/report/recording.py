"""A run for the viewer of rerun: the path, the cloud, images with their depth, and numbers over time.

rerun is the extra ``viewer``; nothing of it is imported before it is used.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vode.errors import InputError
from vode.io.atomic import atomic_path
from vode.report import motion
from vode.report.cloud import read_cloud
from vode.report.record import RunRecord, read_record

if TYPE_CHECKING:
    import rerun

WIDTH = 480
"""pixels of images and depth in a recording; larger ones are shrunk to it"""
MOST_IMAGES = 300
"""frames whose images a recording has"""
MOST_POINTS = 1_000_000
"""of the cloud"""
STEPS = 1000.0
"""of a depth file in a metre, or in a unit of the path"""
REDRAWN = 50
"""how often the path is drawn anew until it is twice as long"""
QUALITY = 80
"""of JPEG"""


class Recording:
    """What a viewer shows of a run, frame by frame: into a file, or live.

    The camera comes first, then frames in their order. Images and depth may have any size of the camera's aspect.

    Args:
        name: of the run, as the viewer shows it.
        path: the file to write, which is complete when the recording is closed; None for a viewer that is opened now.
    """

    def __init__(self, name: str, path: Path | None = None) -> None:
        """InputError without the extra ``viewer``, and for a viewer where there is no display."""
        rr = _rerun()
        self._rr = rr
        self._stream: rerun.RecordingStream = rr.RecordingStream("vode")
        self._stream.send_recording_name(name)
        if path is None:
            _check_display()
            self._stream.spawn(default_blueprint=_layout())
        else:
            self._stream.save(path, default_blueprint=_layout())
        self._stream.log("world", rr.ViewCoordinates.RDF, static=True)
        self._focal: tuple[float, ...] = ()
        self._size = (0, 0)
        self._path: list[np.ndarray] = []

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left; a viewer stays open."""
        self._draw_path()
        self._stream.flush()
        self._stream.disconnect()

    def camera(self, size: tuple[int, int], intrinsics: np.ndarray) -> None:
        """The camera of all frames: ``size`` (height, width), ``intrinsics`` (3, 3) in pixels."""
        self._size, self._focal = size, tuple(float(intrinsics[i, k]) for i, k in ((0, 0), (1, 1), (0, 2), (1, 2)))

    def frame(
        self,
        index: int,
        seconds: float | None,
        pose: np.ndarray,
        *,
        image: np.ndarray | None = None,
        depth: np.ndarray | None = None,
    ) -> None:
        """A frame: ``pose`` (4, 4) world from camera, ``image`` (H, W, 3) RGB uint8, ``depth`` (H, W), 0 = unknown."""
        rr, stream = self._rr, self._stream
        stream.set_time("frame", sequence=index)
        if seconds is not None:
            stream.set_time("time", duration=seconds)
        stream.log("world/camera", rr.Transform3D(mat3x3=pose[:3, :3], translation=pose[:3, 3]))
        self._path.append(pose[:3, 3].astype(np.float32))
        # the longer it is the more rarely: what is written grows with its length alone
        if len(self._path) % max(len(self._path) // REDRAWN, 1) == 0:
            self._draw_path()
        if image is not None:
            self._pinhole(image.shape[:2])
            shrunk = _shrunk(image, cv2.INTER_AREA)
            data = cv2.imencode(".jpg", shrunk[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
            stream.log("world/camera/image", rr.EncodedImage(contents=data, media_type="image/jpeg"))
        if depth is not None:
            if image is None:
                self._pinhole(depth.shape[:2])
            # nearest: between an object and what is behind it there is nothing
            shrunk = _shrunk(np.nan_to_num(np.asarray(depth, np.float32)), cv2.INTER_NEAREST)
            steps = (shrunk * STEPS).round().clip(0, 65535).astype(np.uint16)
            data = cv2.imencode(".png", steps)[1].tobytes()
            stream.log("world/camera/image/depth", rr.EncodedDepthImage(data, media_type="image/png", meter=STEPS))

    def cloud(self, positions: np.ndarray, colors: np.ndarray) -> None:
        """Points (M, 3) of the world with colours (M, 3) uint8, at all times."""
        self._stream.log("world/cloud", self._rr.Points3D(positions, colors=colors), static=True)

    def curve(self, name: str, frames: np.ndarray, seconds: np.ndarray | None, values: np.ndarray) -> None:
        """Numbers over time (N,); those that are NaN are left out."""
        rr, known = self._rr, np.isfinite(values)
        times = [rr.TimeColumn("frame", sequence=frames[known])]
        if seconds is not None:
            times.append(rr.TimeColumn("time", duration=seconds[known]))
        self._stream.send_columns(name, indexes=times, columns=rr.Scalars.columns(scalars=values[known]))

    def _draw_path(self) -> None:
        if self._path:
            self._stream.log("world/path", self._rr.LineStrips3D([np.stack(self._path)], colors=[60, 190, 255]))

    def _pinhole(self, shape: tuple[int, ...]) -> None:
        """The camera at the size that an image of this shape is shown at."""
        if not self._focal:
            return
        height, width = _shrunk_size((shape[0], shape[1]))
        sx, sy = width / self._size[1], height / self._size[0]
        fx, fy, cx, cy = self._focal
        center = [(cx + 0.5) * sx - 0.5, (cy + 0.5) * sy - 0.5]
        pinhole = self._rr.Pinhole(
            focal_length=[fx * sx, fy * sy], principal_point=center, width=width, height=height,
            camera_xyz=self._rr.ViewCoordinates.RDF,
        )  # fmt: skip
        self._stream.log("world/camera/image", pinhole)


def write_recording(folder: Path | str) -> Path:
    """Write ``recording.rrd`` into the folder of a run and return its path.

    It holds the path, the cloud, curves of what was measured, and images with depth of at most ``MOST_IMAGES`` frames.
    It appears whole or not at all. InputError without the extra ``viewer``, and for a folder that cannot be read.
    """
    _rerun()
    record = read_record(folder)
    path = record.folder / "recording.rrd"
    with atomic_path(path) as temporary, Recording(record.folder.name, temporary) as recording:
        _fill(recording, record)
    return path


def view(folder: Path | str) -> None:
    """Open a run in rerun's viewer, a process of its own; its recording is written first where it is missing.

    InputError without the extra ``viewer``, and where there is no display.
    """
    _rerun()
    _check_display()
    path = Path(folder) / "recording.rrd"
    if not path.exists():
        write_recording(folder)
    subprocess.Popen([sys.executable, "-m", "rerun", str(path)], start_new_session=True)


def _fill(recording: Recording, record: RunRecord) -> None:
    width, height, fx, fy, cx, cy = (
        record.number("camera", key) for key in ("width", "height", "fx", "fy", "cx", "cy")
    )
    if np.isfinite([width, height, fx, fy, cx, cy]).all():
        recording.camera((int(height), int(width)), np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
    seconds = record.times - record.times[0] if record.timed and len(record) else None
    some = set(np.unique(np.linspace(0, len(record) - 1, min(len(record), MOST_IMAGES)).round().astype(int)).tolist())
    for row in range(len(record)):
        number, pictured = int(record.frames[row]), row in some
        recording.frame(
            number,
            None if seconds is None else float(seconds[row]),
            record.poses[row],
            image=_image(record.folder, number) if pictured else None,
            depth=_depth(record.folder, number) if pictured else None,
        )
    if len(record):
        yaw, pitch, roll = motion.angles(record.poses)
        curves = {
            "speed": motion.speed(record.positions, record.times),
            "height": motion.height(record.positions),
            **{"rotation/yaw": yaw, "rotation/pitch": pitch, "rotation/roll": roll},
            "scale_deviation": record.numbers["scale_deviation"],
        }
        for name, values in curves.items():
            recording.curve(f"motion/{name}", record.frames, seconds, values)
    cloud_file = record.folder / "cloud.ply"
    if cloud_file.exists():
        recording.cloud(*read_cloud(cloud_file).thinned(MOST_POINTS))


def _image(folder: Path, number: int) -> np.ndarray | None:
    """The image of a frame, RGB: that of the folder of images, or its thumbnail."""
    found = [*sorted((folder / "images").glob(f"{number:06d}.*")), folder / "thumbnails" / f"{number:06d}.jpg"]
    pixels = next((cv2.imread(str(path)) for path in found if path.exists()), None)
    return None if pixels is None else pixels[..., ::-1]


def _depth(folder: Path, number: int) -> np.ndarray | None:
    path = folder / "depth" / f"{number:06d}.png"
    steps = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.exists() else None
    return steps.astype(np.float32) / STEPS if steps is not None and steps.ndim == 2 else None


def _shrunk_size(size: tuple[int, int]) -> tuple[int, int]:
    height, width = size
    return (height, width) if width <= WIDTH else (max(round(height * WIDTH / width), 1), WIDTH)


def _shrunk(pixels: np.ndarray, interpolation: int) -> np.ndarray:
    height, width = _shrunk_size((pixels.shape[0], pixels.shape[1]))
    return pixels if width == pixels.shape[1] else cv2.resize(pixels, (width, height), interpolation=interpolation)


def _layout() -> Any:
    import rerun.blueprint as rrb

    pictures = rrb.Vertical(
        rrb.Spatial2DView(origin="world/camera/image", name="Image and depth"),
        rrb.TimeSeriesView(origin="motion", name="Motion"),
    )
    return rrb.Blueprint(
        rrb.Horizontal(rrb.Spatial3DView(origin="world", name="World"), pictures, column_shares=[2, 1])
    )


def _rerun() -> Any:
    if importlib.util.find_spec("rerun") is None:
        raise InputError("the viewer needs rerun, which is not installed; pip install 'vode[viewer]'", "view")
    import rerun

    return rerun


def _check_display() -> None:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise InputError("the viewer needs a display; open recording.rrd on a computer that has one", "view")
