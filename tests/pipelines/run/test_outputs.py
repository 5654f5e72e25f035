"""What is in the folder, judged by the world that was filmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vode
from vode.cameras.writing import write_calibration
from vode.geometry.camera import project, transform
from vode.geometry.pose import inverse
from vode.io.depth import read_depth
from vode.io.video import Video
from vode.world.sequence import WorldSequence


def test_the_trajectory_is_that_of_the_world(done: vode.VideoRun, world: WorldSequence) -> None:
    assert done.state == "finished"
    error = (done.trajectory.positions - world.poses[:, :3, 3]).norm(dim=-1)
    length = (world.poses[-1, :3, 3] - world.poses[0, :3, 3]).norm()
    assert float(error.max()) < 0.03 * float(length)


def test_both_files_of_the_trajectory_say_the_same(done: vode.VideoRun) -> None:
    kitti = vode.read_trajectory(done.folder / "trajectory.kitti")
    assert torch.allclose(kitti.poses, done.trajectory.poses, atol=1e-5)


def test_the_camera_reads_back(done: vode.VideoRun, world: WorldSequence) -> None:
    camera = vode.read_camera(done.folder / "calibration.yaml", world.size)
    assert camera == done.camera
    assert torch.allclose(camera.intrinsics, world.intrinsics)


def test_the_lens_that_was_given_is_written(
    clip: Path, go: Callable[..., vode.VideoRun], world: WorldSequence, tmp_path: Path
) -> None:
    """Images come undistorted, and are tracked so; the file is of those that lie on the disk."""
    given = replace(world.camera, lens="radtan", distortion=(-0.1, 0.02, 0.0, 0.0))
    write_calibration(tmp_path / "lens.yaml", given, "")
    run = go(clip, tmp_path / "out", calibration=tmp_path / "lens.yaml", limit=2)
    assert run.camera == vode.read_camera(tmp_path / "lens.yaml", world.size)
    assert run.camera.distortion == given.distortion
    camera = json.loads((run.folder / "run.json").read_text())["camera"]
    assert camera["distortion"] == {"lens": "radtan", "coefficients": list(given.distortion)}
    assert camera["fx"] == pytest.approx(given.focal[0])
    assert camera["undistorted"]["fx"] == pytest.approx(float(given.intrinsics[0, 0]))


def test_depth_is_that_of_the_frames(done: vode.VideoRun, world: WorldSequence) -> None:
    assert done.depth_frames == list(range(len(world)))
    for index in (0, 7):
        true = world.depth(index)[0]
        png = read_depth(done.folder / "depth" / f"{index:06d}.png", unit=1000, expected=world.size)[0]
        near = (true > 0) & (true < 60)
        assert float(((png / true).log()[near & (png > 0)].abs() < 0.02).float().mean()) > 0.95
        assert float((torch.from_numpy(done.depth(index)) - true).abs()[near].median()) < 0.02
    assert torch.allclose(torch.from_numpy(done.depth_intrinsics).float(), world.intrinsics, rtol=1e-3)


def test_the_cloud_lies_on_the_surfaces_of_the_world(done: vode.VideoRun, world: WorldSequence) -> None:
    points, colors = done.cloud
    assert len(points) > 5000
    assert colors.std() > 10
    found = torch.zeros(len(points), dtype=torch.bool)
    for index in range(0, len(world), 3):
        local = transform(inverse(world.poses[index]), torch.from_numpy(points).double())
        pixels, z = project(local, world.intrinsics.double())
        x, y = pixels.round().long().unbind(-1)
        inside = (x >= 0) & (y >= 0) & (x < world.size[1]) & (y < world.size[0]) & (z > 0.1)
        true = world.depth(index)[0, y.clamp(0, world.size[0] - 1), x.clamp(0, world.size[1] - 1)]
        found |= inside & ((z / true - 1).abs() < 0.15)
    assert float(found.float().mean()) > 0.93


def test_the_model_opens_in_colmap_and_its_points_are_seen_where_it_says(
    done: vode.VideoRun, world: WorldSequence
) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    model = pycolmap.Reconstruction(str(done.folder / "colmap"))
    assert model.num_reg_images() == done.summary["colmap"]["images"] > 3
    assert model.num_points3D() > 50
    errors = []
    for image in model.images.values():
        assert (done.folder / "images" / image.name).is_file()
        for feature in image.points2D:
            if feature.has_point3D():
                seen = image.project_point(model.points3D[feature.point3D_id].xyz)
                errors.append(np.linalg.norm(seen - feature.xy))
    assert np.sqrt(np.mean(np.square(errors))) < 1
    frame = int(image.name[:6])
    centre = image.cam_from_world().inverse().translation
    assert np.linalg.norm(centre - world.poses[frame, :3, 3].numpy()) < 0.2


def test_posed_images_open_as_a_data_set(done: vode.VideoRun, world: WorldSequence) -> None:
    sequence = vode.open_sequence("transforms", done.folder)
    content = json.loads((done.folder / "transforms.json").read_text())
    assert len(sequence) == len(content["frames"]) == done.summary["colmap"]["images"]
    assert all((done.folder / row["depth_file_path"]).is_file() for row in content["frames"])
    assert torch.allclose(sequence.intrinsics, world.intrinsics, atol=0.01)


def test_log_video_and_pictures_cover_the_frames(done: vode.VideoRun, world: WorldSequence) -> None:
    rows = [json.loads(line) for line in (done.folder / "log.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(len(world)))
    assert rows[0]["method"] == "start"
    assert len(rows[3]["quaternion"]) == 4
    # the depth is exact
    told = [row for row in rows if row["depth_factor"] is not None]
    assert len(told) > len(rows) // 2
    assert all(abs(row["depth_factor"] - 1) < 3 * row["depth_factor_deviation"] + 0.01 for row in told)
    assert 0.8 < rows[-1]["depth_factor"] < 1.25
    assert "Depth factor over time" in (done.folder / "report.html").read_text()
    assert Video(done.folder / "depth.mp4").count == len(world)
    assert len(list((done.folder / "thumbnails").glob("*_depth.jpg"))) == 12


def test_the_summary_says_what_there_is(done: vode.VideoRun, world: WorldSequence) -> None:
    summary = done.summary
    assert summary["source"]["frames_done"] == len(world)
    assert summary["camera"]["origin"] == "calibration"
    assert summary["scale"]["unit"] == "metres"
    assert summary["frames_per_second"] > 0
    # of the whole process, whatever it did before
    assert 10**8 < summary["peak_memory_bytes"] < 2**36
    assert all((done.folder / place).exists() for place in summary["outputs"].values())
    assert not (done.folder / ".work").exists()
