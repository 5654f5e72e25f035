"""The examples run as they stand, on a short clip in the place of the demo."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import matplotlib
import pytest
import torch

import vode
from vode.io.video_writer import write_video
from vode.pipelines.run import report, source
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

EXAMPLES = Path(__file__).parent.parent / "examples"
SHORT = WorldOptions(size=(96, 160), frames=3)


@pytest.fixture(autouse=True)
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "DEMO_OPTIONS", SHORT)
    # it has tests of its own
    monkeypatch.setattr(report, "write_recording", lambda folder: None)
    monkeypatch.chdir(tmp_path)


def start(name: str, *arguments: str) -> None:
    sys.argv[1:] = arguments
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


@pytest.mark.parametrize("name", ["video_to_cloud.py", "bag_to_tum.py", "other_depth.py"])
def test_it_writes_what_it_says(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", [name])
    start(name)
    made = {"video_to_cloud.py": "cloud.ply", "bag_to_tum.py": "trajectory.tum", "other_depth.py": "other-depth-run"}
    assert (tmp_path / made[name]).exists()


def test_the_webcam_writes_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["webcam.py"])
    world = WorldSequence(3, SHORT)
    write_video(tmp_path / "camera.mp4", [world.frame(i) for i in range(3)])
    start("webcam.py", str(tmp_path / "camera.mp4"))
    assert len(vode.read_trajectory(tmp_path / "webcam.tum")) == 3


def test_the_notebook_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("agg")
    cells = json.loads((EXAMPLES / "depth_maps.ipynb").read_text())["cells"]
    names: dict[str, object] = {}
    with torch.no_grad():
        for cell in cells:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)
    assert names["ahead"]
