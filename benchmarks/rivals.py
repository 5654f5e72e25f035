"""Other systems' paths of a sequence, for comparison: OpenCV's tracks, COLMAP's and GLOMAP's maps, ORB-SLAM3.

Each function takes a Sequence and gives the frames that have a pose, and their poses (N, 4, 4), up to a similarity.
pycolmap comes with ``vode[scene]``. pyorbslam3 is GPL, no part of vode, and installed by those who want to compare.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from vode.datasets.base import Sequence
from vode.geometry.pose import inverse

CORNERS = (2000, 0.01, 8)
"""most corners of an image, their least quality and distance"""
STEP, PACE = 0.1, 1.0
"""seconds between the frames that ORB-SLAM3 is given, by their times and by the clock: its map grows in other threads,
which fall behind where the machine does other things too"""
BRANCHES, LEVELS = 10, 6
"""of the tree of visual words"""
SETTINGS = """%YAML:1.0
File.version: "1.0"
Camera.type: "PinHole"
Camera1.fx: {fx}
Camera1.fy: {fy}
Camera1.cx: {cx}
Camera1.cy: {cy}
Camera1.k1: 0.0
Camera1.k2: 0.0
Camera1.p1: 0.0
Camera1.p2: 0.0
Camera.width: {width}
Camera.height: {height}
Camera.newWidth: {width}
Camera.newHeight: {height}
Camera.fps: 10
Camera.RGB: 1
ORBextractor.nFeatures: 2000
ORBextractor.scaleFactor: 1.2
ORBextractor.nLevels: 8
ORBextractor.iniThFAST: 20
ORBextractor.minThFAST: 7
Viewer.KeyFrameSize: 0.1
Viewer.KeyFrameLineWidth: 1.0
Viewer.GraphLineWidth: 1.0
Viewer.PointSize: 2.0
Viewer.CameraSize: 0.15
Viewer.CameraLineWidth: 2.0
Viewer.ViewpointX: 0.0
Viewer.ViewpointY: -10.0
Viewer.ViewpointZ: -0.1
Viewer.ViewpointF: 2000.0
"""
"""ORB-SLAM3's, as its own for KITTI"""


class Found(NamedTuple):
    """What a system made of a sequence."""

    frames: list[int]
    """that have a pose, in order"""
    poses: Tensor
    """T_world_cam (N, 4, 4) float64"""


def grey(sequence: Sequence, index: int) -> np.ndarray:
    """A frame as grey levels (H, W) uint8."""
    return (sequence.frame(index).mean(0) * 255).round().to(torch.uint8).numpy()


def opencv_tracks(sequence: Sequence) -> Found:
    """Corners followed by Lucas-Kanade, essential matrices by RANSAC; lengths by points that three frames see."""
    camera = sequence.intrinsics.double().numpy()
    images = [grey(sequence, i) for i in range(len(sequence))]
    poses, length = [torch.eye(4, dtype=torch.float64)], 1.0
    for i in range(len(images) - 1):
        corners = cv2.goodFeaturesToTrack(images[i], *CORNERS)
        ahead, seen = _follow(images[i], images[i + 1], corners)
        T_b_a, depth = _two_view(corners, ahead, seen, camera)
        if i:
            back, still_seen = _follow(images[i], images[i - 1], corners)
            _, depth_before = _two_view(corners, back, still_seen, camera)
            ratio = depth_before / depth
            ratio = ratio[np.isfinite(ratio) & (depth > 0) & (depth_before > 0)]
            length *= float(np.median(ratio)) if len(ratio) > 10 else 1.0
        T_b_a[:3, 3] *= length
        poses.append(poses[-1] @ inverse(T_b_a))
    return Found(list(range(len(images))), torch.stack(poses))


