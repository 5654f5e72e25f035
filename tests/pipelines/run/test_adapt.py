"""What the training of a run's adaptation is given; the training itself is tested with the recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vode
from vode.cameras.lens import Camera
from vode.cameras.writing import write_calibration
from vode.datasets.folder import FolderSequence
from vode.pipelines.run import adapt, pipeline
from vode.pipelines.run.folder import OutputFolder, open_folder
from vode.pipelines.run.options import RunOptions
from vode.pipelines.run.progress import OnProgress, Progress
from vode.pipelines.run.source import camera_of, open_source
from vode.training.log import Announced

SIZE = (60, 80)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The configurations that training was called with, which does nothing."""
    seen: list[Any] = []
    monkeypatch.setattr(adapt, "train", lambda config, run: (seen.append(config), {}))
    monkeypatch.setattr(adapt, "load", lambda *_, **__: None)
    return seen


def adapted(
    folder: Path, options: RunOptions, out: Path, on_progress: OnProgress = lambda progress: None
) -> OutputFolder:
    source = open_source(str(folder), options)
    found = camera_of(source, options)
    opened = open_folder(out, source.address, resume=False, overwrite=False, inputs=[])
    write_calibration(opened.file("calibration"), found.stored, "")
    adapt.adapted_model(source, found, opened, options, on_progress)
    return opened


def images(folder: Path, *, turned: bool = False, rest: bool = False) -> Path:
    """Two photographs, wide as viewers show them, with other files beside."""
    folder.mkdir()
    exif = Image.Exif()
    # as many phones do, which are turned by a quarter
    exif[0x0112] = 6 if turned else 1
    size = SIZE if turned else SIZE[::-1]
    for i in range(2):
        levels = np.random.default_rng(i).integers(0, 255, (size[1], size[0], 3), np.uint8)
        Image.fromarray(levels).save(folder / f"{i}.color.png", exif=exif)
        if rest:
            Image.fromarray(levels[..., 0]).save(folder / f"{i}.depth.png")
    return folder


def sequence(config: Any) -> FolderSequence:
    """The images as the training reads them."""
    options = {"calibration": config.calibration, "fov": config.fov, "pattern": config.pattern}
    return FolderSequence(config.data, config.data.name, **options)


def test_a_lens_is_taken_out_of_the_images_that_are_learned_from(tmp_path: Path, given: list[Any]) -> None:
    lens = Camera(SIZE, (70.0, 70.0), (39.5, 29.5), "radtan", (-0.2, 0.03, 0.0, 0.0))
    write_calibration(tmp_path / "lens.yaml", lens, "")
    options = RunOptions(calibration=tmp_path / "lens.yaml", adapt=1.0)
    folder = images(tmp_path / "walk")
    adapted(folder, options, tmp_path / "out")
    stream, learned = open_source(str(folder), options).stream, sequence(given[0])
    assert stream.camera == learned.camera
    assert learned.lens.distortion == lens.distortion
    np.testing.assert_array_equal(learned.pixels(1), [image for _, image in stream][1])


@pytest.mark.parametrize("turned", [False, True])
def test_a_field_of_view_is_that_of_images_as_viewers_show_them(tmp_path: Path, given: list[Any], turned: bool) -> None:
    folder = images(tmp_path / "walk", turned=turned, rest=True)
    options = RunOptions(fov=70.0, adapt=1.0, pattern="*.color.png")
    adapted(folder, options, tmp_path / "out")
    source, learned = open_source(str(folder), options), sequence(given[0])
    camera = camera_of(source, options).camera
    assert len(learned) == 2
    assert learned.size == source.size == SIZE
    assert learned.camera.focal == pytest.approx(camera.focal)
    np.testing.assert_array_equal(learned.pixels(0), next(image for _, image in source.stream))


def test_minutes_and_start_are_those_of_the_run(tmp_path: Path, given: list[Any]) -> None:
    adapted(images(tmp_path / "walk"), RunOptions(fov=70.0, adapt=2.5), tmp_path / "out")
    assert (given[0].minutes, given[0].start_from) == (2.5, Path("vode-small"))
    assert replace(given[0], minutes=3.0).data == tmp_path / "walk"


def test_adaptation_is_a_stage_of_the_progress_and_prints_nothing(
    tmp_path: Path, given: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(*_: Any) -> tuple[Path, dict[str, float]]:
        for work in ("walk: tracking", "training"):
            with Announced(work, 4) as done:
                done(1)
                done(4)
        return tmp_path, {}

    monkeypatch.setattr(adapt, "train", train)
    seen: list[Progress] = []
    adapted(images(tmp_path / "walk"), RunOptions(fov=70.0, adapt=1.0), tmp_path / "out", seen.append)
    told = [(x.stage, x.done, x.total, x.method) for x in seen]
    assert told[::2] == [("adapt", 1, 4, "walk: tracking"), ("adapt", 1, 4, "training")]
    assert told[1::2] == [("adapt", 4, 4, "walk: tracking"), ("adapt", 4, 4, "training")]
    assert capsys.readouterr().err == ""


def test_frames_a_second_are_those_after_the_adaptation(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def slowly(*_: Any) -> tuple[vode.Model, dict[str, Any]]:
        now[0] += 500.0
        return vode.load("vode-small", device="cpu"), {"kept": False}

    def frame(_: object) -> None:
        now[0] += 2.0

    monkeypatch.setattr(pipeline, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(pipeline, "adapted_model", slowly)
    options = RunOptions(calibration=clip / "camera.yaml", adapt=3.0, limit=3, loops=False)
    first = vode.run(clip, tmp_path / "out", options, on_frame=frame)
    assert first.summary["adaptation"]["seconds"] == 500.0
    assert first.summary["seconds"] == 506.0
    assert first.summary["frames_per_second"] == 0.5
    # a run that goes on loads what was adapted, and counts that too
    again = vode.run(clip, tmp_path / "out", replace(options, limit=5, resume=True), on_frame=frame)
    assert again.summary["adaptation"]["seconds"] == 1000.0
    assert again.summary["frames_per_second"] == 0.5
