"""Camera files of other tools: the same camera out of each, its lens judged by OpenCV, and what is refused by name."""

import json

import cv2
import numpy as np
import pytest

from vode.cameras.calibration import read_camera
from vode.cameras.lens import Camera
from vode.errors import InputError

SIZE = (128, 416)
FOCAL, CENTRE = (251.3, 250.9), (208.4, 65.1)
BENT, FISH = (-0.28, 0.07, 0.0002, 1.7e-05), (-0.0321, 0.0104, -0.0072, 0.0019)
PINHOLE = Camera(SIZE, FOCAL, CENTRE)
RADTAN = Camera(SIZE, FOCAL, CENTRE, "radtan", BENT)
RADTAN_5 = Camera(SIZE, FOCAL, CENTRE, "radtan", (*BENT, 0.0))
FISHEYE = Camera(SIZE, FOCAL, CENTRE, "fisheye", FISH)

OWN = {"width": 416, "height": 128, "fx": 251.3, "fy": 250.9, "cx": 208.4, "cy": 65.1}
ROW = "251.3 250.9 208.4 65.1"
BENT_ROW = f"{ROW} -0.28 0.07 0.0002 0.000017"
FISH_ROW = " ".join(map(str, FISH))
K = "251.3, 0., 208.4, 0., 250.9, 65.1, 0., 0., 1."
OPENCV = f"""%YAML:1.0
---
calibration_time: "Mon 01 Jan 2024"
image_width: 416
image_height: 128
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ {K} ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ -0.28, 0.07, 0.0002, 1.7e-05, 0. ]
avg_reprojection_error: 0.31
"""
ROS_1 = f"""header:
  seq: 0
  stamp: {{secs: 1, nsecs: 2}}
height: 128
width: 416
distortion_model: "plumb_bob"
D: [-0.28, 0.07, 0.0002, 1.7e-05, 0.0]
K: [{K}]
R: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
P: [200.0, 0.0, 208.4, 0.0, 0.0, 200.0, 65.1, 0.0, 0.0, 0.0, 1.0, 0.0]
binning_x: 0
binning_y: 0
roi: {{x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}}
"""
MATRIX_FISH = f"""camera_matrix: {{rows: 3, cols: 3, data: [{K}]}}
distortion_model: equidistant
distortion_coefficients: {{rows: 1, cols: 4, data: [{", ".join(FISH_ROW.split())}]}}
image_width: 416
image_height: 128
"""
ROS_2 = ROS_1.replace("D:", "d:").replace("K:", "k:").replace("R:", "r:").replace("P:", "p:") + "---\n"
SENSOR = """# General sensor definitions.
sensor_type: camera
comment: VI-Sensor cam0
T_BS: {cols: 4, rows: 4, data: [0,-1,0,0, 1,0,0,0, 0,0,1,0, 0,0,0,1]}
rate_hz: 20
resolution: [416, 128]
camera_model: pinhole
intrinsics: [251.3, 250.9, 208.4, 65.1]
distortion_model: radial-tangential
distortion_coefficients: [-0.28, 0.07, 0.0002, 1.7e-05]
"""
CAMCHAIN = """cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: [-0.0321, 0.0104, -0.0072, 0.0019]
  distortion_model: equidistant
  intrinsics: [251.3, 250.9, 208.4, 65.1]
  resolution: [416, 128]
  rostopic: /cam0/image_raw
"""
ORB = """%YAML:1.0
#-----
Camera.type: "PinHole"
Camera.fx: 251.3
Camera.fy: 250.9
Camera.cx: 208.4
Camera.cy: 65.1
Camera.k1: -0.28
Camera.k2: 0.07
Camera.p1: 0.0002
Camera.p2: 1.7e-05
Camera.width: 416
Camera.height: 128
Camera.fps: 20.0
ORBextractor.nFeatures: 1000
Viewer.KeyFrameSize: 0.05
"""
ORB_FISHEYE = (
    "".join(f"Camera1.{k}: {v}\n" for k, v in zip(("fx", "fy", "cx", "cy"), (*FOCAL, *CENTRE), strict=True))
    + "".join(f"Camera1.k{k}: {v}\n" for k, v in enumerate(FISH, start=1))
    + 'File.version: "1.0"\nCamera.type: "KannalaBrandt8"\nCamera.width: 416\nCamera.height: 128\n'
)
STELLA = """Camera:
  name: "mine"
  setup: "monocular"
  model: "perspective"
  fx: 251.3
  fy: 250.9
  cx: 208.4
  cy: 65.1
  k1: -0.28
  k2: 0.07
  p1: 0.0002
  p2: 1.7e-05
  k3: 0.0
  cols: 416
  rows: 128
  fps: 30.0
Feature: {max_num_keypoints: 1000}
"""


