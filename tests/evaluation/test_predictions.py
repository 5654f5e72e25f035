"""Predictions written once read back as they were; broken files are named."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.evaluation.predictions import Predictions, save_predictions
from vode.io.array_files import reading


def maps(count):
    torch.manual_seed(0)
    return {f"drive frame {i}": torch.rand(1, 4 + i, 6) for i in range(count)}


def test_written_and_read_back(tmp_path):
    path, depths = tmp_path / "depth.npz", maps(3)
    save_predictions(path, iter(depths.items()))
    assert list(tmp_path.iterdir()) == [path]
    read = Predictions(path, list(depths))
    assert all(torch.equal(read[name], depth) for name, depth in depths.items())


def test_a_set_that_breaks_off_leaves_nothing(tmp_path):
    def broken():
        yield from maps(2).items()
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        save_predictions(tmp_path / "depth.npz", broken())
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "depth.npz"
    with pytest.raises(InputError, match=r"depth\.npz: no such file"):
        Predictions(path, [])
    save_predictions(path, maps(2).items())
    with pytest.raises(InputError, match="no prediction of drive frame 7"):
        Predictions(path, [])["drive frame 7"]
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-30], b"not an archive"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"depth\.npz: not a whole"):
            Predictions(path, [])


def test_arrays_of_other_programs(tmp_path):
    path, names = tmp_path / "depth.npy", ["first", "second"]
    depth = np.random.default_rng(0).uniform(1, 80, (2, 4, 6))
    np.save(path, depth)
    assert torch.equal(Predictions(path, names)["second"], torch.from_numpy(depth[1:]).float())
    np.save(path, 1 / depth)
    torch.testing.assert_close(Predictions(path, names, inverse=True)["first"], torch.from_numpy(depth[:1]).float())
    with pytest.raises(InputError, match=r"depth\.npy: shape \(2, 4, 6\), but 3 frames"):
        Predictions(path, [*names, "third"])
    np.save(path, np.zeros((2, 5, 4, 6)))
    with pytest.raises(InputError, match=r"the prediction of first is \(5, 4, 6\), not a map"):
        Predictions(path, names)["first"]


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, allow_pickle=True, frame=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="not a whole"):
        Predictions(path, [])["frame"]


def test_a_small_archive_cannot_fill_the_memory(tmp_path, monkeypatch):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, frame=np.zeros((1, 100, 100), np.float32))
    assert path.stat().st_size < 1000
    Predictions(path, [])["frame"]
    monkeypatch.setattr(reading, "LARGEST", 30_000)
    with pytest.raises(InputError, match="more than"):
        Predictions(path, [])["frame"]
