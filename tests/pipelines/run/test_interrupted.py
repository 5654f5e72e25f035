"""Runs that end early, go on, or may not begin."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import vode
from vode.errors import InputError

Go = Callable[..., vode.VideoRun]


def test_a_run_that_goes_on_is_as_one_that_never_stopped(
    clip: Path, done: vode.VideoRun, go: Go, tmp_path: Path
) -> None:
    first = go(clip, tmp_path / "out", limit=6)
    assert first.state == "limited"
    assert len(first.trajectory) == 6
    second = go(clip, tmp_path / "out", resume=True)
    assert second.state == "finished"
    assert torch.equal(second.trajectory.poses, done.trajectory.poses)
    assert (second.cloud[0] == done.cloud[0]).all()
    frames = [json.loads(line)["frame"] for line in (second.folder / "log.jsonl").read_text().splitlines()]
    assert frames == list(range(len(done.trajectory)))
    (second.folder / "report.html").unlink()
    go(clip, tmp_path / "out", resume=True)
    assert (second.folder / "report.html").is_file()


def test_ctrl_c_leaves_all_outputs_of_the_frames_so_far(clip: Path, go: Go, tmp_path: Path) -> None:
    def interrupt(progress: object) -> None:
        if progress.stage == "track" and progress.done == 5:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGINT)

    stopped = go(clip, tmp_path / "out", on_progress=interrupt)
    count = len(stopped.trajectory)
    assert stopped.state == "interrupted"
    assert 5 <= count <= 7
    assert stopped.depth_frames == list(range(count))
    assert len(stopped.cloud[0]) > 1000
    assert stopped.summary["source"]["frames_done"] == count


def test_a_full_disk_leaves_whole_files_and_says_where_it_ended(
    clip: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def full(source: str, target: str) -> None:
        if Path(target).name >= "000006" and "work" in str(target) and Path(target).suffix == ".npy":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(InputError, match=r"the disk is full after \d+ frames") as told:
            go(clip, out)
    assert "\n" not in str(told.value)
    summary = vode.VideoRun(out).summary
    assert summary["state"] == "disk full"
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert len(rows) >= 6
    assert not list(out.rglob("*.tmp"))
    assert go(clip, out, resume=True).state == "finished"


def test_a_folder_with_another_run_is_left_alone(clip: Path, done: vode.VideoRun, go: Go, tmp_path: Path) -> None:
    before = (done.folder / "run.json").read_bytes()
    with pytest.raises(InputError, match=r"holds a run of .*overwrite"):
        go(clip, done.folder)
    with pytest.raises(InputError, match="holds a run of"):
        go(tmp_path_with_image(clip, tmp_path), done.folder, resume=True)
    assert (done.folder / "run.json").read_bytes() == before


def test_a_folder_of_other_things_is_left_alone(clip: Path, go: Go, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="holds no run"):
        go(clip, tmp_path, overwrite=True)
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_other_options_do_not_go_on(clip: Path, go: Go, tmp_path: Path) -> None:
    go(clip, tmp_path / "out", limit=2)
    with pytest.raises(InputError, match="began with loops = True"):
        go(clip, tmp_path / "out", resume=True, loops=False)


def test_overwriting_removes_what_the_run_wrote_and_nothing_else(clip: Path, go: Go, tmp_path: Path) -> None:
    go(clip, tmp_path / "out", limit=3)
    mine = [tmp_path / "out" / name for name in ("mine.txt", "depth/mine.png", "images/mine.jpg")]
    for path in mine:
        path.write_text("kept")
    again = go(clip, tmp_path / "out", limit=2, overwrite=True)
    assert len(again.trajectory) == 2
    assert [path.read_text() for path in mine] == ["kept"] * 3
    assert not (again.folder / "depth" / "000002.png").exists()


def test_what_a_run_reads_is_not_overwritten(clip: Path, done: vode.VideoRun, go: Go) -> None:
    before = sorted(done.folder.rglob("*"))
    with pytest.raises(InputError, match=r"images: lies in .* which would be overwritten"):
        go(done.folder / "images", done.folder, calibration=None, fov=70.0, overwrite=True)
    with pytest.raises(InputError, match=r"calibration\.yaml: lies in"):
        go(clip, done.folder, calibration=done.folder / "calibration.yaml", overwrite=True)
    assert sorted(done.folder.rglob("*")) == before


@pytest.mark.parametrize("wrong", [{"distance": 2.0, "between": (1, 99)}, {"gps": "words"}, {"rate": float("nan")}])
def test_what_cannot_be_used_is_refused_before_anything_is_tracked(
    clip: Path, go: Go, tmp_path: Path, wrong: dict[str, object]
) -> None:
    if "gps" in wrong:
        wrong = {"gps": tmp_path / "words.txt"}
        (tmp_path / "words.txt").write_text("no numbers\n")
    with pytest.raises(InputError):
        go(clip, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def tmp_path_with_image(clip: Path, tmp_path: Path) -> Path:
    """Another source."""
    other = tmp_path / "other"
    other.mkdir()
    for name in ("0000.png", "camera.yaml"):
        (other / name).write_bytes((clip / name).read_bytes())
    return other
