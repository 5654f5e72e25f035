"""COLMAP: models that pycolmap writes, judged by its own projections."""

import struct

import numpy as np
import pytest
import torch

from tests.datasets.mapped.colmap_models import NAMES, PINHOLE, POINTS, SIZE, mapped
from vode.datasets.mapped.colmap import ColmapDataset, ColmapSequence
from vode.datasets.mapped.colmap_model import read_model, read_points
from vode.errors import InputError
from vode.io.image import write_image

pycolmap = pytest.importorskip("pycolmap")

RATIONAL = -0.2, 0.03, 0.01, -0.02, 0.01, 0.1, 0.02, 0.01

both = pytest.mark.parametrize("kind", ["text", "binary"])


def projected(sequence, index, points=POINTS):
    """Pixels of the points by the pose and the camera that the sequence gives."""
    points = np.linalg.solve(sequence.poses_in_scene[index].numpy(), np.c_[points, np.ones(len(points))].T)[:3]
    pixels = sequence.intrinsics.double().numpy() @ points
    return (pixels[:2] / pixels[2]).T


@both
def test_points_are_seen_half_a_pixel_from_where_colmap_sees_them(tmp_path, kind):
    model = mapped(tmp_path, kind)
    sequence = ColmapSequence(tmp_path, "walk")
    assert ([path.name for path in sequence.images], sequence.notes) == (["1.png", "2.png", "3.png"], ())
    for i, k in enumerate([1, 0, 4]):
        true = np.array([model.images[10 + k].project_point(point) for point in POINTS])
        # COLMAP has the centres of pixels at 0.5; intrinsics are float32
        np.testing.assert_allclose(true - projected(sequence, i), 0.5, atol=2e-5)
        assert sequence.frame(i).sub(0.1 * k).abs().max() < 3e-3
    first, second = (model.images[k].cam_from_world() for k in (11, 10))
    np.testing.assert_allclose(sequence.poses[1, :3], (first * second.inverse()).matrix(), atol=1e-12)


@both
def test_the_model_has_the_points_that_each_image_sees(tmp_path, kind):
    ground_truth = mapped(tmp_path, kind)
    model, points = read_model(tmp_path / "sparse" / "0"), read_points(tmp_path / "sparse" / "0")
    numbers = sorted(ground_truth.points3D)
    assert points.numbers.tolist() == numbers
    np.testing.assert_array_equal(points.places, [ground_truth.points3D[number].xyz for number in numbers])
    for image in model.images:
        features = ground_truth.find_image_with_name(image.name).points2D
        assert image.points.tolist() == [f.point3D_id for f in features if f.has_point3D()]
    assert sorted(len(image.points) for image in model.images) == [0, 1, 2, 3, 3]


def surveyed(root, kind):
    """Write three images that see some of 60 points where these are, between features of no point; return the model."""
    random, model = np.random.default_rng(7), pycolmap.Reconstruction()
    camera = pycolmap.Camera(model="PINHOLE", width=SIZE[1], height=SIZE[0], params=PINHOLE[1], camera_id=1)
    model.add_camera_with_trivial_rig(camera)
    points, tracks = random.uniform([-2, -2, 4], [2, 2, 9], (60, 3)), [[] for _ in range(60)]
    for k, name in enumerate(["walk/2.png", "walk/1.png", "walk/3.png"]):
        rotation = pycolmap.Rotation3d(np.array([0.03 * k, -0.05, 0.1 * k]))
        pose = pycolmap.Rigid3d(rotation, np.array([0.3 * k, -0.1, 0.2]))
        seen, pixels = random.permutation(60)[: 20 + 5 * k], random.uniform(0, 90, (40 + 5 * k, 2))
        places = random.permutation(len(pixels))[: len(seen)]
        pixels[places] = camera.img_from_cam(pose * points[seen])
        for point, place in zip(seen, places, strict=True):
            tracks[point].append(pycolmap.TrackElement(10 + k, place))
        model.add_image_with_trivial_frame(pycolmap.Image(name, pixels, 1, 10 + k), pose)
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(root / "images" / name, torch.zeros(3, *SIZE))
    for point, track in zip(points, tracks, strict=True):
        model.add_point3D(point, pycolmap.Track(track))
    for number in sorted(model.points3D)[::4]:
        model.delete_point3D(number)
    (root / "sparse" / "0").mkdir(parents=True)
    getattr(model, f"write_{kind}")(root / "sparse" / "0")
    return model


