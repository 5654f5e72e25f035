from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vode.errors import InputError
from vode.report.cloud import read_cloud
from vode.report.record import read_record


@pytest.fixture
def folder(example: SimpleNamespace, tmp_path: Path) -> Path:
    return example.write(tmp_path / "run")


def test_a_record_has_the_frames_of_the_log_with_their_poses(example: SimpleNamespace, folder: Path) -> None:
    (folder / "trajectory.tum").unlink()
    record = read_record(folder)
    assert len(record) == example.count
    assert not record.corrected
    np.testing.assert_allclose(record.poses, example.circle(), atol=1e-6)
    assert np.flatnonzero(record.lost).tolist() == list(example.lost)
    assert np.isnan(record.numbers["scale_deviation"][example.lost[0]])


def test_poses_are_the_corrected_ones_of_the_trajectory(folder: Path) -> None:
    lines = (folder / "trajectory.tum").read_text().splitlines()
    moved = [" ".join([line.split()[0], "5", *line.split()[2:]]) for line in lines]
    (folder / "trajectory.tum").write_text("\n".join(moved))
    record = read_record(folder)
    assert record.corrected
    np.testing.assert_allclose(record.positions[:, 0], 5)


def test_a_trajectory_of_fewer_frames_is_not_taken(folder: Path) -> None:
    lines = (folder / "trajectory.tum").read_text().splitlines()
    (folder / "trajectory.tum").write_text("\n".join(lines[:-3]))
    assert not read_record(folder).corrected


def test_a_last_line_that_was_being_written_is_left_out(example: SimpleNamespace, folder: Path) -> None:
    with open(folder / "log.jsonl", "a") as file:
        file.write('{"frame": 41, "timesta')
    assert len(read_record(folder)) == example.count


def test_a_broken_line_is_named(folder: Path) -> None:
    lines = (folder / "log.jsonl").read_text().splitlines()
    lines[4] = '{"frame": 4}'
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"log\.jsonl:5: "):
        read_record(folder)


def test_frames_without_times_count(example: SimpleNamespace, folder: Path) -> None:
    rows = [json.loads(line) | {"timestamp": None} for line in (folder / "log.jsonl").read_text().splitlines()]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    record = read_record(folder)
    assert not record.timed
    assert record.times.tolist() == list(range(example.count))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("{", "is no JSON"),
        ("[" * 5000, "is no JSON"),
        ("[]", "no description"),
        ('{"version": 2}', "of version 2"),
    ],
)
def test_folders_of_something_else_are_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read_record(tmp_path)


def test_a_run_that_has_just_begun_has_no_frames(example: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(example.summary(state="running")))
    assert len(read_record(tmp_path)) == 0


def test_a_cloud_is_read_without_its_incomplete_end(example: SimpleNamespace, tmp_path: Path) -> None:
    positions = np.arange(12, dtype=np.float32).reshape(4, 3)
    positions[1, 0] = np.nan
    colors = np.arange(12).reshape(4, 3)
    example.write_cloud(tmp_path / "cloud.ply", positions, colors)
    data = (tmp_path / "cloud.ply").read_bytes()
    (tmp_path / "cloud.ply").write_bytes(data[:-1])
    cloud = read_cloud(tmp_path / "cloud.ply")
    np.testing.assert_array_equal(cloud.positions, positions[[0, 2]])
    np.testing.assert_array_equal(cloud.colors, colors[[0, 2]])


def test_another_kind_of_ply_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cloud.ply").write_text("ply\nformat ascii 1.0\nelement vertex 0\nend_header\n")
    with pytest.raises(InputError, match=r"cloud\.ply: no cloud"):
        read_cloud(tmp_path / "cloud.ply")


@pytest.mark.parametrize("frame", ["1e999", "1" + "0" * 30, "-1", "NaN", "[1]"])
def test_a_frame_of_no_number_is_named_by_its_line(example: SimpleNamespace, tmp_path: Path, frame: str) -> None:
    folder = example.write(tmp_path / "run")
    first, *rest = (folder / "log.jsonl").read_text().splitlines(keepends=True)
    (folder / "log.jsonl").write_text(first + rest[0].replace('"frame": 1,', f'"frame": {frame},') + "".join(rest[1:]))
    with pytest.raises(InputError, match=r"log\.jsonl:2: no frame of a run"):
        read_record(folder)


def test_an_integer_beyond_all_floats_is_not_known(example: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(example.summary(seconds=10**400)))
    assert np.isnan(read_record(tmp_path).number("seconds"))
