"""Calibration files: the same camera out of every kind of file, and what is refused."""

import json

import pytest

from vode.cameras.calibration import read_camera
from vode.cameras.lens import Camera
from vode.errors import InputError

SIZE = (480, 640)
PINHOLE = Camera(SIZE, (500.0, 510.0), (330.5, 235.5))
RADTAN = Camera(SIZE, (500.0, 510.0), (330.5, 235.5), "radtan", (0.1, -0.2, 0.001, 0.002))
FISHEYE = Camera(SIZE, (500.0, 510.0), (330.5, 235.5), "fisheye", (0.1, -0.02, 0.003, -0.004))

YAML = "width: 640\nheight: 480\nfx: 500\nfy: 510\ncx: 330.5\ncy: 235.5\n"
VALUES = {"width": 640, "height": 480, "fx": 500, "fy": 510, "cx": 330.5, "cy": 235.5}
P2 = "500 0 330.5 12.5 0 510 235.5 -1 0 0 1 0.003"
P_OTHER = "700 0 320 0 0 700 240 0 0 0 1 0"
TR = "Tr: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
ROS = """image_width: 640
image_height: 480
camera_name: head_camera
camera_matrix: {{rows: 3, cols: 3, data: [500.0, 0.0, 330.5, 0.0, 510.0, 235.5, 0.0, 0.0, 1.0]}}
distortion_model: {}
distortion_coefficients: {{rows: 1, cols: 4, data: [{}]}}
projection_matrix: {{rows: 3, cols: 4, data: [400, 0, 300, 0, 0, 400, 200, 0, 0, 0, 1, 0]}}
"""


def read(folder, name, text, size=SIZE, **options):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_camera(path, size, **options)


@pytest.mark.parametrize(
    ("name", "text", "camera"),
    [
        ("camera.yaml", YAML, PINHOLE),
        ("camera.YML", YAML + "lens: pinhole\ndistortion: []\n", PINHOLE),
        ("size_untold.yaml", YAML.replace("width: 640\nheight: 480\n", ""), PINHOLE),
        ("camera.json", json.dumps(VALUES), PINHOLE),
        ("info.yaml", ROS.format("plumb_bob", "0, 0, 0, 0, 0"), PINHOLE),
        ("calib.txt", f"P0: {P_OTHER}\nP1: {P_OTHER}\nP2: {P2}\nP3: {P_OTHER}\n{TR}", PINHOLE),
        ("calib.txt", f"P3: {P_OTHER}\nP2: {P2}\nP0: {P_OTHER}\n", PINHOLE),
        ("calib_cam_to_cam.txt", f"corner_dist: 9.9e-02\nP_rect_00: {P_OTHER}\nP_rect_02: {P2}\n", PINHOLE),
        ("cameras.txt", "# Camera list\n\n3 PINHOLE 640 480 500 510 331 236\n", PINHOLE),
        ("camera.yaml", YAML + "distortion: [0.1, -0.2, 0.001, 0.002]\n", RADTAN),
        ("camera.json", json.dumps(VALUES | {"lens": "radtan", "distortion": [0.1, -0.2, 0.001, 0.002]}), RADTAN),
        ("info.yaml", ROS.format("plumb_bob", "0.1, -0.2, 0.001, 0.002"), RADTAN),
        ("cameras.txt", "1 OPENCV 640 480 500 510 331 236 0.1 -0.2 0.001 0.002\n", RADTAN),
        ("camera.yaml", YAML + "lens: fisheye\ndistortion: [0.1, -0.02, 0.003, -0.004]\n", FISHEYE),
        ("info.yaml", ROS.format("equidistant", "0.1, -0.02, 0.003, -0.004"), FISHEYE),
        ("cameras.txt", "1 OPENCV_FISHEYE 640 480 500 510 331 236 0.1 -0.02 0.003 -0.004\n", FISHEYE),
    ],
)
def test_every_kind_of_file_gives_the_same_camera(tmp_path, name, text, camera):
    assert read(tmp_path, name, text) == camera


