from __future__ import annotations

import json
from pathlib import Path

import pytest

from vode.cli import main
from vode.io.image import write_image
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
    assert main(["run", *(str(clip) if word == "CLIP" else word for word in arguments)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not list(tmp_path.rglob("run.json"))