def read(folder, name, text, **options):
    (folder / name).write_text(text if isinstance(text, str) else json.dumps(text))
    return read_camera(folder / name, SIZE, **options)


@pytest.mark.parametrize(
    ("name", "text", "camera"),
    [
        ("opencv.yaml", OPENCV, RADTAN_5),
        (
            "opencv.json",
            {"camera_matrix": {"dt": "d", "data": [251.3, 0, 208.4, 0, 250.9, 65.1, 0, 0, 1]}},
            PINHOLE,
        ),
        ("opencv.yml", OPENCV.replace("avg_rep", "fisheye_model: 0\navg_rep"), RADTAN_5),
        ("caminfo_1.yaml", ROS_1, RADTAN_5),
        ("caminfo_2.yaml", ROS_2, RADTAN_5),
        ("caminfo.txt", ROS_2, RADTAN_5),
        ("sensor.yaml", SENSOR, RADTAN),
        ("camchain.yaml", CAMCHAIN, FISHEYE),
        ("orb.yaml", ORB, RADTAN),
        ("orb_fisheye.yaml", ORB_FISHEYE, FISHEYE),
        ("stella.yaml", STELLA, RADTAN),
        ("mast3r.yaml", f"width: 416\nheight: 128\ncalibration: [{BENT_ROW.replace(' ', ', ')}]\n", RADTAN),
        ("droid.txt", f"{ROW}\n", PINHOLE),
        ("dpvo.txt", f"{BENT_ROW}\n", RADTAN),
        ("five.txt", f"{BENT_ROW} 0.0", RADTAN_5),
        ("commas.txt", f"# mine\n{BENT_ROW.replace(' ', ', ')}\n\n", RADTAN),
        ("matrix.txt", "251.3 0 208.4\n0 250.9 65.1\n0 0 1\n", PINHOLE),
        ("one_line_matrix.txt", "251.3 0 208.4 0 250.9 65.1 0 0 1\n", PINHOLE),
        ("scannet.txt", "251.3 0 208.4 0\n0 250.9 65.1 0\n0 0 1 0\n0 0 0 1\n", PINHOLE),
        ("dso.txt", f"Pinhole {ROW} 0\n416 128\ncrop\n416 128\n", PINHOLE),
        ("dso_old.txt", f"{ROW} 0\n416 128\ncrop\n640 480\n", PINHOLE),
        ("dso_bent.txt", f"RadTan {BENT_ROW}\n416 128\nnone\n416 128\n", RADTAN),
        (
            "dso_fisheye.txt",
            f"EquiDistant {ROW} {FISH_ROW}\n416 128\n1 1 0.5 0.5 0\n9 9\n",
            FISHEYE,
        ),
        ("own.yaml", json.dumps(OWN | dict(zip(("k1", "k2", "p1", "p2"), BENT, strict=True))), RADTAN),
        ("own.json", OWN | {"distortion_coeffs": BENT, "camera_model": "OPENCV"}, RADTAN),
        ("own.json", OWN | {"distortion_model": "equidistant", "distortion": FISH}, FISHEYE),
        ("own.json", OWN | {"camera_model": "PINHOLE", "distortion_model": "equidistant", "distortion": FISH}, FISHEYE),
        ("opencv.yaml", "camera_model: pinhole\n" + MATRIX_FISH, FISHEYE),
        ("own.json", OWN | {"camera_model": "pinhole", "distortion_model": "radtan", "distortion": BENT}, RADTAN),
        ("own.json", OWN | {"lens": "fisheye"} | {f"k{k}": x for k, x in enumerate(FISH, start=1)}, FISHEYE),
        ("own.json", OWN | {"k1": 0, "distortion_model": "none"}, PINHOLE),
        ("own.txt", "fx: 251.3\nfy: 250.9\ncx: 208.4\ncy: 65.1\n", PINHOLE),
    ],
)
def test_every_tools_file_gives_the_same_camera(tmp_path, name, text, camera):
    assert read(tmp_path, name, text) == camera


