"""One scene as several tools export it: the same poses, camera and order of images, whichever is read."""

import numpy as np
import pytest
import torch

from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.io.image import write_image

TOOLS = "colmap", "transforms", "realitycapture", "metashape", "bundler", "polycam"
tools = pytest.mark.parametrize("tool", TOOLS)


def read(tool, root):
    dataset = open_dataset(DataOptions(tool, root))
    (name,) = dataset.names()
    return dataset.open(name)


@tools
def test_every_export_gives_the_poses_of_the_scene_in_the_order_of_the_video(tool, tmp_path, export_scene):
    scene = export_scene(tool, tmp_path, count=12)
    sequence = read(tool, tmp_path)
    assert [image.name for image in sequence.images] == scene.names
    np.testing.assert_allclose(sequence.poses_in_scene, scene.T_world_cam, atol=1e-9)
    first = np.linalg.inv(scene.T_world_cam[0])
    np.testing.assert_allclose(sequence.poses, first @ scene.T_world_cam, atol=1e-9)
    expected = [[scene.focal, 0, scene.centre[0]], [0, scene.focal, scene.centre[1]], [0, 0, 1]]
    np.testing.assert_allclose(sequence.intrinsics, expected, rtol=1e-5)
    brightness = [float(sequence.frame(i).mean()) for i in range(12)]
    np.testing.assert_allclose(brightness, np.arange(1, 13) / 13, atol=3e-3)


@tools
def test_images_of_one_export_may_lie_in_the_root(tool, tmp_path, export_scene):
    if tool in ("transforms", "polycam"):
        pytest.skip("names the folder of its images")
    scene = export_scene(tool, tmp_path)
    for image in (tmp_path / "images").iterdir():
        image.rename(tmp_path / image.name)
    (tmp_path / "images").rmdir()
    assert [image.name for image in read(tool, tmp_path).images] == scene.names


@tools
def test_a_missing_image_is_counted(tool, tmp_path, export_scene):
    scene = export_scene(tool, tmp_path)
    next(tmp_path.rglob(scene.names[1])).unlink()
    sequence = read(tool, tmp_path)
    assert [image.name for image in sequence.images] == [scene.names[0], scene.names[2]]
    assert sequence.notes[0].startswith("1 of 3 images are missing")


def test_an_image_without_a_name_is_missing(tmp_path, export_scene):
    scene = export_scene("realitycapture", tmp_path)
    table = tmp_path / "cameras.csv"
    table.write_text(table.read_text().replace(scene.names[1], ""))
    assert read("realitycapture", tmp_path).notes[0].startswith("1 of 3 images are missing")


@pytest.mark.parametrize("tool", ["realitycapture", "metashape", "bundler"])
def test_two_images_of_one_name_are_asked_about(tool, tmp_path, export_scene):
    scene = export_scene(tool, tmp_path)
    for folder in ("left", "right"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / scene.names[0]).write_bytes((tmp_path / "images" / scene.names[0]).read_bytes())
    (tmp_path / "images" / scene.names[0]).unlink()
    with pytest.raises(InputError, match=f"left/{scene.names[0]} and .*right/{scene.names[0]} are both called"):
        read(tool, tmp_path)


