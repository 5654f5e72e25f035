"""Scenes of Metashape (PhotoScan), from its export of cameras as XML.

    root/cameras.xml       sensors with their calibration, and cameras with their transform, as its "Agisoft XML"
    root/.../0001.jpg      the images, in any folder; labels of cameras may lack the suffix

A camera's transform is chunk-from-camera, x right, y down, z forward; that of its component, or of the chunk, a
similarity, goes to the world. Principal points are measured from the middle, pixel centres lie at 0.5, and P1 and P2
are OpenCV's p2 and p1 (Metashape manual, appendix D).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import torch
from torch import Tensor

from vode.cameras.lens import Camera, Lens
from vode.datasets.base import Capability
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import MappedSequence, Placed
from vode.datasets.mapped.image_finder import ImageFinder
from vode.datasets.mapped.safe_xml import read_xml
from vode.errors import InputError
from vode.geometry.pose import is_rigid
from vode.io.files import inside, visible

LENSES: Mapping[str, Lens] = {"frame": "radtan", "fisheye": "fisheye", "equidistant_fisheye": "fisheye"}
LENGTHS = ("f", "fx", "fy", "cx", "cy", "b1")
COEFFICIENTS: Mapping[Lens, tuple[str, ...]] = {
    "radtan": ("k1", "k2", "p2", "p1", "k3"),
    "fisheye": ("k1", "k2", "k3", "k4"),
}
"""what OpenCV has a formula for, in its order"""


class MetashapeSequence(MappedSequence):
    """The images of one sensor of an export; the name is the file's stem, and behind a slash, of several, the sensor's
    number. Cameras that are not aligned are left out and counted. InputError names the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str) -> None:
        stem, _, sensor = sequence.partition("/")
        path = inside(root, f"{stem}.xml")
        chunk, finder = read_chunk(path), ImageFinder(root)
        used = _used_sensors(chunk)
        if not used:
            raise InputError(f"{path}: no camera is aligned; align them in Metashape and export them again")
        if (sensor or len(used) > 1) and sensor not in used:
            there = ", ".join(f"{stem}/{number}" for number in used)
            raise InputError(f"{path}: has images of several sensors; choose one of {there}", "sequences")
        cameras = {number: _camera(path, used[number]) for number in ([sensor] if sensor else used)}
        placed, unaligned = [], 0
        for camera in chunk.iter("camera"):
            if camera.get("sensor_id") in cameras:
                pose = _pose(path, chunk, camera)
                unaligned += pose is None
                if pose is not None:
                    file = finder.find_anywhere(camera.get("label", ""))
                    placed.append(Placed(file, cameras[camera.get("sensor_id", "")], pose))
        files = [image.file for image in placed]
        double = next((file for i, file in enumerate(files) if file in files[:i]), None)
        if double is not None:
            raise InputError(f"{path}: two cameras are called {double.stem}; give their images different names")
        super().__init__(sequence, path, placed)
        if unaligned:
            self.notes += (f"{unaligned} of {len(placed) + unaligned} cameras are not aligned, and left out",)


class MetashapeDataset(Dataset):
    """A scene that Metashape has mapped, exported as XML; a sequence is what one sensor took."""

    name = "metashape"
    capabilities = frozenset({Capability.POSES, Capability.MAP})
    expects = "export of cameras (.xml)"

    def on_disk(self) -> tuple[str, ...]:
        files = (path for path in visible(self.root) if path.suffix.lower() == ".xml")
        return tuple(name for path in files for name in _names_in(path))

    def open_whole(self, name: str, camera: int) -> MetashapeSequence:
        return MetashapeSequence(self.root, name)


def read_chunk(path: Path) -> Element:
    """The chunk of an export; InputError if there is none, or several."""
    document = read_xml(path)
    chunks = document.findall("chunk")
    if document.tag != "document" or len(chunks) != 1:
        raise InputError(f"{path}: {len(chunks)} chunks of cameras; export the cameras of one chunk from Metashape")
    return chunks[0]


def _names_in(path: Path) -> list[str]:
    """The sequences of an export; of a file that cannot be read its name, under which the reason is told."""
    try:
        sensors = _used_sensors(read_chunk(path)) if read_xml(path).tag == "document" else {}
    except InputError:
        return [path.stem]
    return [path.stem] if len(sensors) == 1 else [f"{path.stem}/{number}" for number in sensors]