@both
def test_points_project_onto_the_features_that_saw_them(tmp_path, kind):
    model = surveyed(tmp_path, kind)
    sequence = ColmapSequence(tmp_path, "walk")
    for i, name in enumerate(["walk/1.png", "walk/2.png", "walk/3.png"]):
        features = model.find_image_with_name(name).points2D
        numbered = sorted((feature.point3D_id, *feature.xy) for feature in features if feature.has_point3D())
        points = sequence.points(i)
        assert points.dtype == torch.float64
        assert 10 < len(points) == len(numbered) < 60
        # COLMAP has the centres of pixels at 0.5
        np.testing.assert_allclose(projected(sequence, i, points.numpy()), np.array(numbered)[:, 1:] - 0.5, atol=1e-3)


def test_points_stay_with_their_images_when_others_are_left_out(tmp_path):
    surveyed(tmp_path, "binary")
    whole = ColmapSequence(tmp_path, "walk")
    (tmp_path / "images" / "walk" / "2.png").unlink()
    torch.testing.assert_close(ColmapSequence(tmp_path, "walk").points(1), whole.points(2))


def test_a_point_seen_twice_by_an_image_counts_once_and_no_points_are_none(tmp_path):
    mapped(tmp_path, "text")
    folder = tmp_path / "sparse" / "0"
    images = (folder / "images.txt").read_text()
    assert "2 3 2" in images
    (folder / "images.txt").write_text(images.replace("2 3 2", "2 3 1"))
    np.testing.assert_array_equal(ColmapSequence(tmp_path, "images").points(0), POINTS[:1])
    assert ColmapSequence(tmp_path, "walk").points(1).shape == (0, 3)
    (folder / "points3D.txt").unlink()
    assert ColmapSequence(tmp_path, "walk").points(1) is None


def test_points_in_any_order_are_read_again_when_the_file_has_changed(tmp_path):
    mapped(tmp_path, "text")
    path = tmp_path / "sparse" / "0" / "points3D.txt"
    assert read_points(path.parent) is read_points(path.parent)
    lines = path.read_text().replace("2 -2 ", "2 -2.25 ").splitlines()
    path.write_text("\n".join(lines[::-1]))
    found = read_points(path.parent)
    assert (found.numbers.tolist(), found.places[:, 0].tolist()) == ([1, 2, 3], [2, -2.25, 0.5])


@both
def test_points_that_are_not_there_are_named(tmp_path, kind):
    model = mapped(tmp_path, kind)
    model.delete_point3D(2)
    (other := tmp_path / "other").mkdir()
    getattr(model, f"write_{kind}")(other)
    name = f"points3D.{'txt' if kind == 'text' else 'bin'}"
    (tmp_path / "sparse" / "0" / name).write_bytes((other / name).read_bytes())
    with pytest.raises(InputError, match=r"0: 3.png sees point 2, which is not there; export again"):
        ColmapSequence(tmp_path, "walk").points(0)
    assert len(ColmapSequence(tmp_path, "walk")) == 3


def test_a_binary_point_that_is_nowhere_is_named(tmp_path):
    mapped(tmp_path, "binary")
    path = tmp_path / "sparse" / "0" / "points3D.bin"
    data = path.read_bytes()
    path.write_bytes(data[:16] + struct.pack("<d", np.nan) + data[24:])
    with pytest.raises(InputError, match=r"points3D.bin: point \d is nowhere"):
        ColmapSequence(tmp_path, "walk").points(0)