@pytest.mark.parametrize(
    ("model", "lens", "distortion"),
    [
        ("SIMPLE_PINHOLE 640 480 500 331 236", "pinhole", ()),
        ("SIMPLE_RADIAL 640 480 500 331 236 0.1", "radtan", (0.1, 0, 0, 0)),
        ("RADIAL 640 480 500 331 236 0.1 0.2", "radtan", (0.1, 0.2, 0, 0)),
        ("SIMPLE_RADIAL_FISHEYE 640 480 500 331 236 0.1", "fisheye", (0.1, 0, 0, 0)),
        ("RADIAL_FISHEYE 640 480 500 331 236 0.1 0.2", "fisheye", (0.1, 0.2, 0, 0)),
        ("SIMPLE_FISHEYE 640 480 500 331 236", "fisheye", (0, 0, 0, 0)),
        ("FISHEYE 640 480 500 500 331 236", "fisheye", (0, 0, 0, 0)),
        ("FULL_OPENCV 640 480 500 500 331 236 1 2 3 4 5 6 7 8", "radtan", (1, 2, 3, 4, 5, 6, 7, 8)),
    ],
)
def test_models_of_colmap_with_fewer_numbers(tmp_path, model, lens, distortion):
    assert read(tmp_path, "cameras.txt", f"1 {model}\n") == Camera(SIZE, (500, 500), (330.5, 235.5), lens, distortion)


def test_a_fisheye_lens_without_coefficients_is_still_no_pinhole(tmp_path):
    text = ROS.format("equidistant", "0, 0, 0, 0")
    assert read(tmp_path, "info.yaml", text) == Camera(SIZE, (500, 510), (330.5, 235.5), "fisheye", (0, 0, 0, 0))
    assert read(tmp_path, "camera.yaml", YAML + "lens: fisheye\n").lens == "fisheye"


