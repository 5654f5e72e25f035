"""transforms.json: points seen where the format's own definition puts them, choices of files, and what is refused."""

import json
import math

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.mapped.transforms_json import TransformsDataset, TransformsSequence
from vode.errors import InputError
from vode.io.image import write_image

SIZE = 48, 64
CAMERA = {"fl_x": 50.0, "fl_y": 52.0, "cx": 33.0, "cy": 23.0, "w": 64, "h": 48}


def placed(x=0.0, y=0.0, z=5.0, degrees=(0.0, 0.0, 0.0)):
    """A camera that looks along the world's -z, with y up, turned by Euler angles about x, y and z."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix(), (x, y, z)
    return matrix.tolist()


def written(root, frames=None, name="transforms", suffix=".png", **content):
    """Write a file of two frames, or of those given, and images for them."""
    names = [f"images/{k}" for k in range(2)]
    if frames is None:
        frames = [
            {"file_path": f"{names[0]}{suffix}", "transform_matrix": placed()},
            {"file_path": f"{names[1]}{suffix}", "transform_matrix": placed(1.0, 0.5, 6.0, (10, -20, 30))},
        ]
    (root / "images").mkdir(parents=True, exist_ok=True)
    for k, stem in enumerate(names):
        write_image(root / f"{stem}.png", torch.full((3, *SIZE), 0.2 + 0.3 * k))
    (root / f"{name}.json").write_text(json.dumps({**content, "frames": frames}))
    return TransformsSequence(root, name)


def projected(sequence, index, point):
    """Pixel of a point of the scene, by the pose and the camera that the sequence gives."""
    inside = np.linalg.solve(sequence.poses_in_scene[index].numpy(), [*point, 1.0])[:3]
    assert inside[2] > 0
    pixel = sequence.intrinsics.double().numpy() @ inside
    return pixel[:2] / pixel[2]


def test_a_camera_along_minus_z_sees_what_is_up_above_the_centre(tmp_path):
    sequence = written(tmp_path, **CAMERA)
    # (1, 2, 0) is 5 before the camera, 1 to its right and 2 up; centres of pixels are at 0.5 in the file
    expected = 33 + 50 * 1 / 5 - 0.5, 23 - 52 * 2 / 5 - 0.5
    np.testing.assert_allclose(projected(sequence, 0, (1, 2, 0)), expected, atol=1e-5)
    assert not sequence.notes
    assert sequence.frame(1).sub(0.5).abs().max() < 3e-3


def test_a_turned_camera_sees_what_its_matrix_says(tmp_path):
    sequence = written(tmp_path, **CAMERA)
    turn = Rotation.from_euler("xyz", (10, -20, 30), degrees=True)
    right, up, back = turn.inv().apply(np.array([0.5, -0.3, 0.0]) - [1.0, 0.5, 6.0])
    expected = 33 - 50 * right / back - 0.5, 23 + 52 * up / back - 0.5
    np.testing.assert_allclose(projected(sequence, 1, (0.5, -0.3, 0.0)), expected, atol=1e-5)
    # In the axes of the first camera, x right, y down and z forward, the second is 1 right, 0.5 up and 1 back.
    np.testing.assert_allclose(sequence.poses[1, :3, 3], [1.0, -0.5, -1.0], atol=1e-12)


def test_the_angle_of_view_spans_the_width(tmp_path):
    sequence = written(tmp_path, camera_angle_x=math.radians(70))
    slope = math.tan(math.radians(35))
    # the outer edges of the first and the last column are at -0.5 and 63.5
    np.testing.assert_allclose(projected(sequence, 0, (-5 * slope, 0, 0)), [-0.5, 23.5], atol=1e-5)
    np.testing.assert_allclose(projected(sequence, 0, (5 * slope, 0, 0)), [63.5, 23.5], atol=1e-5)


@pytest.mark.parametrize(
    ("keys", "lens", "distortion"),
    [
        ({"k1": -0.2, "k2": 0.05, "k3": 0.02, "p1": 0.01, "p2": -0.02}, "radtan", (-0.2, 0.05, 0.01, -0.02, 0.02)),
        ({"camera_model": "OPENCV_FISHEYE"}, "fisheye", (0.0, 0.0, 0.0, 0.0)),
        ({"k1": 0.1, "k3": 0.02, "camera_model": "OPENCV_FISHEYE"}, "fisheye", (0.1, 0, 0.02, 0)),
        ({"k1": 0, "k2": 0.0, "k4": 0, "camera_model": "PINHOLE"}, "pinhole", ()),
        (
            {"k1": -0.2, "p1": 0.01, "k4": 0.1, "k5": 0.02, "k6": 0.01, "camera_model": "OPENCV"},
            "radtan",
            (-0.2, 0.0, 0.01, 0.0, 0.0, 0.1, 0.02, 0.01),
        ),
    ],
)
def test_a_dot_seen_through_the_lens_is_undistorted(tmp_path, keys, lens, distortion):
    sequence = written(tmp_path, **CAMERA, **keys)
    assert (sequence.lens.lens, sequence.lens.distortion) == (lens, distortion)
    ray, matrix = np.array([[[0.3, -0.25, 1.0]]]), np.array([[50.0, 0, 32.5], [0, 52, 22.5], [0, 0, 1]])
    if lens == "fisheye":
        seen = cv2.fisheye.distortPoints(ray[..., :2], matrix, np.array(distortion))
    else:
        seen = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), matrix, np.array(distortion or (0.0,) * 4))[0]
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    dot = torch.tensor(np.exp(-((columns - seen[0, 0, 0]) ** 2 + (rows - seen[0, 0, 1]) ** 2) / 4.5))
    write_image(tmp_path / "images" / "0.png", dot.expand(3, -1, -1))
    found = sequence.frame(0)[0].double().numpy()
    centre = (found * columns).sum() / found.sum(), (found * rows).sum() / found.sum()
    expected = sequence.intrinsics.double().numpy() @ ray[0, 0]
    np.testing.assert_allclose(centre, expected[:2], atol=0.1)


def test_names_may_lack_the_suffix_and_images_may_have_alpha(tmp_path):
    sequence = written(tmp_path, suffix="", **CAMERA)
    assert [path.name for path in sequence.images] == ["0.png", "1.png"]
    pixels = np.full((*SIZE, 4), (30, 20, 10, 128), np.uint8)
    cv2.imwrite(str(tmp_path / "images" / "0.png"), pixels)
    (tmp_path / "images" / "1.png").rename(tmp_path / "images" / "1.jpg.png")
    cv2.imwrite(str(tmp_path / "images" / "1.jpg"), pixels[..., :3])
    sequence = TransformsSequence(tmp_path, "transforms")
    assert [path.name for path in sequence.images] == ["0.png", "1.jpg"]
    expected = torch.tensor([10, 20, 30]).view(3, 1, 1) / 255
    torch.testing.assert_close(sequence.frame(0), expected.expand(3, *SIZE))


def test_training_and_testing_take_the_file_that_is_named_so(tmp_path):
    with pytest.raises(InputError, match=r"no transforms.json"):
        TransformsDataset(tmp_path).names("train")
    written(tmp_path, name="transforms_b", **CAMERA)
    written(tmp_path, name="transforms_a", **CAMERA)
    both = ("transforms_a", "transforms_b")
    assert TransformsDataset(tmp_path).names("train") == TransformsDataset(tmp_path).names("test") == both
    written(tmp_path, name="transforms_train", **CAMERA)
    written(tmp_path, name="transforms_test", **CAMERA)
    assert TransformsDataset(tmp_path).names() == (*both, "transforms_test", "transforms_train")
    assert TransformsDataset(tmp_path).names("train") == ("transforms_train",)
    assert TransformsDataset(tmp_path).names("test") == ("transforms_test",)


USELESS = [
    (np.eye(4) * [1, 1, 1, np.nan]).tolist(),
    np.zeros((4, 4)).tolist(),
    np.diag([1.0, 1, 1, 0]).tolist(),
    np.diag([1.0, 1, -1, 1]).tolist(),
    np.diag([2.0, 2, 2, 1]).tolist(),
]


@pytest.mark.parametrize("matrix", USELESS)
def test_useless_matrices_and_missing_images_are_left_out_and_counted(tmp_path, matrix):
    frames = [{"file_path": "images/0.png", "transform_matrix": m} for m in (matrix, placed(), placed(1.0), matrix)]
    sequence = written(tmp_path, [*frames, {**frames[1], "file_path": "images/9.png"}], **CAMERA)
    assert len(sequence) == len(sequence.poses) == 2
    assert sequence.notes[0].startswith("1 of 5 images are missing")
    assert sequence.notes[1].startswith("2 of 4 images whose pose is not finite or no rotation")
    np.testing.assert_allclose(sequence.poses[1, :3, 3], [1, 0, 0], atol=1e-12)
    with pytest.raises(InputError, match="no image has a usable pose"):
        written(tmp_path, frames[:1], **CAMERA)


def frame(**changes):
    return {"file_path": "images/0.png", "transform_matrix": placed(), **changes}


@pytest.mark.parametrize(
    ("frames", "content", "says"),
    [
        ([], CAMERA, "no frames in it"),
        ({"0": frame()}, CAMERA, "no frames in it"),
        (["images/0.png"], CAMERA, "frame 0 has no file_path"),
        ([frame(), frame(file_path=7)], CAMERA, "frame 1 has no file_path"),
        ([frame(), {"file_path": "images/0.png"}], CAMERA, "frame 1 has no 4x4 transform_matrix"),
        *[
            ([frame(transform_matrix=matrix)], CAMERA, "frame 0 has no 4x4 transform_matrix")
            for matrix in (None, {}, "1 0 0 0", placed()[:3], [[1, 0], [0]], [["a"] * 4] * 4, [[10**400] * 4] * 4)
        ],
        *[
            ([frame(), frame(file_path=name)], CAMERA, "leads out of this folder")
            for name in ("../images/0.png", "../0", "/etc/passwd", "images/../../0.png")
        ],
        ([frame(file_path="images/7.png")], CAMERA, "not one of its 1 images is there"),
        ([frame(file_path=".")], CAMERA, "not one of its 1 images is there"),
        ([frame(file_path="a" * 300)], CAMERA, "not one of its 1 images is there"),
        ([frame()], {}, "needs fl_x or camera_angle_x"),
        *[
            ([frame()], {**CAMERA, **wrong}, "transforms.json: no")
            for wrong in ({"fl_x": "wide"}, {"fl_x": [50]}, {"h": math.inf}, {"w": math.nan}, {"fl_x": 10**400})
        ],
        ([frame()], {**CAMERA, "fl_x": -50}, "not a camera"),
        *[
            ([frame()], {**CAMERA, "camera_model": model}, f"distortion model '{model}' is not read")
            for model in ("EQUIRECTANGULAR", "ORTHOPHOTO", "FISHEYE624", "OMNIDIRECTIONALSTEREO_L", "VR180_R")
        ],
        ([frame(camera_model="EQUIRECTANGULAR")], CAMERA, "distortion model 'EQUIRECTANGULAR' is not read"),
        ([frame()], {**CAMERA, "k1": -0.1, "k4": 0.5}, "k4 without k5 and k6"),
        ([frame()], {**CAMERA, "is_fisheye": True, "p1": 0.1}, "p1 of a fisheye lens"),
        ([frame()], {**CAMERA, "k7": 0.1}, "transforms.json: k7 of the camera, which is not read"),
        ([frame(distortion_params=[0.1])], CAMERA, "transforms.json: distortion_params of the camera"),
        ([frame()], {"camera_angle_x": 0.0}, "transforms.json: no"),
        ([frame()], {**CAMERA, "camera_angle_x": 1.5}, "fl_x 50 and camera_angle_x 1.5 contradict"),
        ([frame()], {"fl_x": 100, "camera_angle_x": 2 * math.atan(0.64)}, "over 64 pixels; correct one of them"),
        *[
            (
                [frame()],
                {**CAMERA, **odd},
                f"transforms.json: {next(iter(odd))} of the camera, which is not read; give ",
            )
            for odd in ({"k": [0.1]}, {"intrinsic_matrix": [[50, 0, 32]]}, {"fov": 70}, {"width": 64}, {"fx": 50})
        ],
        ([frame(intrinsics=[50, 50, 32, 24])], CAMERA, "intrinsics of the camera, which is not read"),
        ([frame()], {**CAMERA, "camera_type": "spherical"}, "distortion model 'spherical' is not read"),
        ([frame()], {**CAMERA, "model": "ORTHO"}, "distortion model 'ORTHO' is not read"),
        ([frame()], {**CAMERA, "camera_model": "OPENCV", "model": "PINHOLE"}, "camera_model and model differ"),
        ([frame()], {**CAMERA, "w": 128, "h": 80}, "128x80 pixels, but the images are 64x48"),
        ([frame(), frame(fl_x=60)], CAMERA, "of several cameras"),
    ],
)
def test_bad_content_is_named(tmp_path, frames, content, says):
    write_image(tmp_path / "scene.png", torch.zeros(3, *SIZE))  # which "." must not name
    with pytest.raises(InputError, match=says):
        written(tmp_path / "scene", frames, **content)


def test_zeros_and_what_is_not_of_the_camera_are_no_lens(tmp_path):
    assert written(tmp_path, **CAMERA, k=[0, 0.0], aabb_scale=4, camera_type="PINHOLE", ply_file_path="a.ply").lens
    assert written(tmp_path, fl_x=50, camera_angle_x=2 * math.atan(0.64)).lens.focal == (50, 50)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "[" * 100000, '"frames"', "{'frames': 1}", "\udcff"])
def test_bad_json_is_named(tmp_path, text):
    (tmp_path / "transforms.json").write_text(text, errors="surrogateescape")
    with pytest.raises(InputError, match=r"transforms.json: not "):
        TransformsSequence(tmp_path, "transforms")
    with pytest.raises(InputError, match="no such file"):
        TransformsSequence(tmp_path, "transforms_train")
    with pytest.raises(InputError, match="leads out of this folder"):
        TransformsSequence(tmp_path, "../transforms")
