"""Lists of frames against their published sizes and rules."""

import subprocess
import sys
from pathlib import Path

import pytest

from vode.datasets.kitti.splits import Frame, is_validation, read_split, split_names
from vode.errors import InputError


def test_published_sizes_without_duplicates():
    sizes = {"eigen": 697, "eigen_benchmark": 652, "zhou": 22_117}
    assert set(split_names()) == set(sizes)
    for name, size in sizes.items():
        frames = read_split(name)
        assert len(frames) == len(set(frames)) == size


def test_a_checkout_that_is_not_installed_has_its_lists():
    root = Path(__file__).parents[3]
    code = f"import sys; sys.path.insert(0, {str(root)!r}); from vode.datasets.kitti import splits; "
    asked = [sys.executable, "-I", "-S", "-c", code + "print(*splits.split_names(), len(splits.read_split('eigen')))"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["eigen", "eigen_benchmark", "zhou", "697"]


def test_eigen_has_28_drives_of_25_frames_but_one():
    frames = read_split("eigen")
    counts = {drive: sum(frame.drive == drive for frame in frames) for drive in {frame.drive for frame in frames}}
    assert len(counts) == 28
    assert counts.pop("2011_09_26_drive_0048") == 22
    assert set(counts.values()) == {25}
    assert frames[:3] == [("2011_09_26_drive_0002", number) for number in (0, 3, 6)]
    assert frames[0].date == "2011_09_26"


def test_the_benchmark_is_a_part_of_eigen_and_training_shares_no_drive_with_it():
    eigen, benchmark = read_split("eigen"), read_split("eigen_benchmark")
    assert [frame for frame in eigen if frame in set(benchmark)] == benchmark
    assert min(frame.number for frame in benchmark) == 5
    assert not {frame.drive for frame in read_split("zhou")} & {frame.drive for frame in eigen}


def test_an_unknown_split_is_told():
    with pytest.raises(InputError, match="eigen, eigen_benchmark, zhou"):
        read_split("eigne")


def test_one_frame_in_ten_is_kept_for_validation_by_its_name():
    kept = [frame for frame in read_split("zhou") if is_validation(frame)]
    assert len(kept) / 22_117 == pytest.approx(26 / 256, abs=0.006)
    # The draw is part of what a published number means: it must never change.
    assert len(kept) == 2263
    # by sha256sum: printf "2011_09_26_drive_0001 7" begins with 15, and likewise
    numbers = [n for n in range(60) if is_validation(Frame("2011_09_26_drive_0001", n))]
    assert numbers == [7, 9, 11, 14, 20, 31, 43, 47]
