from __future__ import annotations

from pathlib import Path

import pytest

from vode.cli.progress import progress_line
from vode.pipelines.odometry import evaluate_run
from vode.pipelines.options import OdometryOptions
from vode.pipelines.run.progress import Progress

HALF = Progress("00", 5, 10, 2.0, 2.5)


def test_a_line_tells_the_speed_and_the_time_that_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line() as tell:
        tell(HALF)
        tell(HALF)
    assert capsys.readouterr().err == "00 5/10, 2.0 frames/s, 2 s left\n"


def test_nothing_is_told_of_what_is_brief(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line(after=1e6) as tell:
        tell(HALF)
    assert capsys.readouterr().err == ""


def test_odometry_tells_how_far_it_is(tmp_path: Path) -> None:
    seen: list[Progress] = []
    evaluate_run(None, options=OdometryOptions(no_depth=True, alignment="none"), out=tmp_path, on_frame=seen.append)
    assert [x.done for x in seen] == [2, 3, 4]
    assert {x.total for x in seen} == {4}
