"""Data sets by name: every reader keeps the contract, and options that do not fit are refused."""

import inspect

import pytest
import torch

from vode.datasets.base import Sequence
from vode.datasets.kitti.writer import write_kitti_sequence
from vode.datasets.options import DataOptions
from vode.datasets.registry import DATASETS, held_out_names, open_sequence, open_sequences, reader
from vode.errors import InputError
from vode.io.image import write_image


@pytest.mark.parametrize("name", DATASETS)
def test_readers_are_alike(name):
    found = DATASETS[name]
    assert Sequence in found.__mro__
    assert [*inspect.signature(found).parameters][:3] == ["root", "sequence", "camera"]
    assert found.__doc__ is not None
    assert callable(found.names)
    assert callable(found.training)


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_of_something_else_is_refused_in_one_line(name, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    for ask in (DATASETS[name].training, lambda root: DATASETS[name](root, "2011_09_26_drive_0001")):
        with pytest.raises(InputError) as refusal:
            ask(tmp_path)
        assert str(tmp_path) in str(refusal.value)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("kitti-raw", "folder")])
def test_names_of_sequences_do_not_leave_the_root(name, tmp_path):
    outside = tmp_path / "seq"
    outside.mkdir()
    write_image(outside / "a.png", torch.rand(3, 4, 4))
    (tmp_path / "root" / "sequences").mkdir(parents=True)
    with pytest.raises(InputError):
        DATASETS[name](tmp_path / "root", "../seq")


def test_a_sequence_of_every_camera_or_a_part_of_it(tmp_path):
    root = tmp_path / "kitti"
    write_kitti_sequence(root, "00", 2, torch.rand(6, 3, 12, 40), torch.eye(3))
    folder = root / "sequences" / "00"
    (folder / "image_3").symlink_to(folder / "image_2")
    (folder / "calib.txt").write_text("\n".join(f"P{k}: 9 0 19 0 0 9 5 0 0 0 1 0" for k in range(4)))
    both = open_sequences(DataOptions("kitti-odom", root, camera=(2, 3)), ("00",))
    assert [len(sequence) for sequence in both] == [6, 6]
    part = open_sequence(DataOptions("kitti-odom", root, start=1, end=6, step=2), "00", 2)
    assert len(part) == 3
    assert torch.equal(part.frame(1), both[0].frame(3))


def test_own_cameras_are_for_own_images(tmp_path):
    write_image(tmp_path / "a.png", torch.rand(3, 12, 16))
    options = DataOptions("folder", tmp_path, fov=90.0)
    assert open_sequence(options, held_out_names(options)[0], 2).intrinsics[0, 0] == pytest.approx(8)
    with pytest.raises(InputError, match="--fov"):
        open_sequence(DataOptions("tum", tmp_path, fov=90.0), "rgbd_dataset_freiburg1", 2)
    with pytest.raises(InputError, match="choose one of kitti-odom"):
        reader(DataOptions("kity", tmp_path))
    with pytest.raises(InputError, match=r"no images\.bin"):
        held_out_names(DataOptions("colmap", tmp_path))
