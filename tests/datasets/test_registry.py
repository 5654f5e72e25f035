"""The registry: every name is a reader, names are listed without importing any, the table is what these declare."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vode.datasets.base import Capability
from vode.datasets.dataset import Dataset
from vode.datasets.options import SET_OPTIONS, DataOptions
from vode.datasets.registry import ALIASES, DATASETS, capabilities, dataset_class, open_dataset, table
from vode.errors import InputError
from vode.io.image import write_image


@pytest.mark.parametrize("name", [*DATASETS, *ALIASES])
def test_every_name_is_a_documented_reader_that_declares_the_options_it_takes(name):
    found = dataset_class(name)
    assert issubclass(found, Dataset)
    assert found.__doc__ != Dataset.__doc__
    arguments = {p.name for p in inspect.signature(found).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert found.own_options - set(SET_OPTIONS) == arguments


def test_listing_the_names_imports_no_reader():
    code = (
        "import sys; from vode.datasets import registry; assert registry.DATASETS and registry.ALIASES; "
        "print([m for m in ('torch', 'numpy', 'cv2', 'h5py', 'scipy', 'vode.world') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_table_has_a_row_for_every_set():
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table().splitlines()]
    assert rows[0] == ["data set", *Capability, "options"]
    assert [row[0].strip("`") for row in rows[2:]] == list(DATASETS)
    for row in rows[2:]:
        declared = {capability for capability, cell in zip(Capability, row[1:-1], strict=True) if cell}
        assert declared == capabilities()[row[0].strip("`")]
    assert rows[2 + list(DATASETS).index("folder")][-1] == "calibration, fov, pattern, rotate"


def test_the_manual_has_the_table():
    manual = Path(__file__).parents[2] / "docs" / "data.md"
    assert table() in manual.read_text("utf-8")


def test_an_unknown_name_is_told_which_there_are():
    with pytest.raises(InputError, match=r"called 'kity'; choose one of kitti-odom, .*folder, world, kitti-flow$"):
        open_dataset(DataOptions("kity"))


def test_options_of_one_set_reach_it_and_no_other(tmp_path):
    write_image(tmp_path / "a.png", torch.rand(3, 12, 16))
    dataset = open_dataset(DataOptions("folder", tmp_path, fov=90.0), world="not looked at")
    assert dataset.open(dataset.names("test")[0]).intrinsics[0, 0] == pytest.approx(8)
    with pytest.raises(InputError, match=r"^calibration, fov: not for nyu") as refusal:
        open_dataset(DataOptions("nyu", tmp_path, fov=90.0, calibration=tmp_path / "camera.yaml"))
    assert refusal.value.parameters == ("calibration", "fov")
    with pytest.raises(InputError, match=r"no images\.bin"):
        open_dataset(DataOptions("colmap", tmp_path)).names("test")
