"""What the tests of several readers share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.base import Sequence
from vode.geometry import warp
from vode.geometry.camera import project, rays, transform
from vode.geometry.pose import inverse
from vode.io.image import write_image


def _disagreement(sequence: Sequence, i: int, j: int) -> float:
    """Median relative difference of the depth of frame j and that of frame i carried there by the poses."""
    T_j_i = (inverse(sequence.poses[j]) @ sequence.poses[i]).float()
    depth, there = sequence.depth(i), sequence.depth(j)
    height, width = sequence.size
    grid = warp.flow_target(torch.zeros(1, 2, height, width))[0].flatten(1).T
    points = transform(T_j_i, rays(grid, sequence.intrinsics) * depth.flatten()[:, None])
    pixels, z = project(points, sequence.intrinsics)
    inside = warp.inside(pixels.T.view(1, 2, height, width), sequence.size).flatten()
    known = (depth.flatten() > 0) & inside & (z > 0)
    column, row = pixels[known].round().long().unbind(-1)
    measured = there[0][row, column]
    return float((z[known][measured > 0] / measured[measured > 0] - 1).abs().median())


@pytest.fixture(scope="session")
def disagreement() -> Callable[[Sequence, int, int], float]:
    return _disagreement


class Scene(NamedTuple):
    """A mapped scene, to be written as tools export it: one pinhole camera, and its pose at each image."""

    names: list[str]
    """in the order that files are to have them"""
    T_world_cam: np.ndarray
    """(N, 4, 4), x right, y down, z forward"""
    size: tuple[int, int]
    focal: float
    centre: tuple[float, float]
    """pixel centres at integers"""


GL = np.diag([1.0, -1, -1, 1])
"""OpenGL's axes of a camera"""


def _colmap(root: Path, scene: Scene) -> None:
    model, lines = root / "sparse" / "0", []
    model.mkdir(parents=True)
    cx, cy = np.add(scene.centre, 0.5)
    height, width = scene.size
    (model / "cameras.txt").write_text(f"1 PINHOLE {width} {height} {scene.focal} {scene.focal} {cx} {cy}\n")
    for number, (name, pose) in enumerate(zip(scene.names, scene.T_world_cam, strict=True), start=1):
        T_cam_world = np.linalg.inv(pose)
        x, y, z, w = Rotation.from_matrix(T_cam_world[:3, :3]).as_quat()
        lines.append(" ".join(map(repr, map(float, (w, x, y, z, *T_cam_world[:3, 3])))))
        lines[-1] = f"{number} {lines[-1]} 1 {name}\n\n"
    (model / "images.txt").write_text("".join(lines))


def _transforms(root: Path, scene: Scene) -> None:
    """As nerfstudio has it: the world turned, and how."""
    applied, (height, width) = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]]), scene.size
    frames = [
        {"file_path": f"images/{name}", "transform_matrix": (applied @ pose @ GL).tolist()}
        for name, pose in zip(scene.names, scene.T_world_cam, strict=True)
    ]
    camera = {"fl_x": scene.focal, "fl_y": scene.focal, "w": width, "h": height, "camera_model": "OPENCV"}
    camera |= dict(zip(("cx", "cy"), np.add(scene.centre, 0.5).tolist(), strict=True))
    content = {**camera, "applied_transform": applied[:3].tolist(), "frames": frames}
    (root / "transforms.json").write_text(json.dumps(content))


def _realitycapture(root: Path, scene: Scene) -> None:
    rows = ["#cameras 3\n#name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2"]
    longer, middle = max(scene.size), np.subtract(scene.size[::-1], 1) / 2
    px, py = (np.array(scene.centre) - middle) / longer
    for name, pose in zip(scene.names, scene.T_world_cam, strict=True):
        r = (pose @ GL)[:3, :3]
        # of Rz(-heading) Rx(pitch) Ry(roll)
        heading, pitch, roll = -np.arctan2(-r[0, 1], r[1, 1]), np.arcsin(r[2, 1]), np.arctan2(-r[2, 0], r[2, 2])
        numbers = [*pose[:3, 3], *np.degrees([heading, pitch, roll]), scene.focal * 36 / longer, px, py, *[0] * 6]
        rows.append(",".join([name, *(repr(float(number)) for number in numbers)]))
    (root / "cameras.csv").write_text("\n".join(rows) + "\n")


