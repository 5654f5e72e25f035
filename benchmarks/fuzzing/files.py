"""Small valid files of every format that is read, each kind in a folder of its own."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from PIL import Image

from fuzzing.scenes import QUATERNIONS, SIZE, picture, pose
from vode.evaluation.predictions import save_predictions
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.trajectory import Trajectory
from vode.io.video_writer import write_video
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.result import Method
from vode.pipelines.run.snapshot import save_snapshot
from vode.reconstruction.ply import write_ply
from vode.run_folder import SHIPPED, RunFolder
from vode.training.checkpoint import TrainState, save_state

K = "30.5, 0., 15.5, 0., 30.1, 11.5, 0., 0., 1."
OWN = {"width": 32, "height": 24, "fx": 30.5, "fy": 30.1, "cx": 15.5, "cy": 11.5}
CALIBRATIONS = {
    "own.yaml": "width: 32\nheight: 24\nfx: 30.5\nfy: 30.1\ncx: 15.5\ncy: 11.5\nlens: radtan\ndistortion: [-0.2, 0]\n",
    "mast3r.yaml": "width: 32\nheight: 24\ncalibration: [30.5, 30.1, 15.5, 11.5, -0.2, 0.07, 0, 0]\n",
    "opencv.yaml": (
        f"%YAML:1.0\n---\nimage_width: 32\nimage_height: 24\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n"
        f"   dt: d\n   data: [ {K} ]\ndistortion_coefficients: !!opencv-matrix\n   rows: 5\n   cols: 1\n   dt: d\n"
        "   data: [ -0.28, 0.07, 0.0002, 1.7e-05, 0. ]\n"
    ),
    "ros.yaml": (
        f'header: {{seq: 0}}\nheight: 24\nwidth: 32\ndistortion_model: "plumb_bob"\nD: [-0.28, 0.07, 0.0002, 0, 0]\n'
        f"K: [{K}]\nR: [1, 0, 0, 0, 1, 0, 0, 0, 1]\nP: [20, 0, 15, 0, 0, 20, 11, 0, 0, 0, 1, 0]\nbinning_x: 0\n"
        "binning_y: 0\nroi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}\n"
    ),
    "euroc.yaml": (
        "sensor_type: camera\nT_BS: {cols: 4, rows: 4, data: [0,-1,0,0, 1,0,0,0, 0,0,1,0, 0,0,0,1]}\n"
        "resolution: [32, 24]\ncamera_model: pinhole\nintrinsics: [30.5, 30.1, 15.5, 11.5]\n"
        "distortion_model: radial-tangential\ndistortion_coefficients: [-0.28, 0.07, 0.0002, 1.7e-05]\n"
    ),
    "kalibr.yaml": (
        "cam0:\n  camera_model: pinhole\n  distortion_coeffs: [-0.0321, 0.0104, -0.0072, 0.0019]\n"
        "  distortion_model: equidistant\n  intrinsics: [30.5, 30.1, 15.5, 11.5]\n  resolution: [32, 24]\n"
    ),
    "orb.yaml": (
        'Camera.type: "PinHole"\nCamera.fx: 30.5\nCamera.fy: 30.1\nCamera.cx: 15.5\nCamera.cy: 11.5\nCamera.k1: -0.28\n'
        "Camera.k2: 0.07\nCamera.p1: 0\nCamera.p2: 0\nCamera.width: 32\nCamera.height: 24\nORBextractor.nFeatures: 1\n"
    ),
    "stella.yaml": (
        'Camera:\n  setup: "monocular"\n  model: "perspective"\n  fx: 30.5\n  fy: 30.1\n  cx: 15.5\n  cy: 11.5\n'
        "  k1: -0.28\n  k2: 0.07\n  p1: 0\n  p2: 0\n  k3: 0\n  cols: 32\n  rows: 24\n"
    ),
    "own.json": json.dumps(OWN | {"k1": -0.2, "k2": 0.01}),
    "opencv.json": json.dumps({"camera_matrix": {"data": [30.5, 0, 15.5, 0, 30.1, 11.5, 0, 0, 1]}}),
    "calib.txt": "P0: 30 0 15.5 0 0 30 11.5 0 0 0 1 0\nP2: 30 0 15.5 4.5 0 30 11.5 0.2 0 0 1 0.003\n",
    "raw.txt": "calib_time: 09-Jan-2012\nS_rect_02: 32 24\nP_rect_02: 30 0 15.5 4.5 0 30 11.5 0.2 0 0 1 0.003\n",
    "cameras.txt": "# COLMAP\n1 OPENCV 32 24 30 30 16 12 0.1 0.01 0 0\n",
    "row.txt": "30.5 30.1 15.5 11.5 -0.28 0.07 0.0002 0.00001\n",
    "matrix.txt": "30.5 0 15.5\n0 30.1 11.5\n0 0 1\n",
    "dso.txt": "RadTan 0.95 1.25 0.5 0.5 -0.28 0.07 0 0\n32 24\ncrop\n32 24\n",
}


def _each(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        folder = root / name.replace(".", "_")
        folder.mkdir()
        (folder / name).write_text(text)


def calibrations(root: Path) -> None:
    """Every format of a camera file."""
    _each(root, CALIBRATIONS)


def trajectories(root: Path) -> None:
    """Every format of a trajectory."""
    poses = torch.stack([pose(k) for k in range(4)])
    timed = Trajectory(poses, torch.arange(4.0).double() / 10 + 1.5e9)
    for form in ("kitti", "tum", "euroc"):
        (root / form).mkdir()
        timed.write(root / form / f"{form}.txt", form)  # type: ignore[arg-type]
    for name, with_index in (("indexed", True), ("plain", False)):
        (root / name).mkdir()
        timed.write_kitti(root / name / "poses.txt", with_index)
    (root / "matrices").mkdir()
    rows = "".join(" ".join(map(str, each.ravel().tolist())) + "\n" for each in poses)
    (root / "matrices" / "poses.txt").write_text(rows)
    for name, array in (("four", poses), ("rows", poses[:, :3].flatten(1))):
        (root / name).mkdir()
        np.save(root / name / "poses.npy", array.numpy())


def readings(root: Path) -> None:
    """Times, speeds and GPS fixes."""
    for name in ("times.txt", "speed.csv", "gps.csv"):
        (root / name.partition(".")[0]).mkdir()
    (root / "times" / "times.txt").write_text("0.0e+00\n1.036e-01\n2.073e-01\n")
    (root / "speed" / "speed.csv").write_text("time [s],speed [m/s]\n0.0,10\n0.5,11.5\n1.0,12\n")
    (root / "gps" / "gps.csv").write_text("# fixes\n100.0 49.01 8.4\n101.0 49.0101 8.4001\n")


def images(root: Path) -> None:
    """An image of every format."""
    gradient = np.mgrid[:24, :32].sum(0).astype(np.uint8)[..., None].repeat(3, -1) * 4
    kinds = {"png": gradient, "jpg": gradient, "bmp": gradient, "tiff": gradient, "webp": gradient, "ppm": gradient}
    kinds |= {"pgm": gradient[..., 0], "png16": gradient.astype(np.uint16) * 100}
    for kind, pixels in kinds.items():
        (root / kind).mkdir()
        cv2.imwrite(str(root / kind / f"image.{kind.removesuffix('16')}"), pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0x920A: 4.2, 0xA405: 26})
    for kind in ("jpg", "png", "tiff", "webp"):
        (root / f"exif_{kind}").mkdir()
        Image.fromarray(gradient).save(root / f"exif_{kind}" / f"image.{kind}", exif=exif)


def depth_and_flow(root: Path) -> None:
    """Depth maps and flow."""
    for name in ("depth", "flow", "flo"):
        (root / name).mkdir()
    write_depth(root / "depth" / "depth.png", torch.full((1, *SIZE), 5.0))
    for path in (root / "flow" / "flow.png", root / "flo" / "flow.flo"):
        write_flow(path, torch.ones(2, *SIZE), torch.ones(1, *SIZE))


def depth_arrays(root: Path) -> None:
    """Depth of a frame as arrays."""
    depth = np.ones(SIZE, np.float32)
    for name in ("npy", "npz", "packed", "png"):
        (root / name).mkdir()
    np.save(root / "npy" / "000000.npy", depth)
    np.savez(root / "npz" / "000000.npz", depth=depth)
    np.savez_compressed(root / "packed" / "000000.npz", depth=depth)
    write_depth(root / "png" / "000000.png", torch.full((1, *SIZE), 5.0))


def predictions(root: Path) -> None:
    """Predicted depth of two frames."""
    (root / "npz").mkdir()
    (root / "npy").mkdir()
    save_predictions(root / "npz" / "depth.npz", ((name, torch.ones(1, *SIZE)) for name in ("a", "b")))
    np.save(root / "npy" / "depth.npz", np.ones((2, *SIZE), np.float32))
    (root / "npy" / "depth.npz.npy").rename(root / "npy" / "depth.npz")


def configurations(root: Path) -> None:
    """Run folders of all versions and families, without weights."""
    kept = Path(__file__).parents[2] / "tests" / "configs"
    for file in sorted(kept.glob("*.json")):
        (root / file.stem).mkdir()
        shutil.copy(file, root / file.stem / "config.json")
    shutil.copytree(SHIPPED / "vode-small", root / "shipped", ignore=shutil.ignore_patterns("*.safetensors", "*.md"))
    (root / "shipped" / "data.json").write_text(json.dumps({"kitti_drives": ["2011_09_26_drive_0001"]}))


def weights(root: Path) -> None:
    """The weights that ship."""
    for kind in (FlowNet.kind, DepthNet.kind):
        (root / kind).mkdir()
        shutil.copy(SHIPPED / "vode-small" / f"{kind}.safetensors", root / kind)


def checkpoints(root: Path) -> None:
    """A checkpoint of training, of a network of one layer."""
    state = TrainState(torch.nn.ModuleDict({"depth": torch.nn.Linear(2, 3)}))
    save_state(RunFolder(root / "one"), state, {"state": {}, "param_groups": [{"lr": 0.1}]}, 1)


def other_checkpoints(root: Path) -> None:
    """Parts of checkpoints of other systems, whose tensors do not suffice."""
    tensors = {
        "trianflow": {"model_state_dict": {"model_pose.model_flow.fpyramid.conv1.0.weight": torch.ones(16, 3, 3, 3)}},
        "monodepth2": {"encoder.conv1.weight": torch.ones(64, 3, 7, 7), "height": 192, "width": 640},
        "sfmlearner": {"state_dict": {"upconv7.0.weight": torch.ones(4, 4, 3, 3)}},
        "pose": {
            "state_dict": {"conv1.0.weight": torch.ones(16, 9, 7, 7), "pose_pred.weight": torch.ones(12, 256, 1, 1)}
        },
        "pairs": {"convs.0.weight": torch.ones(4, 4, 1, 1), "net.0.weight": torch.ones(4, 4, 1, 1)},
        "old": {"decoder.0.conv.conv.weight": torch.ones(2, 2)},
    }
    for name, content in tensors.items():
        (root / name).mkdir()
        torch.save(content, root / name / "weights.pth", _use_new_zipfile_serialization=name != "old")


def clouds(root: Path) -> None:
    """A cloud as a run writes it."""
    (root / "one").mkdir()
    write_ply(root / "one" / "cloud.ply", np.ones((5, 3), np.float32), np.zeros((5, 3), np.uint8), ("metres",))


def runs(root: Path) -> None:
    """The folder of a run on a video."""
    folder = root / "one"
    (folder / "depth").mkdir(parents=True)
    summary = {"version": 1, "state": "finished", "notes": [], "source": {"address": "walk.mp4", "frames_done": 3}}
    summary |= {"options": {}, "seconds": 1.5, "peak_memory_bytes": 2**28}
    (folder / "run.json").write_text(json.dumps(summary | {"camera": {"width": 32, "height": 24}}))
    rows = (
        {"frame": k, "timestamp": k / 10, "method": "essential", "reason": None, "position": [k, 0, 0], "scale": 1.0}
        | {"quaternion": list(map(float, QUATERNIONS[k].split())), "inliers": 0.9, "seconds": 0.1}
        for k in range(3)
    )
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Trajectory(torch.stack([pose(k) for k in range(3)]), torch.arange(3.0)).write_tum(folder / "trajectory.tum")
    (folder / "calibration.yaml").write_text(CALIBRATIONS["own.yaml"])
    maps = {f"{k:06d}": np.ones((6, 8), np.float16) for k in range(3)}
    np.savez_compressed(folder / "depth" / "depth.npz", intrinsics=np.eye(3), **maps)
    write_ply(folder / "cloud.ply", np.ones((5, 3), np.float32), np.zeros((5, 3), np.uint8))


def snapshots(root: Path) -> None:
    """State of a tracker."""
    (root / "one").mkdir()
    parts = {"poses": torch.eye(4), "list": [1, (2.0, "three")], "scale": np.float64(2), "method": next(iter(Method))}
    save_snapshot(root / "one" / "state.npz", parts | {"map": {1: None}, "path": Path("a")})


def videos(root: Path) -> None:
    """Videos of several containers and codecs."""
    for name in ("mp4", "mkv", "avi"):
        (root / name).mkdir()
    write_video(root / "mp4" / "walk.mp4", [picture(k, (48, 64)) for k in range(5)])
    for name, codec in (("mkv", "ffv1"), ("avi", "mjpeg")):
        with av.open(str(root / name / f"walk.{name}"), "w") as container:
            stream = container.add_stream(codec, rate=Fraction(10))
            stream.height, stream.width = 48, 64  # type: ignore[union-attr]
            stream.pix_fmt = "yuv420p" if codec == "ffv1" else "yuvj420p"  # type: ignore[union-attr]
            for k in range(5):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * k, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))  # type: ignore[union-attr]
            container.mux(stream.encode())  # type: ignore[union-attr]


def command_lines(root: Path) -> None:
    """Arguments of verbs, one a line."""
    lines = {
        "odom": "odom\nvode-small\n--data\nx\n--sequences\n09\n--matcher\nxfeat\n--refine\nwindow\n--speed\n3",
        "train": "train\nworld\n--run\nx\n--depth-stage.steps\n1\n--size\n64\n96\n--world.scenes\ntown\nroom",
        "run": "run\nwalk.mp4\n--out\nx\n--rate\n10\n--fov\n60",
        "predict": "predict depth\nwalk.mp4\n--model\nvode-small\n--fov\n60",
    }
    _each(root, {f"{name}.txt": text for name, text in lines.items()})
