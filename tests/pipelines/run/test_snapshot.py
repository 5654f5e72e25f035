"""What is written of a run's state comes back as it was; what another version wrote is refused."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.odometry.result import DepthLevel, Method
from vode.pipelines.run import snapshot
from vode.pipelines.run.snapshot import load_snapshot, save_snapshot


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    plain = {"range": range(3, 90), "level": DepthLevel(1.5, 0.1), "method": Method.PNP, "none": None, "path": tmp_path}
    few = {"deque": deque([1, 2], maxlen=5), "tuple": (1, (2.5, "a")), "dict": {7: [True]}}
    last = torch.rand(1, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    tensors = [torch.eye(4, dtype=torch.float64), torch.zeros(0, 2), torch.tensor(3), last, torch.rand(2, 3).half()]
    arrays = [np.arange(6, dtype=np.uint8).reshape(2, 3).T, np.float32(0.1), np.array([True, False])]
    save_snapshot(tmp_path / "state.npz", plain | few | {"tensors": tensors, "arrays": arrays})
    found = load_snapshot(tmp_path / "state.npz")
    assert {name: found[name] for name in plain | few} == plain | few
    assert found["deque"].maxlen == 5
    for before, after in zip(tensors, found["tensors"], strict=True):
        assert torch.equal(before, after)
        assert before.dtype == after.dtype
    assert found["tensors"][3].is_contiguous(memory_format=torch.channels_last)
    for array, other in zip(arrays, found["arrays"], strict=True):
        assert np.array_equal(array, other)
        assert array.dtype == other.dtype
        assert type(array) is type(other)


def test_many_small_arrays_take_few_entries_of_the_file(tmp_path: Path) -> None:
    poses = [torch.full((4, 4), float(k)) for k in range(500)]
    save_snapshot(tmp_path / "state.npz", {"poses": poses})
    with np.load(tmp_path / "state.npz") as content:
        assert len(content.files) == 2
    assert all(torch.equal(a, b) for a, b in zip(load_snapshot(tmp_path / "state.npz")["poses"], poses, strict=True))


def test_what_another_version_wrote_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setattr(snapshot, "FORM", snapshot.FORM + 1)
        save_snapshot(tmp_path / "state.npz", {"a": 1})
    with pytest.raises(InputError, match=r"state\.npz: the run cannot go on from it .another version"):
        load_snapshot(tmp_path / "state.npz")
