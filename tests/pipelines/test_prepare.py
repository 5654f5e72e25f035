"""Copies of a data set with lists of its own: what is trained and tested on stays so."""

import pytest
import torch

from vode.datasets.options import DataOptions
from vode.datasets.prepared.manifest import read_manifest
from vode.datasets.registry import open_dataset
from vode.io.image import write_image
from vode.pipelines.options import CopyOptions
from vode.pipelines.prepare import prepare_copy

SMALL = CopyOptions(size=(48, 64))


@pytest.fixture
def scene(tmp_path):
    """A scene of 7-Scenes with a sequence to train and one to test on, of two frames each."""
    root = tmp_path / "scene"
    for name in ("seq-01", "seq-02"):
        (root / name).mkdir(parents=True)
        for k in range(2):
            write_image(root / name / f"frame-{k:06d}.color.png", torch.full((3, 480, 640), 0.5))
            (root / name / f"frame-{k:06d}.pose.txt").write_text(f"1 0 0 {k}\n0 1 0 0\n0 0 1 0\n0 0 0 1\n")
    (root / "TrainSplit.txt").write_text("sequence1\n")
    (root / "TestSplit.txt").write_text("sequence2\n")
    return root


def test_a_copy_keeps_the_lists_of_its_data_set(scene, tmp_path):
    options = DataOptions(dataset="7scenes", data=scene)
    prepare_copy(tmp_path / "copy", options, SMALL)
    copied = DataOptions(dataset="7scenes", data=tmp_path / "copy")
    # without what is tested on, all is
    assert read_manifest(tmp_path / "copy").test == ()
    assert open_dataset(copied).names("test") == ("seq-01",)
    prepare_copy(tmp_path / "copy", DataOptions(dataset="7scenes", data=scene, sequences=("seq-02",)), SMALL)
    whole = open_dataset(copied)
    assert (whole.names("train"), whole.names("test"), whole.names("all")) == (
        ("seq-01",),
        ("seq-02",),
        ("seq-01", "seq-02"),
    )
    assert len(whole.open("seq-02")) == 2
