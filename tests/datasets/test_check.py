"""What is told of a data set: all that is there, all that is missing, and each damaged file."""

import pytest
import torch

from vode.datasets.check import check, check_list
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.depth import write_depth
from vode.io.image import write_image

K = torch.tensor([[50.0, 0, 31.5], [0, 50.0, 11.5], [0, 0, 1]])


@pytest.fixture
def root(tmp_path):
    """Two sequences of four frames; the second has poses and depth."""
    poses = torch.eye(4, dtype=torch.float64).repeat(4, 1, 1)
    timestamps = torch.arange(4, dtype=torch.float64) / 10
    write_kitti_sequence(tmp_path, "00", 2, torch.rand(4, 3, 24, 64), K)
    known = GroundTruth(poses, torch.ones(4, 1, 24, 64))
    write_kitti_sequence(tmp_path, "01", 2, torch.rand(4, 3, 24, 64), K, timestamps, known)
    return tmp_path


def options(root, **values):
    return DataOptions("kitti-odom", root, **values)


def test_what_is_there_and_what_the_official_list_has_besides(root):
    told = []
    report = check(options(root), on_progress=lambda *values: told.append(values))
    first, second = report.sequences
    assert (first.frames, first.size, first.poses, first.timestamps, first.depth) == (4, (24, 64), False, False, 0)
    assert (second.poses, second.timestamps, second.depth, second.problems) == (True, True, 4, [])
    assert second.intrinsics == {"fx": 50, "fy": 50, "cx": 31.5, "cy": 11.5}
    assert report.problems == 0
    assert report.missing[:3] == ["00: 4 of 4541 frames", "01: 4 of 1101 frames", "02: none of 4661 frames"]
    assert len(report.missing) == 11
    assert ("01", 4, 4) in told


def test_every_damaged_file_is_a_problem_and_none_hides_another(root):
    images, depths = (root / "sequences" / "01" / f"{kind}_2" for kind in ("image", "depth"))
    cut = images / "000001.png"
    cut.write_bytes(cut.read_bytes()[:60])
    write_image(images / "000003.png", torch.zeros(3, 12, 12))
    write_image(depths / "000000.png", torch.zeros(3, 24, 64))
    write_depth(depths / "000002.png", torch.ones(1, 10, 64))
    (root / "sequences" / "00" / "image_2" / "000002.png").unlink()
    report = check(options(root))
    assert report.sequences[0].frames == 0
    assert "000002.png: the frame is missing" in report.sequences[0].problems[0]
    problems = "\n".join(report.sequences[1].problems)
    for said in ("000001.png: the image is cut short", "12x12 pixels", "not a 16-bit grey PNG", "64x10 pixels"):
        assert said in problems
    assert report.problems == 5
    assert check(options(root), quick=True).problems == 1


def test_a_damaged_map_is_one_problem(tmp_path):
    (tmp_path / "seq1").mkdir()
    for name in "ab":
        write_image(tmp_path / "seq1" / f"{name}.png", torch.zeros(3, 24, 32))
    (tmp_path / "dataset_train.txt").write_text("\n\n\nseq1/a.png 0 0 0 1 0 0 0\nseq1/b.png 1 0 0 1 0 0 0\n")
    (tmp_path / "reconstruction.nvm").write_text("NVM_V3\n\n1\nseq1/a.jpg 50\n\n1\n0 0 0 1\n")
    (found,) = check(DataOptions("cambridge", tmp_path, camera=(0,))).sequences
    assert found.frames == 2
    (problem,) = found.problems
    assert "reconstruction.nvm:7: not X Y Z R G B" in problem


def test_stamps_out_of_order_are_counted(root):
    (root / "sequences" / "01" / "times.txt").write_text("0.0\n0.3\n0.2\n0.2\n")
    problems = check(options(root), quick=True).sequences[1].problems
    assert problems == ["2 of 4 timestamps are not after the one before, first that of frame 2"]


def test_links_that_turn_in_circles_end(root):
    (root / "sequences" / "02").symlink_to(root / "sequences")
    (root / "sequences" / "03").symlink_to("03")
    image = root / "sequences" / "00" / "image_2" / "000001.png"
    image.unlink()
    image.symlink_to(image.name)
    report = check(options(root))
    assert {sequence.name for sequence in report.sequences} == {"00", "01", "02"}
    problems = {sequence.name: sequence.problems for sequence in report.sequences}
    assert "000001.png" in problems["00"][0]
    assert len(problems["02"]) == 1


def test_what_cannot_be_found_at_all_is_refused(tmp_path):
    with pytest.raises(InputError, match="no sequence of kitti-odom"):
        check(options(tmp_path))
    with pytest.raises(InputError, match="no data set is called"):
        check(DataOptions("kitty", tmp_path))
    with pytest.raises(InputError, match="needs its folder"):
        check(DataOptions("tum"))


def test_a_list_of_test_frames_is_compared_with_the_disk(tmp_path):
    raw = tmp_path / "2011_09_26" / "2011_09_26_drive_0002_sync"
    for folder, file in (("image_02", "0000000003.png"), ("velodyne_points", "0000000003.bin")):
        (raw / folder / "data").mkdir(parents=True)
        (raw / folder / "data" / file).touch()
    (raw / "image_02" / "data" / "0000000006.png").touch()
    report = check_list(DataOptions("kitti-eigen", tmp_path))
    assert (report.dataset, report.data, report.frames, len(report.missing)) == ("kitti-eigen", str(tmp_path), 697, 696)
    assert "2011_09_26_drive_0002 frame 3" not in report.missing
    lacking = {number: report.missing[f"2011_09_26_drive_0002 frame {number}"] for number in (0, 6)}
    assert [file.rsplit("/", 1)[1] for file in lacking.values()] == ["0000000000.png", "0000000006.bin"]


def test_only_sets_with_such_a_list_are_compared(root, tmp_path):
    assert check_list(options(root)) is None
    assert check_list(DataOptions("nyu", tmp_path)) is None
    with pytest.raises(InputError, match="annotated depth maps"):
        check_list(DataOptions("kitti-eigen-benchmark", tmp_path))
    assert len(check_list(DataOptions("kitti-eigen-benchmark", tmp_path), annotated=tmp_path).missing) == 652


def test_a_right_image_that_is_damaged_is_a_problem(tmp_path):
    for folder in ("image_2", "image_3"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "000004_10.png", torch.zeros(3, 24, 64))
    assert check(DataOptions("kitti-2015", tmp_path)).problems == 0
    (tmp_path / "image_3" / "000004_10.png").write_bytes(b"\x89PNG")
    report = check(DataOptions("kitti-2015", tmp_path))
    assert "image_3/000004_10.png" in report.sequences[0].problems[0]
    assert report.missing[:2] == ["000000: none of 2 frames", "000001: none of 2 frames"]


def test_depth_that_is_missing_for_some_frames_is_noted(root):
    (root / "sequences" / "01" / "depth_2" / "000002.png").unlink()
    first, second = check(options(root)).sequences
    assert first.notes == ()
    assert second.notes == ("depth of 1 of 4 frames is missing, first that of 01 frame 2",)
    assert second.problems == []
    (part,) = check(options(root, sequences=("01",), start=2), quick=True).sequences
    assert part.notes == ("depth of 1 of 2 frames is missing, first that of 01 frame 2",)
