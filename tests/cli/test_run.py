from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from vode.cli import main
from vode.errors import InputError
from vode.io.image import write_image
from vode.pipelines.run.folder import default_folder
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip") / "walk"
    folder.mkdir()
    world = WorldSequence(3, WorldOptions(size=(96, 160), frames=4))
    for i in range(4):
        write_image(folder / f"{i}.png", world.frame(i))
    return folder


def test_a_folder_becomes_everything_by_the_shipped_weights(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(clip), "--fov", "70", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    summary = lines[-1]
    assert summary["event"] == "summary"
    assert any(line["event"] == "progress" and line["stage"] == "track" for line in lines)
    assert summary["state"] == "finished"
    assert summary["scale"]["unit"] == "metres"
    assert {"trajectory", "cloud", "colmap", "depth", "transforms"} <= set(summary["outputs"])
    assert (tmp_path / "walk-run" / "trajectory.tum").is_file()
    assert main(["run", str(clip), "--fov", "70", "--limit", "2", "--quiet", "--out", "short"]) == 0
    assert "limited to 2 frames" in capsys.readouterr().err
    assert main(["run", str(clip), "--fov", "70", "--quiet"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "holds a run of" in told.err
    assert "--overwrite" in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.mp4"], "no such file or folder"),
        (["CLIP", "--fov", "70", "--calibration", "a.yaml"], "give one of them"),
        (["CLIP", "--fov", "270"], "give one between 0 and 180"),
        (["CLIP", "--resume"], "no run in it"),
        (["CLIP", "--resume", "--overwrite"], "choose one"),
        (["CLIP", "--limit", "0"], "give 1 or more"),
        (["CLIP", "--limit", "1.5"], "--limit 1.5: give a whole number"),
        (["CLIP", "--fov", "abc"], "--fov abc: give a number"),
        (["CLIP", "--between", "1"], "--between 1: give 2 of them, each a whole number"),
        (["CLIP", "--fov"], "--fov: its value is missing"),
        (["CLIP", "--fow", "70"], "no option is called --fow; perhaps --fov is meant"),
        (["CLIP", "CLIP"], "one argument too many"),
        ([], "SOURCE missing"),
        (["CLIP", "--timeout", "-1"], "give a number above 0 (--timeout)"),
        ([""], "the source has no name"),
        (["EMPTY"], "check the folder\n"),
        (["CLIP", "--model", "None"], "name a model (--model)"),
        (["CLIP", "--device", "gpu"], "no device is called 'gpu'"),
        (["demo", "--adapt", "1"], "leave it out (--adapt)"),
        (["CLIP", "--adapt", "-1"], "above 0"),
        (["CLIP", "--model", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_told_in_a_line(
    arguments: list[str],
    words: str,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    places = {"CLIP": str(clip), "EMPTY": str(tmp_path / "empty")}
    assert main(["run", *(places.get(word, word) for word in arguments)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert not re.search("error parsing|NoneType|helptext|FLOAT|--data|--sequences", told)
    assert told.count("\n") == 1
    assert not list(tmp_path.rglob("run.json"))


def test_quiet_still_tells_the_problems_of_the_video_and_nothing_else(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(clip, tmp_path / "walk")
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:200])
    assert main(["run", str(folder), "--fov", "70", "--quiet", "--rate", "10", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    unreadable = [line for line in told.err.splitlines() if "cannot be read:" in line]
    assert len(unreadable) == 1
    assert "1 frame cannot be read: 2; the first:" in unreadable[0]
    assert "2.png" in unreadable[0]
    assert "metres rest" not in told.err


def test_a_file_and_a_folder_of_one_name_do_not_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = {"version": 1, "state": "done", "notes": [], "options": {}, "seconds": 1.0, "peak_memory_bytes": 1}
    for source, out in (("clip", "clip-run"), ("clip.mp4", "clip.mp4-run"), ("clip", "clip-run")):
        assert default_folder(source) == Path(out)
        Path(out).mkdir(exist_ok=True)
        Path(out, "run.json").write_text(json.dumps({**told, "source": {"address": source, "frames_done": 1}}))
    assert default_folder("clip.mp4") == Path("clip.mp4-run")
    with pytest.raises(InputError, match=r"clip\.mp4-run: holds a run of clip\.mp4, not of other/clip\.mp4"):
        default_folder("other/clip.mp4", overwrite=True)