def _metashape(root: Path, scene: Scene) -> None:
    """With a chunk that a similarity brings to the world, and labels without suffix."""
    turn, shift, scale = Rotation.from_euler("xyz", [20, -50, 110], degrees=True).as_matrix(), (5.0, -3, 2), 2.5
    (height, width), cameras = scene.size, []
    for number, (name, pose) in enumerate(zip(scene.names, scene.T_world_cam, strict=True)):
        chunk = np.eye(4)
        chunk[:3, :3], chunk[:3, 3] = turn.T @ pose[:3, :3], turn.T @ (pose[:3, 3] - shift) / scale
        text, label = " ".join(map(repr, chunk.ravel().tolist())), name.rpartition(".")[0]
        head = f'<camera id="{number}" sensor_id="0" component_id="0" label="{label}">'
        cameras.append(f"{head}<transform>{text}</transform></camera>")
    cx, cy = np.array(scene.centre) + 0.5 - np.array([width, height]) / 2
    numbers = " ".join(map(repr, turn.ravel().tolist()))
    (root / "cameras.xml").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><document version="2.0.0"><chunk label="Chunk 1"><sensors>'
        f'<sensor id="0" type="frame"><resolution width="{width}" height="{height}"/><calibration class="adjusted">'
        f'<resolution width="{width}" height="{height}"/><f>{scene.focal}</f><cx>{cx}</cx><cy>{cy}</cy></calibration>'
        f'</sensor></sensors><components><component id="0"><transform><rotation locked="1">{numbers}</rotation>'
        f"<translation>{shift[0]} {shift[1]} {shift[2]}</translation><scale>{scale}</scale></transform></component>"
        f"</components><cameras><group>{''.join(cameras)}</group></cameras></chunk></document>"
    )


def _bundler(root: Path, scene: Scene) -> None:
    """With one point, that all images see, and another image, which is not mapped."""
    lines = [f"# Bundle file v0.3\n{len(scene.names) + 1} 1"]
    for pose in scene.T_world_cam:
        T_cam_world = np.linalg.inv(pose @ GL)
        lines.append(f"{scene.focal} 0 0")
        lines += [" ".join(map(repr, row)) for row in [*T_cam_world[:3, :3].tolist(), T_cam_world[:3, 3].tolist()]]
    views = " ".join(f"{i} {i} 0.0 0.0" for i in range(len(scene.names)))
    lines += ["0 0 0"] * 5 + ["0.5 0.25 9", "9 9 9", f"{len(scene.names)} {views}"]
    (root / "bundle").mkdir()
    (root / "bundle" / "bundle.out").write_text("\n".join(lines) + "\n")
    (root / "list.txt").write_text("".join(f"{name} 0 {scene.focal}\n" for name in [*scene.names, "lost.png"]))


def _polycam(root: Path, scene: Scene) -> None:
    folder, (height, width) = root / "keyframes" / "corrected_cameras", scene.size
    folder.mkdir(parents=True)
    (root / "images").rename(root / "keyframes" / "corrected_images")
    cx, cy = np.add(scene.centre, 0.5)
    for name, pose in zip(scene.names, scene.T_world_cam, strict=True):
        content = {f"t_{i}{j}": float((pose @ GL)[i, j]) for i in range(3) for j in range(4)}
        content |= {"fx": scene.focal, "fy": scene.focal, "cx": cx, "cy": cy, "width": width, "height": height}
        (folder / f"{name.rpartition('.')[0]}.json").write_text(json.dumps(content))


EXPORTS = {
    **{"colmap": _colmap, "transforms": _transforms, "realitycapture": _realitycapture, "metashape": _metashape},
    **{"bundler": _bundler, "polycam": _polycam},
}


@pytest.fixture(scope="session")
def export_scene() -> Callable[..., Scene]:
    """Writes the same scene as a tool does, with images of which each is brighter than the one before."""

    def export(tool: str, root: Path, count: int = 3, size: tuple[int, int] = (12, 16)) -> Scene:
        height, width = size
        # of Bundler the principal point is always in the middle
        centre = ((width - 1) / 2, (height - 1) / 2) if tool == "bundler" else (width * 0.55, height * 0.45)
        poses = np.tile(np.eye(4), (count, 1, 1))
        angles = [(80 + 3 * k, 10 - 7 * k, 30 + 11 * k) for k in range(count)]
        poses[:, :3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
        poses[:, :3, 3] = [(0.3 * k, 1 - 0.1 * k * k, 0.8 * k) for k in range(count)]
        (root / "images").mkdir(parents=True)
        for k in range(count):
            write_image(root / "images" / f"frame{k + 8}.png", torch.full((3, *size), (k + 1) / (count + 1)))
        # as text and not as numbers, backwards
        order = sorted(range(count), key=lambda k: str(k + 8), reverse=True)
        scene = Scene([f"frame{k + 8}.png" for k in order], poses[order], size, 1.25 * width, centre)
        EXPORTS[tool](root, scene)
        return Scene([f"frame{k + 8}.png" for k in range(count)], poses, *scene[2:])

    return export