@both
@pytest.mark.parametrize(
    ("camera", "lens", "distortion"),
    [
        (("OPENCV", (110, 108, 66.2, 46.1, -0.2, 0.03, 0.01, -0.02)), "radtan", (-0.2, 0.03, 0.01, -0.02)),
        (("SIMPLE_RADIAL", (110, 66.2, 46.1, -0.2)), "radtan", (-0.2, 0, 0, 0)),
        (("OPENCV_FISHEYE", (110, 108, 66.2, 46.1, 0.1, -0.05, 0.02, 0.01)), "fisheye", (0.1, -0.05, 0.02, 0.01)),
        (("RADIAL_FISHEYE", (110, 66.2, 46.1, 0.1, -0.05)), "fisheye", (0.1, -0.05, 0, 0)),
        (("SIMPLE_FISHEYE", (110, 66.2, 46.1)), "fisheye", (0, 0, 0, 0)),
        (("FULL_OPENCV", (110, 108, 66.2, 46.1, *RATIONAL)), "radtan", RATIONAL),
    ],
)
def test_straightened_dots_lie_where_we_project_them(tmp_path, kind, camera, lens, distortion):
    model = mapped(tmp_path, kind, [camera], ["1.png"])
    sequence = ColmapSequence(tmp_path, "images")
    assert (sequence.lens.lens, sequence.lens.distortion) == (lens, distortion)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    for point, (x, y) in zip(POINTS, projected(sequence, 0), strict=True):
        u, v = model.images[10].project_point(point) - 0.5
        dot = np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / 4.5)
        write_image(tmp_path / "images" / "1.png", torch.tensor(dot).expand(3, -1, -1))
        seen = sequence.frame(0)[0].double().numpy()
        found = (seen * columns).sum() / seen.sum(), (seen * rows).sum() / seen.sum()
        np.testing.assert_allclose(found, (x, y), atol=0.15)


def test_sequences_are_folders(tmp_path):
    mapped(tmp_path, "binary")
    assert ColmapDataset(tmp_path).names() == ColmapDataset(tmp_path).names("train") == ("images", "run/far", "walk")
    assert [path.name for path in ColmapSequence(tmp_path, "images").images] == ["top.png"]
    assert len(ColmapSequence(tmp_path, "run/far")) == 1
    with pytest.raises(InputError, match="no images of a folder 'run'; there are images, run/far, walk"):
        ColmapSequence(tmp_path, "run")


@both
@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_missing_images_and_useless_poses_are_left_out_and_counted(tmp_path, kind, value):
    mapped(tmp_path, kind, turns={"walk/2.png": [value] * 4, "run/far/1.png": [value] * 4})
    (tmp_path / "images" / "walk" / "1.png").unlink()
    sequence = ColmapSequence(tmp_path, "walk")
    assert [path.name for path in sequence.images] == ["3.png"]
    assert sequence.notes[0].startswith("1 of 3 images are missing: first")
    assert sequence.notes[1].startswith("1 of 2 images whose pose is not finite or no rotation")
    with pytest.raises(InputError, match="no image has a usable pose"):
        ColmapSequence(tmp_path, "run/far")
    (tmp_path / "images" / "top.png").unlink()
    with pytest.raises(InputError, match="not one of its 1 images is there"):
        ColmapSequence(tmp_path, "images")


def test_cameras_of_one_folder_must_be_alike(tmp_path):
    mapped(tmp_path / "near", "binary", [PINHOLE, ("PINHOLE", (110.6, 108.4, 66.4, 46.1))], NAMES[:2])
    near = ColmapSequence(tmp_path / "near", "walk")
    np.testing.assert_allclose(near.intrinsics.diagonal(), [110.3, 108.2, 1], rtol=1e-6)
    assert len(near.notes) == 1
    other = {"bent": ("OPENCV_FISHEYE", (*PINHOLE[1], 0, 0, 0, 0)), "far": ("PINHOLE", (116, 108, 66.2, 46.1))}
    for name, camera in other.items():
        mapped(tmp_path / name, "binary", [PINHOLE, camera], NAMES[:2])
        with pytest.raises(InputError, match="walk is of several cameras"):
            ColmapSequence(tmp_path / name, "walk")
