"""``vode depth``: runs, files of predictions and test sets."""

import re

import torch

from vode.cli import main
from vode.io.depth import write_depth
from vode.io.image import write_image


def test_depth_is_predicted_once_and_scored_again(run, kitti, tmp_path, refused):
    where = ["--data", str(kitti), "--sequences", "03", "--camera", "0"]
    kept, files = tmp_path / "depth.npz", [tmp_path / "a.json", tmp_path / "b.json"]
    assert main(["depth", str(run), *where, "--save-predictions", str(kept), "--json", str(files[0])]) == 0
    assert main(["depth", *where, "--predictions", str(kept), "--json", str(files[1])]) == 0
    assert files[0].read_text() == files[1].read_text()
    assert main(["depth", *where, "--predictions", str(kept), "--edges", "--json", str(files[1])]) == 0
    assert "edge_f_score" in files[1].read_text()
    several = ["--data", kitti, "--sequences", "03", "04", "--camera", "0"]
    assert "one sequence" in refused("depth", "--predictions", kept, *several)
    assert "either" in refused("depth", run, "--predictions", kept)
    assert "either" in refused("depth")
    assert "frame 0" in refused(*["depth", *where[:3], "04", *where[4:], "--predictions", kept])


CALIBRATION = "P_rect_02: 80 0 47 40 0 80 31 0 0 0 1 0\nP_rect_03: 80 0 47 0 0 80 31 0 0 0 1 0\n"


def test_depth_of_a_test_set_beside_published_rows(run, tmp_path, capfd, refused):
    root = tmp_path / "kitti"
    for folder in ("image_2", "disp_occ_0", "calib_cam_to_cam"):
        (root / folder).mkdir(parents=True)
    for number in range(2):
        write_image(root / "image_2" / f"{number:06d}_10.png", torch.rand(3, 64, 96))
        write_depth(root / "disp_occ_0" / f"{number:06d}_10.png", torch.full((1, 64, 96), 10.0 + number))
        (root / "calib_cam_to_cam" / f"{number:06d}.txt").write_text(CALIBRATION)
    where = ["--data", str(root), "--dataset", "kitti-2015"]
    table, out = tmp_path / "table.md", tmp_path / "out"
    arguments = ["--published", "--flip", "--table", str(table), "--out", str(out), "--error-maps"]
    assert main(["depth", str(run), *where, *arguments]) == 0
    assert "| TrianFlow 832x256 [published] |" in table.read_text()
    assert {file.name for file in out.iterdir()} == {
        f"kitti-2015{end}" for end in (".png", ".csv", "-worst.png", "-errors")
    }
    (root / "image_2" / "000001_10.png").unlink()
    assert "000001_10.png" in refused("depth", run, *where)
    assert main(["depth", str(run), *where, "--allow-missing"]) == 0
    assert "1 of the 2 of kitti-2015 are missing" in capfd.readouterr().out
    assert "not one of the 697" in refused("depth", run, "--data", root, "--dataset", "kitti-eigen")
    assert "--annotated" in refused("depth", run, "--data", root, "--dataset", "kitti-eigen-benchmark")
    line = refused("depth", run, "--data", root, "--dataset", "kitti")
    assert all(name in line for name in ("transforms", "folder", "kitti-eigen", "kitti-eigen-benchmark", "--dataset"))
    assert "larger cap" in refused("depth", run, *where, "--allow-missing", "--cap", "0")


def test_weights_that_do_not_fit_are_named(run, tmp_path, refused):
    broken = tmp_path / "run"
    broken.mkdir()
    for name in ("config.json", "flow.safetensors", "depth.safetensors"):
        (broken / name).write_bytes((run / name).read_bytes())
    (broken / "depth.safetensors").write_bytes((run / "flow.safetensors").read_bytes())
    assert "kind" in refused("depth", broken)
    (broken / "depth.safetensors").write_bytes((run / "depth.safetensors").read_bytes()[:1000])
    assert re.search(r"depth\.safetensors: damaged", refused("depth", broken))
    (broken / "depth.safetensors").unlink()
    assert "depth.safetensors" in refused("depth", broken)
    torch.save({"a": 1}, broken / "depth.safetensors")
    assert "depth.safetensors" in refused("odom", broken)


def test_a_file_where_a_folder_should_be(run, tmp_path, refused):
    (tmp_path / "file").write_text("")
    assert "file" in refused("depth", run, "--out", tmp_path / "file" / "out")


def test_a_set_without_the_named_protocol_is_refused(refused, tmp_path):
    assert "--protocol" in refused("depth", "vode-small", "--protocol", "monodepth2")
    message = refused("depth", "vode-small", "--protocol", "sfmlearner", "--dataset", "nyu", "--data", tmp_path)
    assert "sfmlearner has no protocol for nyu" in message
    assert "trianflow" in refused("depth", "vode-small", "--protocol", "eigen")
