"""The Eigen sets from lists to numbers, on small trees in KITTI's layout."""

import numpy as np
import pytest
import torch

from vode.datasets.kitti.splits import read_split
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.evaluation.completeness import complete
from vode.evaluation.depth import summary
from vode.evaluation.depth_report import score_frames
from vode.evaluation.protocols.depth import depth_protocol
from vode.io.depth import write_depth
from vode.io.image import write_image

SIZE = (40, 120)
PROJECTION = "100 0 60 0 0 100 20 0 0 0 1 0"


@pytest.fixture
def trees(tmp_path, monkeypatch):
    """Three frames of both lists: a wall 12 m ahead for the lidar, 9 m and on top 100 m for the annotators."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    raw, annotated = tmp_path / "raw", tmp_path / "annotated"
    across, up = (values.ravel() for values in np.meshgrid(np.linspace(-6, 6, 60), np.linspace(-2, 2, 30)))
    scan = np.stack([np.full_like(across, 12), across, up, np.zeros_like(up)], -1).astype("<f4")
    for frame in read_split("eigen_benchmark")[:3]:
        drive, name = f"{frame.drive}_sync", f"{frame.number:010d}"
        files = {
            "image": raw / frame.date / drive / "image_02" / "data" / f"{name}.png",
            "scan": raw / frame.date / drive / "velodyne_points" / "data" / f"{name}.bin",
            "depth": annotated / "val" / drive / "proj_depth" / "groundtruth" / "image_02" / f"{name}.png",
        }
        for file in files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
        write_image(files["image"], torch.rand(3, *SIZE))
        files["scan"].write_bytes(scan.tobytes())
        annotation = torch.full((1, *SIZE), 9.0)
        annotation[:, :10] = 100
        write_depth(files["depth"], annotation)
    date = raw / read_split("eigen")[0].date
    (date / "calib_cam_to_cam.txt").write_text(f"R_rect_00: 1 0 0 0 1 0 0 0 1\nP_rect_02: {PROJECTION}\n")
    (date / "calib_velo_to_cam.txt").write_text("R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 0\n")
    return raw, annotated


def frames_of(name, root, annotated=None):
    (frames,) = open_dataset(DataOptions(name, root), annotated=annotated).depth_frames()
    return frames


@pytest.mark.parametrize(
    ("name", "total", "depth", "abs_rel", "crop", "cap"),
    [
        ("kitti-eigen", 697, 12.0, 0.0, "garg", "ground truth 0.001 m to 80 m"),
        ("kitti-eigen-benchmark", 652, 9.0, 0.91 / 4, "none", "ground truth above 0.001 m, no cap"),
    ],
)
def test_the_frames_that_are_there_are_scored_by_the_published_protocol(trees, name, total, depth, abs_rel, crop, cap):
    raw, annotated = trees
    frames, protocol = frames_of(name, raw, annotated), depth_protocol(name)
    assert len(frames) == len(set(frames.names())) == total
    numbers, notes = complete(frames, allow_missing=True)
    assert len(numbers) == 3
    assert notes[0].startswith(f"{total - 3} of the {total} of {name} are missing")
    scores = score_frames(lambda i: torch.full((1, 4, 12), depth), frames, numbers, protocol)
    result = summary(scores, protocol)
    assert result["abs_rel"] == pytest.approx(abs_rel, abs=1e-6)
    assert result["ratio_median"] == pytest.approx(1)
    assert result.protocol["crop"] == crop
    assert result.protocol["cap"] == cap
    assert result.protocol["clip"] == "predictions 0.001 m to 80 m"


def test_lidar_depth_is_kept(trees, tmp_path):
    frames = frames_of("kitti-eigen", trees[0])
    (i, *_), _ = complete(frames, allow_missing=True)
    first = frames.depth(i)
    assert len(list((tmp_path / "cache" / "vode" / "kitti_lidar").iterdir())) == 1
    assert torch.equal(frames.depth(i), first)
    frames.image_file(i).unlink()
    with pytest.raises(InputError, match=r"\.png: no such file; copy this date and drive again"):
        frames.depth(i)


def test_depth_of_published_ground_truth_is_the_x_of_the_lidar(trees):
    usual = frames_of("kitti-eigen", trees[0])
    (i, *_), _ = complete(usual, allow_missing=True)
    # the camera of these trees looks along the lidar's x from 0.3 m ahead of it
    calibration = trees[0] / usual.frames[i].date / "calib_velo_to_cam.txt"
    calibration.write_text("R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 -0.3\n")
    (frames,) = open_dataset(DataOptions("kitti-eigen", trees[0]), lidar="x").depth_frames()
    usual = frames_of("kitti-eigen", trees[0])
    z, x = usual.depth(i), frames.depth(i)
    assert (z > 0).any()
    assert torch.equal(z > 0, x > 0)
    torch.testing.assert_close(x[x > 0], z[z > 0] + 0.3)
    # neither is taken for the other when it is kept
    torch.testing.assert_close(frames.depth(i), x)
    torch.testing.assert_close(usual.depth(i), z)


def test_annotated_maps_need_their_folder(trees):
    with pytest.raises(InputError, match="annotated depth maps; name their folder") as refusal:
        frames_of("kitti-eigen-benchmark", trees[0])
    assert refusal.value.parameters == ("annotated",)
    with pytest.raises(InputError, match="nowhere: no such folder"):
        frames_of("kitti-eigen-benchmark", trees[0], trees[0] / "nowhere")


def test_the_drives_of_the_lists_are_tested_on_and_others_trained_on(trees):
    dataset = open_dataset(DataOptions("kitti-eigen", trees[0]))
    assert len(dataset.names("test")) == 28
    assert dataset.names("all") == ("2011_09_26_drive_0002",)
    with pytest.raises(InputError, match="no drive of Zhou's training list"):
        dataset.names("train")
