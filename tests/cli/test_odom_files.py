"""``vode odom`` on trajectory files: what tells the frames apart, and the formats that it writes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from vode.cli import main
from vode.errors import InputError
from vode.io.trajectory import Trajectory, read_trajectory
from vode.pipelines.options import OdometryOptions
from vode.pipelines.tracking.sequences import track_sequences

TIMES = 0.1036 * np.arange(120)


@pytest.fixture
def files(tmp_path):
    """A folder with poses of 120 frames along a circle in KITTI rows, every third in TUM rows, and the times."""
    poses, angle = np.tile(np.eye(4), (120, 1, 1)), np.arange(120) / 40
    poses[:, 0, 0], poses[:, 0, 2] = np.cos(angle), np.sin(angle)
    poses[:, 2, 0], poses[:, 2, 2] = -np.sin(angle), np.cos(angle)
    poses[:, 0, 3], poses[:, 2, 3] = 40 - 40 * np.cos(angle), 40 * np.sin(angle)
    Trajectory(poses).write_kitti(tmp_path / "truth.txt")
    Trajectory(poses[::3], TIMES[::3] + 5).write_tum(tmp_path / "third.txt")
    Trajectory(poses[::3]).write_kitti(tmp_path / "rows.txt")
    np.savetxt(tmp_path / "times.txt", TIMES)
    return tmp_path


def words(files, estimate, *more) -> list[str]:
    return ["odom", "--estimate", str(files / estimate), "--ground-truth", str(files / "truth.txt"), *more]


def test_the_line_of_refusal_names_the_options(files, refused):
    assert refused(*words(files, "third.txt")).endswith("(--times)")
    assert refused(*words(files, "rows.txt")).endswith("(--times, --by)")
    timed = ["--times", str(files / "times.txt")]
    assert refused(*words(files, "rows.txt", *timed)).endswith("(--times, --by)")
    assert refused(*words(files, "third.txt", *timed)).endswith("(--time-offset, --max-time-difference)")
    assert "2 files of times for 1 sequences" in refused(*words(files, "third.txt", *timed, timed[1]))
    assert "--max-time-difference" in refused(*words(files, "truth.txt", "--max-time-difference", "-1"))


def test_times_an_offset_and_the_largest_difference(files):
    timed = ["--times", str(files / "times.txt"), "--json", str(files / "out.json")]
    plots = ["--out", str(files / "plots")]
    for more in (["--time-offset", "-5"], [*plots, "--time-offset", "-4.95", "--max-time-difference", "0.051"]):
        assert main(words(files, "third.txt", *timed, *more)) == 0
        found = json.loads((files / "out.json").read_text())
        assert (found["ate_m"], found["frames"]) == (pytest.approx(0, abs=1e-6), 40)
        assert found["matched_by"] == "time"
    assert main(words(files, "rows.txt", "--by", "index", "--json", str(files / "out.json"))) == 0
    assert json.loads((files / "out.json").read_text())["matched_by"] == "index"


def test_a_tracked_trajectory_in_the_format_of_euroc(run, tmp_path):
    out = ["--out", str(tmp_path)]
    assert main(["odom", str(run), "--alignment", "none", "--format", "euroc", *out]) == 0
    assert (tmp_path / "world99.csv").read_text().startswith("#timestamp [ns],p_RS_R_x")
    assert len(read_trajectory(tmp_path / "world99.csv").timestamps) == 4
    assert (tmp_path / "world99.log.jsonl").exists()


@pytest.mark.parametrize("format", ["tum", "euroc"])
def test_a_format_with_times_is_refused_before_frames_without_any_are_tracked(tmp_path, format):
    video = SimpleNamespace(name="walk", timestamps=None)
    with pytest.raises(InputError, match="walk: its frames have no times") as error:
        track_sequences(None, [video], tmp_path, OdometryOptions(format=format))
    assert error.value.parameters == ("format",)


def test_a_format_is_refused_where_nothing_is_written(files, capsys):
    files = [f"--estimate={files / 'truth.txt'}", f"--ground-truth={files / 'truth.txt'}"]
    assert main(["odom", *files, "--format", "tum"]) == 2
    assert "--format is for the trajectories" in capsys.readouterr().err


def test_a_protocol_by_name_adds_its_figure(files, refused, tmp_path):
    out = tmp_path / "numbers.json"
    assert main([*words(files, "truth.txt"), "--protocol", "sfmlearner", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    assert result["sfmlearner_ate_m"] == pytest.approx(0, abs=1e-6)
    assert result["protocol"].startswith("sfmlearner; unlike the default: its figure is")
    assert refused(*words(files, "truth.txt", "--protocol", "trianflow", "--alignment", "6dof")).endswith(
        "(--protocol)"
    )


def test_trackers_and_solvers_are_for_runs(files, refused):
    assert "--tracker is for the tracking of a run" in refused(*words(files, "truth.txt", "--tracker", "trianflow"))
    assert "--backend is for the tracking of a run" in refused(*words(files, "truth.txt", "--backend", "opencv"))
