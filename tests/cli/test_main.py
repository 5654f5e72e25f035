"""The front door: unknown words, missing data, help."""

import pytest

import vode
from vode.cli import main


def test_unknown_words_are_refused(refused):
    assert "'nonsense'" in refused("nonsense")
    assert "world, kitti-odom" in refused("train", "nope")
    assert "--foo" in refused("train", "world", "--foo", "3")
    assert "--batch" in refused("train", "world", "--batch", "many")
    assert "0 steps" in refused(
        *["train", "world", "--flow-stage.steps", "0", "--depth-stage.steps", "0", "--joint-stage.steps", "0"]
    )
    assert "numbers" in refused(*["train", "world", "--sequences", "a"])
    assert "scale_7dof" in refused("odom", "run", "--alignment", "8dof")
    assert "garg" in refused("depth", "run", "--crop", "middle")


def test_missing_data_is_named(run, kitti, tmp_path, refused):
    assert "--data" in refused("train", "kitti-odom-small", "--run", tmp_path / "new")
    assert "nothing" in refused("train", "kitti-odom-small", "--data", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "empty" in refused("odom", run, "--data", tmp_path / "empty", "--sequences", "00")
    assert "image_2" in refused("odom", run, "--data", kitti, "--sequences", "03", "--camera", "2")
    assert "no such run" in refused("odom", tmp_path / "no-run")
    assert "both" in refused("odom", "--estimate", kitti / "poses" / "03.txt")
    assert "--compare" in refused("odom", run, "--estimate", kitti / "poses" / "03.txt")
    assert "missing.txt" in refused("odom", run, "--compare", f"slam={tmp_path / 'missing.txt'}")
    assert not (tmp_path / "new").exists()


def test_help_is_not_an_error(capsys):
    assert main(["--help"]) == 0
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == 0
    assert "--flow-stage.steps" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vode {vode.__version__}\n"


def test_no_words_at_all_show_the_verbs_and_fail(capsys):
    assert main([]) == 2
    assert "predict depth" in capsys.readouterr().out