def test_one_of_several_cameras_is_chosen_by_number(tmp_path):
    text = "1 PINHOLE 640 480 500 510 331 236\n7 PINHOLE 640 480 600 610 331 236\n"
    assert read(tmp_path, "cameras.txt", text, camera=7).focal == (600, 610)
    assert read(tmp_path, "cameras.txt", text, camera=1).focal == (500, 510)
    for number in (None, 2):
        with pytest.raises(InputError, match=r"cameras\.txt: holds cameras 1, 7; choose") as refusal:
            read(tmp_path, "cameras.txt", text, camera=number)
        assert refusal.value.parameters == ("camera",)
    with pytest.raises(InputError, match="holds cameras 1, 2; choose"):
        read(tmp_path, "cameras.txt", text.replace("7 ", "2 "))
    kitti = f"P0: {P_OTHER}\nP2: {P2}\n"
    assert read(tmp_path, "calib.txt", kitti, camera=0).focal == (700, 700)
    with pytest.raises(InputError, match="no camera P1"):
        read(tmp_path, "calib.txt", kitti, camera=1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("camera.yaml", YAML),
        ("camera.json", json.dumps(VALUES)),
        ("info.yaml", ROS.format("plumb_bob", "0")),
        ("calib.txt", f"P2: {P2}\n"),
        ("calib_cam_to_cam.txt", f"P_rect_02: {P2}\n"),
        ("cameras.txt", "1 PINHOLE 640 480 500 510 331 236\n"),
    ],
)
def test_a_camera_of_images_of_another_size_is_refused(tmp_path, name, text):
    with pytest.raises(InputError, match=r"640x480|far from the middle") as caught:
        read(tmp_path, name, text, size=(1080, 1920))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("camera.yaml", "fx: [1, 2\nfy: }", "not YAML or JSON"),
        ("camera.yaml", b"\x80\x81\xff\x00" * 50, "not YAML or JSON"),
        ("camera.json", b"\x80\x81\xff\x00" * 50, "not YAML or JSON"),
        ("camera.json", '{"fx": 5', "not YAML or JSON"),
        ("camera.json", "[" * 100_000, "not YAML or JSON"),
        ("camera.yaml", "[" * 5000, "not YAML or JSON"),
        ("camera.txt", b"\x80\x81\xff\x00" * 50, "not a text file"),
        ("camera.yaml", "", "not names with values"),
        ("cameras.txt", "", "no camera in it"),
        ("camera.yaml", YAML + "#" * 2**20, "no small calibration file"),
        ("camera.yaml", "- 640\n- 480\n", "not names with values"),
        ("camera.yaml", YAML.replace("cy: 235.5", ""), "no cy;"),
        ("camera.yaml", YAML.replace("500", ".nan"), "focal lengths (nan"),
        ("camera.yaml", YAML.replace("640", ".inf"), "float infinity"),
        ("camera.yaml", YAML.replace("500", "1" + 400 * "0"), "too large"),
        ("camera.json", json.dumps(VALUES | {"fx": 10**400}), "too large"),
        ("camera.yaml", YAML.replace("500", "wide"), "'wide'"),
        ("camera.yaml", YAML.replace("500", "-500"), "focal lengths (-500"),
        ("camera.yaml", YAML.replace("500", "[500]"), "list"),
        ("camera.yaml", YAML.replace("500", "!!int ''"), "not YAML or JSON"),
        ("camera.yaml", YAML.replace("500", "!!timestamp x"), "not YAML or JSON"),
        ("camera.yaml", YAML.replace("500", "!!bool x"), "not YAML or JSON"),
        ("camera.yaml", YAML + "distortion: [0.1, .nan, 0, 0]\n", "not a camera: size"),
        ("camera.yaml", YAML + "distortion: 0.1\n", "distortion is no list"),
        ("camera.yaml", YAML + "lens: mirror\n", "distortion model 'mirror'"),
        ("camera.yaml", YAML + "lens: [fisheye]\n", "distortion model \"['fisheye']\""),
        ("info.yaml", ROS.format("fov", "0.9"), "distortion model 'fov'"),
        (
            "info.yaml",
            ROS.format("plumb_bob", "0").replace(
                "camera_matrix: {rows: 3, cols: 3, data: [", "camera_matrix: {data: [1, "
            ),
            "a camera_matrix of 10 numbers",
        ),
        ("info.yaml", "camera_matrix: 5\n", "camera_matrix is no list"),
        ("calib.txt", "P2: 1 2 3\n", ":1: not 12 numbers"),
        ("calib.txt", "P2: 500 9 331 0 0 500 236 0 0 0 1 0\n", ":1: a camera matrix with a skew of 9"),
        ("calib.txt", f"P2: {P2.replace('500', 'nan')}\n", ":1: not 12 numbers"),
        ("calib_cam_to_cam.txt", f"P_rect_02: {P2.replace('500', '-500')}\n", "focal lengths (-500"),
        ("calib_cam_to_cam.txt", f"P_rect_00: {P2}\n", "no line P_rect_02:"),
        ("cameras.txt", "1 PINHOLE 640 480 500\n", "PINHOLE with 1 parameters"),
        ("cameras.txt", "1 PINHOLE 640 480 nan 500 331 236\n", ":1: not numbers"),
        ("cameras.txt", "1 THIN_PRISM_FISHEYE 640 480 500 500 331 236 0 0 0 0 0 0 0 0\n", "THIN_PRISM_FISHEYE with 12"),
        ("cameras.txt", "1 MIRROR 640 480 500 500 331 236\n", "MIRROR with 4 parameters"),
        ("cameras.txt", "² PINHOLE 640 480 500 500 331 236\n", "NUMBER MODEL WIDTH"),
        ("cameras.txt", "some notes of mine on the camera\n", "not a calibration that is read: 'some notes"),
    ],
)
def test_bad_files_are_refused_in_one_line_that_names_them_and_the_reason(tmp_path, name, text, reason):
    with pytest.raises(InputError) as caught:
        read(tmp_path, name, text)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert reason in str(caught.value).removeprefix(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for name in ("camera.yaml", "calib.txt"):
        with pytest.raises(InputError, match=f"{name}: no such file"):
            read_camera(tmp_path / name, SIZE)


def test_yaml_that_would_run_something_runs_nothing(tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(InputError, match=r"camera\.yaml: not YAML"):
        read(tmp_path, "camera.yaml", f"{YAML}extra: !!python/object/apply:os.system ['touch {trace}']\n")
    assert not trace.exists()


def test_coefficients_are_a_list(tmp_path):
    (tmp_path / "camera.yaml").write_text("{fx: 9, fy: 9, cx: 4, cy: 4, distortion: '12345'}")
    with pytest.raises(InputError, match="distortion is no list"):
        read_camera(tmp_path / "camera.yaml", (8, 10))


@pytest.mark.parametrize(
    ("row", "width", "height"),
    [
        ("7.215377e+02 0 6.095593e+02 0 0 7.215377e+02 1.728540e+02 0 0 0 1 0", 1242, 375),
        ("7.070493e+02 0 6.040814e+02 0 0 7.070493e+02 1.805066e+02 0 0 0 1 0", 1224, 370),
        ("7.183351e+02 0 6.003891e+02 0 0 7.183351e+02 1.815122e+02 0 0 0 1 0", 1238, 374),
    ],
)
@pytest.mark.parametrize("key", ["P2", "P_rect_02"])
def test_kittis_own_cameras_are_scaled_to_resized_images(tmp_path, key, row, width, height):
    (tmp_path / "calib.txt").write_text(f"{key}: {row}\n")
    camera = read_camera(tmp_path / "calib.txt", (2 * height, 2 * width))
    assert camera.focal[0] == pytest.approx(2 * float(row.split()[0]))
    assert camera.centre[1] == pytest.approx(2 * (float(row.split()[6]) + 0.5) - 0.5)
