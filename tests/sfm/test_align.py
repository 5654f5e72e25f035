"""Two maps of one place whose difference is known: COLMAP models, transforms.json and Cambridge's lists."""

import json

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.cli import main
from vode.datasets.mapped.colmap import ColmapSequence
from vode.datasets.mapped.transforms_json import TransformsSequence, names_in
from vode.errors import InputError
from vode.io.image import write_image
from vode.sfm.align import align, read_scene, write_aligned

SIZE = 6, 8
COUNT = 30
SCALE, TURN, SHIFT = 2.5, Rotation.from_rotvec([0.5, -1.0, 2.0]), np.array([10.0, -3, 7])
"""that take the second map to the first"""


def walk(line=False, seed=0):
    """World-from-camera poses (N, 4, 4) of the first map."""
    generator = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (COUNT, 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(generator.normal(size=(COUNT, 3))).as_matrix()
    poses[:, :3, 3] = np.cumsum(generator.normal(size=(COUNT, 3)), 0) * ([1, 0, 0] if line else 1)
    return poses


def into_second(poses):
    """The same poses in the axes and units of the second map."""
    moved = poses.copy()
    moved[:, :3, :3] = TURN.inv().as_matrix() @ poses[:, :3, :3]
    moved[:, :3, 3] = TURN.inv().apply((poses[:, :3, 3] - SHIFT) / SCALE)
    return moved


def shaken(poses, noise=0.0, wrong=0.0, seed=1):
    """Poses with noise on centres and angles, and a fraction of them anywhere."""
    generator, moved = np.random.default_rng(seed), poses.copy()
    turns = Rotation.from_rotvec(noise * generator.normal(size=(COUNT, 3))).as_matrix()
    moved[:, :3, :3] = moved[:, :3, :3] @ turns
    moved[:, :3, 3] += noise * generator.normal(size=(COUNT, 3))
    lost = range(round(wrong * COUNT))
    moved[lost, :3, 3] += 3 * generator.normal(size=(len(lost), 3))
    return moved


def images(folder, names):
    for k, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(folder / name, torch.full((3, *SIZE), k / COUNT))


def colmap(root, poses, names=None, points=None):
    """A text model, by the format's own words: camera-from-world, quaternion w first."""
    names = names or [f"walk/{k:03d}.png" for k in range(len(poses))]
    images(root / "images", names)
    (root / "sparse" / "0").mkdir(parents=True)
    (root / "sparse" / "0" / "cameras.txt").write_text("1 PINHOLE 8 6 7 7 4 3\n")
    lines = []
    for k, (name, pose) in enumerate(zip(names, poses, strict=True), start=1):
        x, y, z, w = Rotation.from_matrix(pose[:3, :3].T).as_quat()
        numbers = " ".join(map(repr, map(float, (w, x, y, z, *-pose[:3, :3].T @ pose[:3, 3]))))
        lines += [f"{k} {numbers} 1 {name}", "1.5 2.5 -1" if points is None else "1.5 2.5 7"]
    (root / "sparse" / "0" / "images.txt").write_text("\n".join(lines) + "\n")
    track = " ".join(f"{k} 0" for k in range(1, len(poses) + 1))
    rows = [] if points is None else [f"7 {points[0]} {points[1]} {points[2]} 9 8 7 0.5 {track}\n"]
    (root / "sparse" / "0" / "points3D.txt").write_text("".join(rows))
    return root


def transforms(root, poses, folder="images/walk"):
    names = [f"{folder}/{k:03d}.jpg" for k in range(len(poses))]
    images(root, names)
    frames = [
        {"file_path": name, "transform_matrix": (pose @ np.diag([1, -1, -1, 1])).tolist()}
        for name, pose in zip(names, poses, strict=True)
    ]
    (root / "transforms.json").write_text(json.dumps({"fl_x": 7, "k1": 0.01, "frames": frames}))
    return root


def cambridge(root, poses):
    names = [f"walk/{k:03d}.png" for k in range(len(poses))]
    images(root, names)
    rows = []
    for name, pose in zip(names, poses, strict=True):
        x, y, z, w = Rotation.from_matrix(pose[:3, :3].T).as_quat()
        rows.append(" ".join([name, *map(repr, map(float, (*pose[:3, 3], w, x, y, z)))]))
    (root / "dataset_train.txt").write_text("\n".join(["head", "head", "", *rows]) + "\n")
    return root


def of(a, b):
    return align(read_scene(a), read_scene(b))


def check_transform(found, tolerance=1e-9):
    assert found.scale == pytest.approx(SCALE, rel=tolerance)
    np.testing.assert_allclose(found.rotation, TURN.as_matrix(), atol=tolerance)
    np.testing.assert_allclose(found.translation, SHIFT, atol=30 * tolerance)


@pytest.mark.parametrize("write", [colmap, transforms, cambridge])
def test_any_layout_is_brought_into_the_axes_of_a_model(tmp_path, write):
    ground_truth = walk()
    a, b = colmap(tmp_path / "a", ground_truth), write(tmp_path / "b", into_second(ground_truth))
    found = of(a, b)
    check_transform(found)
    assert (found.inliers.images, found.shared.images, found.outliers) == (COUNT, COUNT, ())
    assert found.shared.position_max < 1e-9
    assert found.shared.rotation_max < 1e-6
    if write is colmap:
        pytest.importorskip("pycolmap")
    write_aligned(read_scene(b), found, tmp_path / "out")
    if write is colmap:
        sequence = ColmapSequence(tmp_path / "out", "walk")
    else:
        (name,) = names_in(tmp_path / "out")
        sequence = TransformsSequence(tmp_path / "out", name)
    np.testing.assert_allclose(sequence.poses_in_scene, ground_truth, atol=1e-9)
    assert [round(float(sequence.frame(k).mean()) * COUNT) for k in (0, 7)] == [0, 7]
    if write is transforms:
        assert sequence.lens == TransformsSequence(b, "transforms").lens


def test_points_go_along(tmp_path):
    pycolmap = pytest.importorskip("pycolmap")
    point, ground_truth = np.array([1.0, 2, 30]), walk()
    second = TURN.inv().apply((point - SHIFT) / SCALE)
    a, b = colmap(tmp_path / "a", ground_truth), colmap(tmp_path / "b", into_second(ground_truth), points=second)
    write_aligned(read_scene(b), of(a, b), tmp_path / "out")
    model = pycolmap.Reconstruction(tmp_path / "out" / "sparse" / "0")
    (found,) = model.points3D.values()
    np.testing.assert_allclose(found.xyz, point, atol=1e-9)
    assert (len(found.track.elements), model.compute_num_observations()) == (COUNT, COUNT)


@pytest.mark.parametrize("line", [False, True])
def test_noise_and_outliers(tmp_path, line):
    ground_truth = walk(line)
    a, b = colmap(tmp_path / "a", ground_truth), colmap(tmp_path / "b", shaken(into_second(ground_truth), 0.01, 0.3))
    found = of(a, b)
    # 21 inliers with noise of 0.01 of B's units and radians: 0.01 / sqrt(21), three times over.
    check_transform(found, 0.01)
    assert set(found.outliers) == {f"walk/{k:03d}" for k in range(9)}
    assert found.inliers.position_max < 5 * 0.01 * SCALE < found.shared.position_max
    assert 0.005 < found.inliers.rotation_median < 0.03


def test_what_cannot_be_aligned_is_refused(tmp_path):
    ground_truth = walk()
    second = into_second(ground_truth)
    a = colmap(tmp_path / "a", ground_truth)
    with pytest.raises(InputError, match=r"2 shared images of 30 and 2, 3 are needed; .*walk/000.png"):
        of(a, colmap(tmp_path / "few", second[:2]))
    with pytest.raises(InputError, match=r"0 shared images"):
        of(a, colmap(tmp_path / "other", second, [f"run/{k}.png" for k in range(COUNT)]))
    with pytest.raises(InputError, match="no similarity fits"):
        of(a, colmap(tmp_path / "mixed", second[np.random.default_rng(0).permutation(COUNT)]))
    still = second.copy()
    still[:, :3, 3] = 1.0
    with pytest.raises(InputError, match="scale is undetermined"):
        of(a, colmap(tmp_path / "still", still))
    with pytest.raises(InputError, match=r"no sparse/0 of COLMAP, no transforms.json"):
        read_scene(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        read_scene(tmp_path / "nowhere")


def test_the_verb_reports_and_writes(tmp_path, capsys):
    ground_truth = walk()
    a, b = colmap(tmp_path / "a", ground_truth), transforms(tmp_path / "b", shaken(into_second(ground_truth), 0.0, 0.2))
    out, report = tmp_path / "out", tmp_path / "report.json"
    assert main(["scene", "align", str(a), str(b), "--json", str(report)]) == 0
    printed = capsys.readouterr().out
    assert "scale 2.5;" in printed
    assert printed.splitlines()[2].split() == ["images", "24", "30"]
    numbers = json.loads(report.read_text())
    assert numbers["scale"] == pytest.approx(SCALE)
    assert len(numbers["outliers"]) == 6
    assert not out.exists()
    assert main(["scene", "align", str(a), str(b), "--out", str(out)]) == 0
    np.testing.assert_allclose(TransformsSequence(out, "transforms").poses_in_scene[6:], ground_truth[6:], atol=1e-9)
    assert main(["scene", "align", str(a), str(b), "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err
