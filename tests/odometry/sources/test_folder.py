"""Depth from files: names, units, sizes, and what is refused."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.io.depth import write_depth
from vode.odometry.frames import Frame
from vode.odometry.sources.folder import DepthFolder, sequence_folder

NAMES = ["000007", "000008", "left"]
SIZE = (20, 30)


def frame(index, size=SIZE):
    return Frame(index, torch.zeros(1, 3, *size))


def depths(count=3, size=SIZE):
    rng = np.random.default_rng(0)
    return [rng.uniform(1, 50, size).astype(np.float32) for _ in range(count)]


@pytest.fixture(params=["npy", "npz", "npz of several", "png"])
def folder(request, tmp_path):
    for name, depth in zip(NAMES, depths(), strict=True):
        if request.param == "npy":
            np.save(tmp_path / f"{name}.npy", depth[None])
        elif request.param == "npz":
            np.savez_compressed(tmp_path / f"{name}.npz", anything=depth)
        elif request.param == "npz of several":
            np.savez(tmp_path / f"{name}.npz", depth=depth.astype(np.float64), fov=np.float32(50))
        else:
            write_depth(tmp_path / f"{name}.png", torch.from_numpy(depth)[None], unit=1000.0)
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


def test_files_are_read_by_the_names_of_their_frames(folder):
    png = (folder / "left.png").exists()
    source = DepthFolder(folder, NAMES, factor=1000.0 if png else None)
    for i, depth in enumerate(depths()):
        found = source.depth(frame(i))
        assert found.shape == (1, 1, *SIZE)
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found[0, 0], depth, atol=1e-3 if png else 1e-6)


def test_a_factor_divides_arrays_too(tmp_path):
    np.save(tmp_path / "0.npy", (1000 * np.ones(SIZE)).astype(np.uint16))
    np.testing.assert_allclose(DepthFolder(tmp_path, ["000000"], factor=500.0).depth(frame(0)), 2.0)


def test_maps_of_another_size_are_resized_without_mixing(tmp_path):
    depth = np.ones((40, 60))
    depth[:, 30:] = 9.0
    depth[0, 0], depth[39, 59] = np.nan, -1
    np.save(tmp_path / "a.npy", depth)
    found = DepthFolder(tmp_path, ["a"]).depth(frame(0, (80, 120)))
    assert found.shape == (1, 1, 80, 120)
    assert set(found.unique().tolist()) == {0.0, 1.0, 9.0}
    assert DepthFolder(tmp_path, ["a"]).depth(frame(0, (10, 15))).shape == (1, 1, 10, 15)
    with pytest.raises(InputError, match=r"a\.npy: 60x40 pixels for frames of 30x10"):
        DepthFolder(tmp_path, ["a"]).depth(frame(0, (10, 30)))


def test_missing_and_double_files_are_refused_before_anything_is_tracked(tmp_path):
    np.save(tmp_path / "1.npy", np.ones(SIZE))
    with pytest.raises(InputError, match=r"no 000002.npz, .npy or .png for the depth of frame 1 \(1 of 2 have none\)"):
        DepthFolder(tmp_path, ["000001", "000002"])
    np.save(tmp_path / "001.npy", np.ones(SIZE))
    with pytest.raises(InputError, match=r"1.npy: a second file of the frame of"):
        DepthFolder(tmp_path, ["000001"])
    with pytest.raises(InputError, match="no such folder"):
        DepthFolder(tmp_path / "other", ["000001"])


def test_a_png_needs_its_factor(tmp_path):
    write_depth(tmp_path / "0.png", torch.ones(1, *SIZE))
    with pytest.raises(InputError, match=r"0\.png: a PNG does not tell its unit") as error:
        DepthFolder(tmp_path, ["0"])
    assert error.value.parameters == ("depth_factor",)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda path: path.write_bytes(b"\x93NUMPY"), "not a whole .npz or .npy"),
        (lambda path: np.save(path, np.ones((2, *SIZE))), "not numbers (H, W)"),
        (lambda path: np.save(path, np.array("x")), "it holds <U1"),
        (lambda path: np.save(path, np.array([{}]), allow_pickle=True), "not a whole"),
    ],
)
def test_damaged_files_are_named(tmp_path, write, told):
    write(tmp_path / "0.npy")
    with pytest.raises(InputError) as error:
        DepthFolder(tmp_path, ["0"]).depth(frame(0))
    assert str(error.value).startswith(str(tmp_path / "0.npy"))
    assert told in str(error.value)


def test_an_archive_of_several_arrays_calls_one_depth(tmp_path):
    np.savez(tmp_path / "0.npz", a=np.ones(SIZE), b=np.ones(SIZE))
    with pytest.raises(InputError, match="arrays a, b; call that of depth depth"):
        DepthFolder(tmp_path, ["0"]).depth(frame(0))


def test_sequences_have_folders_of_their_own(tmp_path):
    (tmp_path / "09").mkdir()
    assert sequence_folder(tmp_path, "09", several=False) == tmp_path / "09"
    assert sequence_folder(tmp_path, "10", several=False) == tmp_path
    assert sequence_folder(tmp_path, "10", several=True) == tmp_path / "10"