@pytest.mark.parametrize(
    ("tool", "file", "old", "new", "says"),
    [
        ("realitycapture", "cameras.csv", "frame9.png", "../frame9.png", "leads out of this folder"),
        ("realitycapture", "cameras.csv", ",0.8,", ",high,", r"cameras.csv:\d: not name,x,y,alt"),
        ("realitycapture", "cameras.csv", ",0.0,0.0,0.0\n", ",0.1,0.0,0.0\n", "k4 of frame9.png is not 0"),
        ("realitycapture", "cameras.csv", ",45.0,", ",-45.0,", "not a camera"),
        ("metashape", "cameras.xml", "<document", "<!DOCTYPE a><document", "has a DOCTYPE"),
        ("metashape", "cameras.xml", "</document>", "", "not XML"),
        ("metashape", "cameras.xml", 'label="frame9"', 'label="/etc/frame9"', "leads out of this folder"),
        ("metashape", "cameras.xml", 'label="frame9"', 'label="frame8"', "two cameras are called frame8"),
        ("metashape", "cameras.xml", 'type="frame"', 'type="spherical"', "is a spherical camera"),
        ("metashape", "cameras.xml", "<f>", "<b2>3.5</b2><k4>1</k4><f>", "has b2, k4, which is not read"),
        ("metashape", "cameras.xml", "<f>", "<skew>3.5</skew><k5>1</k5><f>", "has skew, k5, which is not read"),
        ("metashape", "cameras.xml", "<calibration ", '<calibration type="fisheye" ', "but its calibration fisheye"),
        ("metashape", "cameras.xml", "<f>20.0</f>", "", "no resolution and f"),
        ("metashape", "cameras.xml", "<scale>", "<rotation>2</rotation><scale>", None),
        (
            "metashape",
            "cameras.xml",
            "<transform><rotation",
            "<transform><rotation>1 2</rotation><rotation",
            "not XML|numbers",
        ),
        ("metashape", "cameras.xml", "<transform>", "<transformed>", "not XML"),
        ("metashape", "cameras.xml", "<chunk ", "<chunk></chunk><chunk ", "2 chunks of cameras"),
        ("bundler", "list.txt", "lost.png 0 20.0\n", "", "4 cameras, but 3 names"),
        ("bundler", "list.txt", "frame9.png", "../frame9.png", "leads out of this folder"),
        ("bundler", "bundle/bundle.out", "4 1\n", "999999999 1\n", "cut short"),
        ("bundler", "bundle/bundle.out", "4 1\n", "4 99999999\n", "cut short"),
        ("bundler", "bundle/bundle.out", "3 0 0", "3 7 0", "cut short"),
        ("bundler", "bundle/bundle.out", "0.5 0.25 9", "0.5 nan 9", "a point is nowhere"),
        ("polycam", "keyframes/corrected_cameras/frame9.json", '"t_00"', '"t"', "no camera of Polycam"),
        ("polycam", "keyframes/corrected_cameras/frame9.json", "{", "", "not JSON"),
        (
            "polycam",
            "keyframes/corrected_cameras/frame9.json",
            "{",
            '{"k1": 0.2, "distortion": [0.1],',
            "k1, distortion of",
        ),
        ("polycam", "keyframes/corrected_cameras/frame9.json", "{", '{"camera_model": "fisheye",', "of model fisheye"),
        ("polycam", "keyframes/corrected_cameras/frame9.json", "{", '{"k1": 0, "camera_model": "pinhole",', None),
    ],
)
def test_bad_content_is_named(tool, file, old, new, says, tmp_path, export_scene):
    export_scene(tool, tmp_path, size=(24, 36) if "45.0" in old else (12, 16))
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    if says is None:
        assert len(read(tool, tmp_path)) == 3
        return
    with pytest.raises(InputError, match=says) as refusal:
        read(tool, tmp_path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("column", "value", "read_so"), [("skew", 0.1, False), ("aspect", 1.2, False), ("aspect", 1, True)]
)
def test_other_columns_of_realitycapture_that_change_the_camera_are_refused(
    column, value, read_so, tmp_path, export_scene
):
    export_scene("realitycapture", tmp_path)
    path = tmp_path / "cameras.csv"
    text = path.read_text().replace("t1,t2\n", f"t1,t2,{column},group\n").replace(",0.0\n", f",0.0,{value},left\n")
    path.write_text(text.replace(",0\n", f",0,{value},left\n"))
    if read_so:
        assert len(read("realitycapture", tmp_path)) == 3
        return
    with pytest.raises(InputError, match=f"cameras.csv: {column} of the camera, which is not read"):
        read("realitycapture", tmp_path)


def test_points_of_bundler_are_those_that_an_image_sees(tmp_path, export_scene):
    export_scene("bundler", tmp_path)
    sequence = read("bundler", tmp_path)
    torch.testing.assert_close(sequence.points(1), torch.tensor([[0.5, 0.25, 9]], dtype=torch.float64))
    assert "1 of 4 images are not in the map, and left out" in sequence.notes
    (tmp_path / "list.txt").unlink()
    with pytest.raises(InputError, match="no list of its images beside it"):
        read("bundler", tmp_path)