def _follow(a: np.ndarray, b: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where corners of a are in b, and which are followed."""
    moved, found, _ = cv2.calcOpticalFlowPyrLK(a, b, corners, None)
    return moved, found[:, 0] == 1


def _two_view(a: np.ndarray, b: np.ndarray, seen: np.ndarray, camera: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Motion of unit length, and depth of all corners in a, not a number where they are no inliers."""
    E, mask = cv2.findEssentialMat(a[seen], b[seen], camera, cv2.RANSAC, 0.999, 0.5)
    _, rotation, translation, mask, points = cv2.recoverPose(E, a[seen], b[seen], camera, distanceThresh=1e4, mask=mask)
    T_b_a = torch.eye(4, dtype=torch.float64)
    T_b_a[:3, :3], T_b_a[:3, 3] = torch.from_numpy(rotation), torch.from_numpy(translation[:, 0])
    depth = np.full(len(a), np.nan)
    depth[np.flatnonzero(seen)] = np.where(mask[:, 0] > 0, points[2] / points[3], np.nan)
    return T_b_a, depth


def colmap(sequence: Sequence, mapper: str, *, overlap: int = 10) -> Found:
    """COLMAP's ``incremental`` or ``global`` mapping (GLOMAP's) of SIFT matches of neighbours, the camera as given.

    Schoenberger and Frahm, CVPR 2016; Pan et al., ECCV 2024. The largest map.
    """
    import pycolmap

    pycolmap.logging.minloglevel = int(pycolmap.logging.FATAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        for i in range(len(sequence)):
            cv2.imwrite(str(folder / "images" / f"{i:06d}.png"), grey(sequence, i))
        camera, reading = sequence.intrinsics.double(), pycolmap.ImageReaderOptions()
        # COLMAP's pixel centres lie at 0.5
        values = (camera[0, 0], camera[1, 1], camera[0, 2] + 0.5, camera[1, 2] + 0.5)
        reading.camera_model, reading.camera_params = "PINHOLE", ",".join(repr(float(x)) for x in values)
        database, single = folder / "matches.db", pycolmap.CameraMode.SINGLE
        pycolmap.extract_features(database, folder / "images", camera_mode=single, reader_options=reading)
        pairing = pycolmap.SequentialPairingOptions()
        pairing.overlap, pairing.loop_detection = overlap, False
        pycolmap.match_sequential(database, pairing_options=pairing)
        (folder / "maps").mkdir()
        if mapper == "global":
            options = pycolmap.GlobalPipelineOptions()
            adjusted = options.mapper.bundle_adjustment
            adjusted.refine_focal_length = adjusted.refine_extra_params = False
            found = pycolmap.global_mapping(database, folder / "images", folder / "maps", options)
        else:
            options = pycolmap.IncrementalPipelineOptions()
            options.ba_refine_focal_length = options.ba_refine_extra_params = False
            found = pycolmap.incremental_mapping(database, folder / "images", folder / "maps", options)
        best = max(found.values(), key=lambda model: model.num_reg_images())
        images = sorted((x for x in best.images.values() if x.has_pose), key=lambda image: image.name)
        poses = torch.eye(4, dtype=torch.float64).repeat(len(images), 1, 1)
        poses[:, :3] = torch.from_numpy(np.stack([image.cam_from_world().inverse().matrix() for image in images]))
        return Found([int(Path(image.name).stem) for image in images], poses)


def orbslam3(sequence: Sequence) -> Found:
    """ORB-SLAM3 (Campos et al., T-RO 2021), monocular, with a vocabulary of the sequence's own words.

    Frames have the poses of its final map.
    """
    import pyorbslam3

    height, width = sequence.size
    (fx, _, cx), (_, fy, cy), _ = sequence.intrinsics.tolist()
    images = [grey(sequence, i) for i in range(len(sequence))]
    with tempfile.TemporaryDirectory() as name:
        words, settings, path = (Path(name) / file for file in ("words.txt", "settings.yaml", "path.txt"))
        words.write_text(vocabulary(images[::5]))
        settings.write_text(SETTINGS.format(fx=fx, fy=fy, cx=cx, cy=cy, width=width, height=height))
        slam = pyorbslam3.Slam(words, settings, pyorbslam3.Sensor.MONOCULAR)
        for i, image in enumerate(images):
            begun = time.perf_counter()
            slam.track_monocular(image, i * STEP)
            time.sleep(max(begun + PACE - time.perf_counter(), 0))
        slam.shutdown()
        slam.save_trajectory_euroc(str(path))
        rows = np.loadtxt(path, ndmin=2)
    poses = torch.eye(4, dtype=torch.float64).repeat(len(rows), 1, 1)
    poses[:, :3, :3] = torch.from_numpy(Rotation.from_quat(rows[:, 4:8]).as_matrix())
    poses[:, :3, 3] = torch.from_numpy(rows[:, 1:4])
    return Found([round(nanoseconds / 1e9 / STEP) for nanoseconds in rows[:, 0]], poses)


def vocabulary(images: list[np.ndarray], seed: int = 0) -> str:
    """A tree of visual words as DBoW2 reads it (Galvez-Lopez and Tardos, T-RO 2012): medoids of ORB's bits."""
    orb, rng = cv2.ORB_create(1000), np.random.default_rng(seed)
    described = [orb.detectAndCompute(image, None)[1] for image in images]
    owner = np.repeat(np.arange(len(images)), [len(x) for x in described])
    bits = np.unpackbits(np.concatenate(described), axis=1).astype(np.float32)
    lines, count = [f"{BRANCHES} {LEVELS} 0 0"], 1

    def grow(members: np.ndarray, parent: int, level: int) -> None:
        nonlocal count
        centres = bits[rng.choice(members, min(BRANCHES, len(members)), replace=False)]
        for _ in range(5):
            # Hamming distance, less what is the same for all centres
            nearest = (bits[members] @ (1 - 2 * centres.T) + centres.sum(1)).argmin(1)
            groups = [members[nearest == k] for k in range(len(centres))]
            groups = [group for group in groups if len(group)]
            centres = np.stack([bits[group].mean(0) > 0.5 for group in groups]).astype(np.float32)
        for centre, group in zip(centres, groups, strict=True):
            number, count = count, count + 1
            leaf = level == LEVELS
            weight = np.log(len(images) / len(np.unique(owner[group]))) if leaf else 0.0
            value = " ".join(map(str, np.packbits(centre.astype(np.uint8))))
            lines.append(f"{parent} {int(leaf)} {value} {weight:.6f}")
            if not leaf:
                grow(group, number, level + 1)

    grow(np.arange(len(bits)), 0, 1)
    return "\n".join(lines) + "\n"
