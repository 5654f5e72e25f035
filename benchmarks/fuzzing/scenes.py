"""Small valid folders of data sets, each in a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import h5py
import numpy as np
import scipy.io
import torch

from vode.cameras.lens import Camera
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.datasets.options import DataOptions
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image
from vode.pipelines.options import CopyOptions
from vode.pipelines.prepare import prepare_copy
from vode.reconstruction.colmap_files import ModelPoints, PosedImage, write_colmap
from vode.reconstruction.transforms_file import TransformFrame, write_transforms

SIZE = 24, 32
CAMERA = Camera(SIZE, (30.0, 30.0), (15.5, 11.5))
QUATERNIONS = ("1 0 0 0", "0.9998 0 0.02 0", "0.9992 0 0.04 0")
DRIVE = "2011_09_26_drive_0002"
IDENTITY = "1 0 0 0 1 0 0 0 1"


def pose(k: float) -> torch.Tensor:
    """The k-th pose (4, 4) of a camera that moves forward and turns."""
    T, angle = torch.eye(4, dtype=torch.float64), torch.tensor(0.04 * k, dtype=torch.float64)
    T[0, 0] = T[2, 2] = angle.cos()
    T[0, 2], T[2, 0] = angle.sin(), -angle.sin()
    T[:3, 3] = torch.tensor([0.1 * k, 0.0, 0.8 * k])
    return T


def picture(k: int, size: tuple[int, int] = SIZE) -> torch.Tensor:
    """An image (3, H, W) of grey level k."""
    return torch.full((3, *size), 0.1 + 0.1 * k)


def images(folder: Path, count: int = 3) -> list[str]:
    """Images as files; their names."""
    folder.mkdir(parents=True)
    names = [f"frame{k + 8}.png" for k in range(count)]
    for k, name in enumerate(names):
        write_image(folder / name, picture(k))
    return names


def kitti_odometry(root: Path) -> None:
    """One sequence with poses, depth and flow."""
    depths = [torch.full((1, *SIZE), 5.0)] * 3
    flows = [(torch.ones(2, *SIZE), torch.ones(1, *SIZE))] * 2
    truth = GroundTruth(torch.stack([pose(k) for k in range(3)]), depths, flows)
    frames, times = map(picture, range(3)), torch.arange(3.0) / 10
    write_kitti_sequence(root / "one", "00", 2, frames, torch.from_numpy(CAMERA.matrix).double(), times, truth)


def kitti_raw(root: Path) -> None:
    """A drive of the Eigen lists with GPS, lidar and calibration."""
    date = root / "one" / DRIVE[:10]
    drive = date / f"{DRIVE}_sync"
    for folder in ("image_02/data", "oxts/data", "velodyne_points/data"):
        (drive / folder).mkdir(parents=True)
    camera = "30 0 15.5 4.5 0 30 11.5 0.2 0 0 1 0.003"
    (date / "calib_cam_to_cam.txt").write_text(
        f"calib_time: 09-Jan-2012 13:57:47\nR_rect_00: {IDENTITY}\nS_rect_02: 32 24\nP_rect_02: {camera}\n"
    )
    (date / "calib_velo_to_cam.txt").write_text("R: 0 -1 0 0 0 -1 1 0 0\nT: 0.02 -0.07 -0.27\n")
    (date / "calib_imu_to_velo.txt").write_text(f"R: {IDENTITY}\nT: -0.81 0.32 -0.8\n")
    lines = []
    for k in range(3):
        name = f"{k:010d}"
        write_image(drive / "image_02" / "data" / f"{name}.png", picture(k))
        values = " ".join(map(str, [49 + 1e-5 * k, 8.4, 110, 0.01, 0.02, 0.03 * k, *[0.0] * 19]))
        (drive / "oxts" / "data" / f"{name}.txt").write_text(values + " 4 11 6 6 6\n")
        points = np.array([[10, y, 0.1 * y, 0.5] for y in range(-3, 4)], "<f4")
        (drive / "velodyne_points" / "data" / f"{name}.bin").write_bytes(points.tobytes())
        lines.append(f"2011-09-26 13:02:{25 + 0.1 * k:012.9f}")
    (drive / "image_02" / "timestamps.txt").write_text("\n".join(lines))


def kitti_stereo(root: Path) -> None:
    """A scene of KITTI 2015 with disparity, flow and calibration."""
    folder = root / "one"
    for name in ("image_2", "disp_occ_0", "flow_occ", "calib_cam_to_cam"):
        (folder / name).mkdir(parents=True)
    for k in (10, 11):
        write_image(folder / "image_2" / f"000000_{k}.png", picture(k - 10))
    write_depth(folder / "disp_occ_0" / "000000_10.png", torch.full((1, *SIZE), 8.0))
    write_flow(folder / "flow_occ" / "000000_10.png", torch.ones(2, *SIZE), torch.ones(1, *SIZE))
    (folder / "calib_cam_to_cam" / "000000.txt").write_text(
        "P_rect_02: 30 0 15.5 4.5 0 30 11.5 0.2 0 0 1 0.003\nP_rect_03: 30 0 15.5 -10.5 0 30 11.5 2 0 0 1 0.003\n"
    )


def tum(root: Path) -> None:
    """A sequence with depth and ground truth."""
    folder = root / "one" / "rgbd_dataset_freiburg1_test"
    (folder / "rgb").mkdir(parents=True)
    (folder / "depth").mkdir()
    for k in range(3):
        write_image(folder / "rgb" / f"{100 + k / 10:.6f}.png", picture(k))
        write_depth(folder / "depth" / f"{100 + k / 10:.6f}.png", torch.full((1, *SIZE), 2.0), unit=5000)
    for kind in ("rgb", "depth"):
        lines = (f"{100 + k / 10:.6f} {kind}/{100 + k / 10:.6f}.png\n" for k in range(3))
        (folder / f"{kind}.txt").write_text("# colour\n" + "".join(lines))
    rows = (f"{99.95 + 0.02 * k:.3f} {0.01 * k} 2 3 0 0 0 1\n" for k in range(20))
    (folder / "groundtruth.txt").write_text("".join(rows))


def seven_scenes(root: Path) -> None:
    """A scene of one sequence."""
    folder = root / "one" / "seq-01"
    folder.mkdir(parents=True)
    for name in ("TrainSplit.txt", "TestSplit.txt"):
        (root / "one" / name).write_text("sequence1\n")
    for k in range(3):
        stem = f"frame-{k:06d}"
        write_image(folder / f"{stem}.color.png", picture(k, (480, 640)))
        write_depth(folder / f"{stem}.depth.png", torch.full((1, 480, 640), 2.0), unit=1000)
        text = "\n".join(" ".join(map(str, row)) for row in pose(k).tolist())
        (folder / f"{stem}.pose.txt").write_text(text + "\n")


def nyu(root: Path) -> None:
    """The labelled file with two small images is refused, so it has two of the right size, compressed."""
    folder = root / "one"
    folder.mkdir()
    with h5py.File(folder / "nyu_depth_v2_labeled.mat", "w") as archive:
        archive.create_dataset("images", data=np.zeros((2, 3, 640, 480), np.uint8), compression="gzip")
        archive.create_dataset("depths", data=np.ones((2, 640, 480), np.float32), compression="gzip")
    scipy.io.savemat(folder / "splits.mat", {"testNdxs": np.array([[1], [2]])})


def nyu_raw(root: Path) -> None:
    """Raw images of a scene."""
    folder = root / "one" / "kitchen_0001"
    folder.mkdir(parents=True)
    for k in range(2):
        cv2.imwrite(str(folder / f"r-{100 + k}.5-1316138413.ppm"), np.full((480, 640, 3), 50 * k, np.uint8))


def colmap(root: Path) -> None:
    """A binary model and a text model."""
    names = images(root / "binary" / "images")
    seen = ModelPoints(
        np.array([[0.1, 0.2, 5.0], [0.3, -0.2, 6.0]]),
        np.zeros((2, 3), np.uint8),
        np.zeros(2),
        np.array([0, 1, 2, 0]),
        np.array([0, 0, 0, 1]),
        np.full((4, 2), 5.0),
    )
    write_colmap(root / "binary" / "sparse" / "0", CAMERA, [PosedImage(n, pose(k)) for k, n in enumerate(names)], seen)
    images(root / "text" / "images")
    model = root / "text" / "sparse" / "0"
    model.mkdir(parents=True)
    (model / "cameras.txt").write_text("1 OPENCV 32 24 30 30 16 12 0.1 0.01 0 0\n")
    rows = (f"{k + 1} {QUATERNIONS[k]} {k} 0 0 1 {n}\n10 10 1 12 8 -1\n" for k, n in enumerate(names))
    (model / "images.txt").write_text("# images\n" + "".join(rows))
    (model / "points3D.txt").write_text("1 0.1 0.2 5 10 20 30 0.5 1 0 2 0 3 0\n")


def transforms(root: Path) -> None:
    """As nerfstudio has it."""
    names = images(root / "one" / "images")
    frames = [TransformFrame(f"images/{name}", None, pose(k)) for k, name in enumerate(names)]
    write_transforms(root / "one" / "transforms.json", CAMERA, frames, {"applied_transform": pose(1)[:3].tolist()})


def realitycapture(root: Path) -> None:
    """A table of registrations."""
    rows = ["#cameras 3\n#name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2"]
    for k, name in enumerate(images(root / "one" / "images")):
        rows.append(f"{name},{k},0,0.5,{10 * k},5,1,35,0.01,0.02,0,0,0,0,0,0")
    (root / "one" / "cameras.csv").write_text("\n".join(rows) + "\n")


def metashape(root: Path) -> None:
    """A chunk with one sensor."""
    cameras = "".join(
        f'<camera id="{k}" sensor_id="0" component_id="0" label="{name.partition(".")[0]}">'
        f"<transform>{' '.join(map(str, pose(k).ravel().tolist()))}</transform></camera>"
        for k, name in enumerate(images(root / "one" / "images"))
    )
    (root / "one" / "cameras.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><document version="2.0.0"><chunk label="Chunk 1"><sensors>'
        '<sensor id="0" type="frame"><resolution width="32" height="24"/><calibration class="adjusted">'
        '<resolution width="32" height="24"/><f>30</f><cx>0.5</cx><cy>0.2</cy><k1>0.01</k1></calibration></sensor>'
        f'</sensors><components><component id="0"><transform><rotation locked="1">{IDENTITY}</rotation>'
        f"<translation>1 2 3</translation><scale>2</scale></transform></component></components><cameras>{cameras}"
        "</cameras></chunk></document>"
    )


def bundler(root: Path) -> None:
    """Three cameras and a point."""
    names = images(root / "one" / "images")
    (root / "one" / "bundle").mkdir()
    cameras = "".join(f"30 0.01 0\n1 0 0\n0 1 0\n0 0 1\n{k} 0 0\n" for k in range(3))
    text = f"# Bundle file v0.3\n3 1\n{cameras}0.5 0.25 9\n9 9 9\n3 0 0 1.0 2.0 1 0 0 0 2 0 -3 -4\n"
    (root / "one" / "bundle" / "bundle.out").write_text(text)
    (root / "one" / "list.txt").write_text("".join(f"{name} 0 30\n" for name in names))


def polycam(root: Path) -> None:
    """Corrected cameras and their images."""
    folder = root / "one" / "keyframes" / "corrected_cameras"
    folder.mkdir(parents=True)
    for k, name in enumerate(images(root / "one" / "keyframes" / "corrected_images")):
        content = {f"t_{i}{j}": float(pose(k)[i, j]) for i in range(3) for j in range(4)}
        content |= {"fx": 30, "fy": 30, "cx": 16, "cy": 12, "width": 32, "height": 24, "timestamp": k}
        (folder / f"{name.partition('.')[0]}.json").write_text(json.dumps(content))


def cambridge(root: Path) -> None:
    """Lists and a map."""
    folder, head = root / "one", "Visual Landmark Dataset V1\nImageFile, Camera Position [X Y Z W P Q R]\n\n"
    names = [f"seq1/{name}" for name in images(folder / "seq1")]
    rows = [f"{name} {k} 0 0 {QUATERNIONS[k]}\n" for k, name in enumerate(names)]
    (folder / "dataset_train.txt").write_text(head + "".join(rows[:2]))
    (folder / "dataset_test.txt").write_text(head + rows[2])
    views = "".join(f"{name}\t30 {QUATERNIONS[k]} {k} 0 0 -0.1 0 \n" for k, name in enumerate(names))
    (folder / "reconstruction.nvm").write_text(f"NVM_V3 \n\n3\n{views}\n1\n0.5 0.2 5 9 9 9 2 0 0 1.5 2.5 1 0 3 4\n0\n")


def folder(root: Path) -> None:
    """One's own images beside a calibration."""
    images(root / "one" / "walk")
    (root / "one" / "walk" / "camera.yaml").write_text("width: 32\nheight: 24\nfx: 30\nfy: 30\ncx: 15.5\ncy: 11.5\n")


def prepared(root: Path) -> None:
    """Prepared copies, as folders and as shards."""
    originals = root.parent / "originals"
    originals.mkdir()
    kitti_odometry(originals)
    for name, shards in (("folders", False), ("shards", True)):
        copy = CopyOptions(size=SIZE, shards=shards)
        prepare_copy(root / name, DataOptions("kitti-odom", originals / "one", ("00",)), copy, workers=1)


SCENES = {
    "kitti-odom": kitti_odometry,
    "kitti-raw": kitti_raw,
    "kitti-2015": kitti_stereo,
    "tum": tum,
    "7scenes": seven_scenes,
    "nyu": nyu,
    "nyu raw": nyu_raw,
    "colmap": colmap,
    "transforms": transforms,
    "realitycapture": realitycapture,
    "metashape": metashape,
    "bundler": bundler,
    "polycam": polycam,
    "cambridge": cambridge,
    "folder": folder,
    "prepared": prepared,
}
"""writers of samples by the data set, or the layout of it"""
