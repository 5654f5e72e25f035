"""``vode data check``, ``vode prepare`` and ``vode world``."""

import json
import shutil

from vode.cli import main


def test_a_prepared_copy_is_trained_on_and_tells_what_it_is(run, kitti, tmp_path, capfd, refused, tiny):
    out = tmp_path / "copy"
    where = ["--data", str(kitti), "--sequences", "03", "04", "--camera", "0"]
    assert main(["prepare", "--out", str(out), *where, "--size", "64", "96", "--kind", "png"]) == 0
    assert "2 sequences, 8 images written" in capfd.readouterr().out
    arguments = [*tiny, "--sequences", "03", "04", "--data", str(out), "--camera", "0", "--run", str(tmp_path / "run")]
    assert main(["train", "kitti-odom-small", *arguments, "--start-from", str(run)]) == 0
    assert main(["data", "check", "--data", str(out), "--camera", "0", "--json", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert [sequence["frames"] for sequence in report["sequences"]] == [4, 4]
    assert "--out" in refused("prepare", "--out", out, *where, "--size", "32", "48")


def test_data_is_checked_and_damage_is_named(kitti, tmp_path, capfd, refused, tiny):
    broken = tmp_path / "kitti"
    shutil.copytree(kitti, broken)
    assert main(["data", "check", "--data", str(broken), "--camera", "0"]) == 0
    out = capfd.readouterr().out
    assert "03, camera 0: 4 frames; 96x64" in out
    assert "missing: 00: none of 4541 frames" in out
    image = broken / "sequences" / "04" / "image_0" / "000002.png"
    image.write_bytes(image.read_bytes()[:100])
    assert "1 problems" in refused("data", "check", "--data", broken, "--camera", "0")
    arguments = [*tiny, "--sequences", "04", "--data", broken, "--camera", "0", "--run", tmp_path / "run"]
    assert "000002.png: the image is cut short" in refused("train", "kitti-odom-small", *arguments, "--workers", "1")
    assert "no verb is called 'data chek'; choose data check" in refused("data", "chek", "--data", broken)


def test_a_written_world_is_not_overwritten(kitti, refused):
    before = (kitti / "poses" / "03.txt").read_bytes()
    line = refused(*f"world --out {kitti} --seeds 3 --size 64 96 --frames 4 --camera 0".split())
    assert "not overwritten" in line
    assert (kitti / "poses" / "03.txt").read_bytes() == before