def _used_sensors(chunk: Element) -> dict[str, Element]:
    """The sensors that aligned cameras have, by their numbers."""
    used = {camera.get("sensor_id") for camera in chunk.iter("camera") if camera.find("transform") is not None}
    return {sensor.get("id", ""): sensor for sensor in chunk.iter("sensor") if sensor.get("id") in used}


def _camera(path: Path, sensor: Element) -> Camera:
    kind, found = sensor.get("type", "frame"), sensor.findall("calibration")
    calibration = next((c for c in found if c.get("class") == "adjusted"), found[0] if found else None)
    label = f"{path}: sensor {sensor.get('label', sensor.get('id'))}"
    if calibration is None:
        raise InputError(f"{label} has no calibration; align the cameras and export them again")
    if calibration.get("type", kind) != kind:
        raise InputError(f"{label} is a {kind} camera, but its calibration {calibration.get('type')}; export it again")
    if kind not in LENSES:
        raise InputError(f"{label} is a {kind} camera, not {' or '.join(LENSES)}; export undistorted images")
    resolution = calibration.find("resolution")
    resolution = sensor.find("resolution") if resolution is None else resolution
    try:
        values = {
            item.tag: float(item.text or 0) for item in calibration if item.tag not in ("resolution", "covariance")
        }
        width, height = (int(resolution.attrib[side]) for side in ("width", "height"))  # type: ignore[union-attr]
        fx, fy = (values[key] if key in values else values["f"] for key in ("fx", "fy"))
    except (AttributeError, KeyError, ValueError):
        raise InputError(f"{label} has no resolution and f in its calibration; export it again") from None
    lens = LENSES[kind]
    strange = [key for key, value in values.items() if value and key not in LENGTHS + COEFFICIENTS[lens]]
    if strange:
        raise InputError(
            f"{label} has {', '.join(strange)}, which is not read; fix it at 0, or export undistorted images"
        )
    # files of PhotoScan with fx have the principal point as it is
    middle = (0.0, 0.0) if "fx" in values else (width / 2, height / 2)
    centre = tuple(values.get(key, 0.0) + half - 0.5 for key, half in zip(("cx", "cy"), middle, strict=True))
    distortion = tuple(values.get(key, 0.0) for key in COEFFICIENTS[lens])
    if lens == "radtan" and not any(distortion):
        lens, distortion = "pinhole", ()
    try:
        return Camera((height, width), (fx + values.get("b1", 0.0), fy), (centre[0], centre[1]), lens, distortion)
    except InputError as error:
        raise InputError(f"{label}: {error}; export it again") from None


def _pose(path: Path, chunk: Element, camera: Element) -> Tensor | None:
    """World-from-camera (4, 4); None of a camera that is not aligned."""
    if camera.find("transform") is None:
        return None
    T_chunk_cam = _numbers(path, camera, "transform", (4, 4))
    if T_chunk_cam is None:
        return None
    component = [c for c in chunk.iter("component") if c.get("id") == camera.get("component_id")]
    similarity = next((found for place in (*component, chunk) if (found := place.find("transform")) is not None), None)
    if similarity is None:
        return T_chunk_cam
    rotation = _numbers(path, similarity, "rotation", (3, 3))
    translation, scale = _numbers(path, similarity, "translation", (3,)), _numbers(path, similarity, "scale", (1,))
    T_world_chunk = torch.eye(4, dtype=torch.float64)
    if rotation is not None:
        T_world_chunk[:3, :3] = rotation
    if not bool(is_rigid(T_world_chunk[None])):
        raise InputError(f"{path}: the transform of a chunk or component is no rotation; export it again")
    T_world_cam = T_world_chunk @ T_chunk_cam
    T_world_cam[:3, 3] *= 1.0 if scale is None else scale
    T_world_cam[:3, 3] += 0.0 if translation is None else translation
    return T_world_cam


def _numbers(path: Path, parent: Element, name: str, shape: tuple[int, ...]) -> Tensor | None:
    """The numbers in an element, None without it; InputError if they are of another number."""
    text = parent.findtext(name)
    if text is None:
        return None
    try:
        return torch.tensor([float(word) for word in text.split()], dtype=torch.float64).view(shape)
    except (ValueError, RuntimeError):
        raise InputError(f"{path}: {name} {text.strip()[:40]!r} is not {shape} numbers; export it again") from None
