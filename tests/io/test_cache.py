"""Kept depth maps: computed once, again when a source changes, and never a reason to fail."""

import os

import pytest
import torch

from vode.io.cache import cache_folder, cached_depth


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "scan.bin"
    file.write_bytes(b"points")
    return file


def sparse():
    depth = torch.zeros(1, 6, 9)
    depth[0, 2, 3], depth[0, 5, 8] = 1.5, 70.25
    return depth


def fail():
    raise AssertionError("computed again")


def test_kept_and_read_back(tmp_path, source):
    assert torch.equal(cached_depth(tmp_path / "cache", [source], sparse), sparse())
    assert torch.equal(cached_depth(tmp_path / "cache", [source], fail), sparse())


def test_another_source_is_computed_again(tmp_path, source):
    cached_depth(tmp_path / "cache", [source], sparse)
    source.write_bytes(b"other points")
    assert cached_depth(tmp_path / "cache", [source], lambda: sparse() * 2).max() == 140.5
    os.utime(source, (0, 0))
    assert cached_depth(tmp_path / "cache", [source], lambda: sparse() * 3).max() == 210.75


def test_a_damaged_entry_is_replaced(tmp_path, source):
    cached_depth(tmp_path / "cache", [source], sparse)
    (entry,) = (tmp_path / "cache").iterdir()
    for content in (b"", entry.read_bytes()[:-40], b"nonsense"):
        entry.write_bytes(content)
        assert torch.equal(cached_depth(tmp_path / "cache", [source], sparse), sparse())
        assert torch.equal(cached_depth(tmp_path / "cache", [source], fail), sparse())


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path, source):
    (tmp_path / "cache").write_text("a file")
    assert torch.equal(cached_depth(tmp_path / "cache", [source], sparse), sparse())


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "vode"