def test_bundler_sees_a_point_where_its_manual_projects_it(tmp_path, export_scene):
    scene = export_scene("bundler", tmp_path)
    path = tmp_path / "bundle" / "bundle.out"
    path.write_text(path.read_text().replace("20.0 0 0\n", "20.0 -0.1 0.02\n"))
    numbers = np.array(path.read_text().split("\n", 1)[1].split(), dtype=float)
    sequence, point = read("bundler", tmp_path), scene.T_world_cam[2] @ [0.3, -0.2, 4, 1]
    assert sequence.lens.distortion == (-0.1, 0.02, 0, 0)
    # of the third camera, which is the third image: P = R X + t, p = -P / P.z, from the middle, y up
    rotation, translation = numbers[35:44].reshape(3, 3), numbers[44:47]
    x, y, z = rotation @ point[:3] + translation
    expected = 7.5 + 20 * x / -z, 5.5 - 20 * y / -z
    seen = np.linalg.solve(sequence.poses_in_scene[2].numpy(), point)
    assert seen[2] > 0 > z
    np.testing.assert_allclose(20 * seen[:2] / seen[2] + [7.5, 5.5], expected, atol=1e-9)


def test_metashape_has_a_sequence_of_every_sensor_and_counts_what_is_not_aligned(tmp_path, export_scene):
    scene = export_scene("metashape", tmp_path)
    path = tmp_path / "cameras.xml"
    text = path.read_text().replace("<group>", '<group><camera id="7" sensor_id="0" label="lost"/>')
    path.write_text(text)
    assert "1 of 4 cameras are not aligned, and left out" in read("metashape", tmp_path).notes
    start, end = text.index("<sensor "), text.index("</sensors>")
    text = text[:end] + text[start:end].replace('id="0"', 'id="1"') + text[end:]
    path.write_text(text.replace('sensor_id="0" component_id="0" label="frame9"', 'sensor_id="1" label="frame9"'))
    dataset = open_dataset(DataOptions("metashape", tmp_path))
    assert dataset.names() == ("cameras/0", "cameras/1")
    assert [image.name for image in dataset.open("cameras/0").images] == [scene.names[0], scene.names[2]]
    with pytest.raises(InputError, match="choose one of cameras/0, cameras/1"):
        dataset.open("cameras")


def test_tangential_coefficients_of_metashape_change_places(tmp_path, export_scene):
    export_scene("metashape", tmp_path)
    path = tmp_path / "cameras.xml"
    path.write_text(path.read_text().replace("<f>", "<k1>-0.1</k1><p1>0.001</p1><p2>0.002</p2><b1>0.5</b1><f>"))
    sequence = read("metashape", tmp_path)
    assert sequence.lens.distortion == (-0.1, 0, 0.002, 0.001, 0)
    assert sequence.lens.focal == (20.5, 20)


@pytest.mark.parametrize(("x", "factor", "read_so"), [(7.9, 1.0, True), (7.9, 0.5, False), (7.9, 2.0, False)])
def test_points_of_bundler_tell_that_images_were_resized(x, factor, read_so, tmp_path, export_scene):
    scene = export_scene("bundler", tmp_path)
    path = tmp_path / "bundle" / "bundle.out"
    head, point = path.read_text().replace("4 1\n", "4 40\n").rsplit("0.5 0.25 9\n", 1)
    path.write_text(head + f"0.5 0.25 9\n{point.replace(' 0.0 0.0', f' {x} -3.0')}" * 40)
    for name in scene.names:
        write_image(tmp_path / "images" / name, torch.zeros(3, round(12 * factor), round(16 * factor)))
    if read_so:
        assert read("bundler", tmp_path).lens.focal == (20, 20)
        return
    with pytest.raises(InputError, match=r"seen up to 8, 3 pixels from the middle, but frame\d+.png has"):
        read("bundler", tmp_path)
