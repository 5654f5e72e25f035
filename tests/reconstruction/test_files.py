"""Files for other programs, read by others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.pose import se3_exp
from vode.reconstruction.colmap_files import ModelPoints, PosedImage, write_colmap
from vode.reconstruction.ply import read_ply, write_ply
from vode.reconstruction.transforms_file import TransformFrame, write_transforms

CAMERA = Camera((48, 64), (60.0, 62.0), (31.0, 23.5))


def test_a_cloud_reads_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points, colors = rng.normal(size=(50, 3)).astype(np.float32), rng.integers(0, 256, (50, 3), np.uint8)
    write_ply(tmp_path / "cloud.ply", points, colors, ("a comment",))
    assert (tmp_path / "cloud.ply").read_bytes().endswith(points[-1].tobytes() + colors[-1].tobytes())
    found = read_ply(tmp_path / "cloud.ply")
    assert (found[0] == points).all()
    assert (found[1] == colors).all()


def test_a_cloud_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    write_ply(tmp_path / "cloud.ply", np.zeros((3, 3)), np.zeros((3, 3)))
    (tmp_path / "cut.ply").write_bytes((tmp_path / "cloud.ply").read_bytes()[:-1])
    with pytest.raises(InputError, match=r"cut\.ply: not a whole cloud"):
        read_ply(tmp_path / "cut.ply")


def test_colmap_projects_points_to_where_they_were_seen(tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    poses = [
        se3_exp(torch.tensor([0.3 * i, 0.02, 0.1 * i, 0.01, -0.03 * i, 0.02], dtype=torch.float64)) for i in range(3)
    ]
    places = torch.tensor([[0.1, 0.2, 5.0], [-0.5, 0.1, 4.0], [0.4, -0.3, 6.0]], dtype=torch.float64)
    K = torch.from_numpy(CAMERA.matrix)
    rows = []
    for v, T_world_cam in enumerate(poses):
        for p, place in enumerate(places):
            local = T_world_cam[:3, :3].mT @ (place - T_world_cam[:3, 3])
            rows.append((v, p, *((K @ local)[:2] / local[2]).tolist()))
    seen = np.array(rows)[np.random.default_rng(1).permutation(9)]
    model = ModelPoints(
        places.numpy(),
        np.full((3, 3), 7, np.uint8),
        np.zeros(3),
        seen[:, 0].astype(int),
        seen[:, 1].astype(int),
        seen[:, 2:],
    )
    write_colmap(tmp_path, CAMERA, [PosedImage(f"{i}.jpg", pose) for i, pose in enumerate(poses)], model)
    read = pycolmap.Reconstruction(str(tmp_path))
    assert read.num_points3D() == 3
    assert read.cameras[1].principal_point_x == 31.5
    for image in read.images.values():
        for feature in image.points2D:
            point = read.points3D[feature.point3D_id]
            assert np.allclose(image.project_point(point.xyz), feature.xy, atol=1e-6)
            assert any(e.image_id == image.image_id for e in point.track.elements)


def test_transforms_have_the_axes_of_opengl(tmp_path: Path) -> None:
    write_transforms(
        tmp_path / "transforms.json", CAMERA, [TransformFrame("images/0.jpg", None, torch.eye(4).double())]
    )
    content = json.loads((tmp_path / "transforms.json").read_text())
    assert np.allclose(content["frames"][0]["transform_matrix"], np.diag([1.0, -1, -1, 1]))
    assert (content["cx"], content["cy"], content["w"], content["h"]) == (31.5, 24.0, 64, 48)