def test_what_opencv_itself_writes_is_read(tmp_path):
    matrix, bent = np.array([[251.3, 0, 208.4], [0, 250.9, 65.1], [0, 0, 1]]), np.array(BENT)
    for suffix in ("yml", "yaml", "json"):
        storage = cv2.FileStorage(str(tmp_path / f"camera.{suffix}"), cv2.FILE_STORAGE_WRITE)
        storage.write("camera_matrix", matrix)
        storage.write("dist_coeffs", bent)
        storage.release()
        assert read_camera(tmp_path / f"camera.{suffix}", SIZE) == RADTAN


def test_numbers_of_dso_below_1_are_relative_to_the_image(tmp_path):
    camera = read(tmp_path, "camera.txt", "Pinhole 0.6 1.9 0.5 0.52 0\n416 128\ncrop\n416 128\n")
    assert camera.focal == pytest.approx((0.6 * 416, 1.9 * 128))
    assert camera.centre == pytest.approx((0.5 * 416 - 0.5, 0.52 * 128 - 0.5))


def test_one_of_several_cameras_is_asked_for(tmp_path):
    both = CAMCHAIN + CAMCHAIN.replace("cam0:", "cam1:").replace("251.3", "300.0")
    orb = ORB_FISHEYE + ORB_FISHEYE.split("File")[0].replace("Camera1", "Camera2").replace("251.3", "300.0")
    for name, text, first, second in (("camchain.yaml", both, 0, 1), ("orb.yaml", orb, 1, 2)):
        assert read(tmp_path, name, text, camera=second).focal[0] == 300
        assert read(tmp_path, name, text, camera=first) == FISHEYE
        with pytest.raises(InputError, match=f"{name}: holds cameras {first}, {second}; choose one") as refusal:
            read(tmp_path, name, text)
        assert refusal.value.parameters == ("camera",)
    mixed = ORB + "".join(
        f"Camera2.{k}: {v}\n" for k, v in zip(("fx", "fy", "cx", "cy"), (300, 300, *CENTRE), strict=True)
    )
    assert read(tmp_path, "mixed.yaml", mixed, camera=1) == RADTAN
    assert read(tmp_path, "mixed.yaml", mixed, camera=2) == Camera(SIZE, (300, 300), CENTRE)
    with pytest.raises(InputError, match="holds cameras 1, 2; choose one"):
        read(tmp_path, "mixed.yaml", mixed)


COEFFICIENTS = {
    **{"k1": 0.1, "k2": 0.02, "p1": 0.001, "p2": 0.001, "k3": 0.01, "k4": 0.3, "k5": 0.05, "k6": 0.01},
    **{"s1": 0.01, "s2": -0.02, "s3": 0.02, "s4": 0.01},
}


@pytest.mark.parametrize("count", [2, 4, 5, 8, 12])
def test_named_coefficients_are_those_of_opencvs_formula(tmp_path, count):
    named = dict(list(COEFFICIENTS.items())[:count])
    camera = read(tmp_path, "camera.json", OWN | named)
    distortion = np.zeros(max(count, 4))
    distortion[:count] = list(named.values())
    rays = np.array([[0.0, 0, 1], [0.5, -0.2, 1], [-0.7, 0.2, 1]])
    expected, found = (
        cv2.projectPoints(rays, np.zeros(3), np.zeros(3), camera.matrix, np.array(values))[0]
        for values in (distortion, camera.distortion)
    )
    np.testing.assert_allclose(found, expected, atol=1e-9)
    rational = ROS_1.replace("plumb_bob", "rational_polynomial")
    rational = rational.replace("[-0.28, 0.07, 0.0002, 1.7e-05, 0.0]", str(distortion.tolist()))
    assert read(tmp_path, "info.yaml", rational).distortion == camera.distortion


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        *[
            ("own.json", OWN | {"camera_model": model}, f"distortion model '{model}' is not read")
            for model in ("EQUIRECTANGULAR", "ORTHOPHOTO", "FISHEYE624", "THIN_PRISM_FISHEYE", "FOV", "omni", "ds")
        ],
        ("own.json", OWN | {"lense": "fisheye"}, "unknown lense, which may change the camera"),
        ("own.json", OWN | {"xi": 0.8, "k1": 0.1}, "unknown xi"),
        ("own.json", OWN | {"k1": 0.1, "distortion": [0.1, 0, 0, 0]}, "both a list of coefficients and k1"),
        ("own.json", OWN | {"lens": "fisheye", "p1": 0.1}, "p1 of a fisheye lens"),
        ("own.json", OWN | {"lens": "pinhole", "k1": 0.1}, "a pinhole lens with 1 coefficients"),
        ("own.json", OWN | {"camera_model": "OPENCV_FISHEYE", "lens": "radtan"}, "a camera_model OPENCV_FISHEYE with"),
        ("own.json", OWN | {"distortion": [0.1, 0.2, 0.3]}, "is the third p1 or k3"),
        ("own.json", OWN | {"distortion": [0.1] * 6}, "radtan lens with 6 coefficients"),
        ("own.json", OWN | {"fx": True}, "fx is no number"),
        ("own.json", OWN | {"width": 415.5}, "width is no whole number"),
        ("own.json", '{"fx": 1, "fx": 2}', "a name stands in it twice"),
        ("own.yaml", "fx: 1\nfx: 2\n", "fx stands in it twice"),
        ("opencv.yaml", OPENCV.replace("avg_rep", "undistorted: 1\navg_rep"), "unknown undistorted"),
        ("opencv.yaml", OPENCV.replace("251.3, 0.,", "251.3, 3.,"), "not fx 0 cx"),
        ("opencv.yaml", OPENCV.replace("rows: 5", "rows: 5\n   rows: 4"), "rows stands in it twice"),
        ("ros.yaml", ROS_1.replace("plumb_bob", "thin_prism_fisheye"), "distortion model 'thin_prism_fisheye'"),
        ("ros.yaml", ROS_1.replace("binning_x: 0", "binning_x: 2"), "binned"),
        ("ros.yaml", ROS_1.replace("x_offset: 0", "x_offset: 20"), "region"),
        ("ros.yaml", ROS_1.replace("height: 0, width: 0", "height: 64, width: 208"), "region"),
        ("ros.yaml", ROS_2 + ROS_2.replace("251.3", "300"), "several cameras in it, one after the other"),
        ("sensor.yaml", SENSOR.replace("pinhole", "omni"), "camera_model 'omni' is not read"),
        ("sensor.yaml", SENSOR.replace("radial-tangential", "fov"), "distortion model 'fov' is not read"),
        ("sensor.yaml", SENSOR.replace("distortion_coefficients", "coefficients"), "unknown coefficients"),
        ("camchain.yaml", CAMCHAIN.replace("distortion_coeffs", "distortion_coefs"), "unknown distortion_coefs"),
        ("orb.yaml", ORB.replace("Camera.k1", "Camera.kk1"), "unknown kk1"),
        ("orb.yaml", ORB + "LEFT.K: [1]\n", "unknown LEFT.K"),
        ("orb.yaml", ORB.replace("PinHole", "Equirectangular"), "distortion model 'Equirectangular'"),
        ("orb.yaml", ORB.replace("PinHole", "Rectified"), "a Rectified camera with k1"),
        ("orb.yaml", ORB + "Camera1.fx: 251.3\n", "both Camera.fx and Camera1"),
        ("calib.txt", "P_rect_02: 500 9 208 0 0 500 65 0 0 0 1 0\n", "P_rect_02: a camera matrix with a skew of 9"),
        ("row.txt", f"{ROW} 0.1 0.2", "6 numbers, not fx fy cx cy"),
        ("rows.txt", f"{ROW}\n{ROW}\n", "2 lines of numbers, and no 3x3 matrix"),
        ("matrix.txt", "251.3 2 208.4\n0 250.9 65.1\n0 0 1\n", "not fx 0 cx"),
        ("matrix.txt", "251.3 0 208.4 1\n0 250.9 65.1 0\n0 0 1 0\n0 0 0 1\n", "not a 4x4 camera matrix"),
        ("dso.txt", f"FOV {ROW} 0.9\n416 128\ncrop\n416 128\n", "model 'FOV' is not read"),
        ("dso.txt", f"{ROW} 0.9\n416 128\ncrop\n416 128\n", "model 'FOV' is not read"),
        ("relative.txt", "0.6 1.9 0.5 0.5\n", "centre 0.5, 0.5 is far from the middle of images of 416x128"),
        ("own.yaml", "{fx: 2513, fy: 2509, cx: 2084, cy: 651}", "centre 2084.0, 651.0 is far from the middle"),
        ("camera.xml", "<?xml version='1.0'?>\n<opencv_storage/>\n", 'not a calibration that is read: "<?xml'),
        (
            "notes.txt",
            "focal length 5 mm\n",
            "Kalibr, EuRoC and ORB-SLAM; KITTI's calib.txt; COLMAP's",
        ),
    ],
)
def test_what_is_not_read_is_refused_by_name(tmp_path, name, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, name, text)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)
