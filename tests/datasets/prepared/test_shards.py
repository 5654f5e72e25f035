"""A prepared copy of shards gives, bit by bit, what one of folders gives, wherever it is."""

import dataclasses
from pathlib import Path

import fsspec
import pytest
import torch
from torch.utils.data import DataLoader

from vode.cli import main
from vode.datasets.options import DataOptions
from vode.datasets.prepared.copying import prepare
from vode.datasets.prepared.manifest import Manifest
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.training.clip_dataset import ClipDataset
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

JPG = Manifest("kitti-odom", (32, 96), "jpg", 95, (2,), ("00", "01"), ("00", "01"))
SHARDS = dataclasses.replace(JPG, shards=True)


@pytest.fixture(scope="module")
def sequences():
    return {f"{seed:02d}": WorldSequence(seed, WorldOptions(size=(32, 96), frames=3)) for seed in (0, 1)}


@pytest.fixture(scope="module")
def copies(sequences, tmp_path_factory):
    """The folders of a copy of folders and of one of shards."""
    root = tmp_path_factory.mktemp("copies")
    for name, manifest in (("folders", JPG), ("shards", SHARDS)):
        assert prepare(root / name, manifest, lambda sequence, camera: sequences[sequence]) == 6
    return root / "folders", root / "shards"


def clips(data, name="kitti-odom"):
    return ClipDataset(open_dataset(DataOptions(name, data)).sequences("train"), ground_truth=True, raw=True)


def same(ours, theirs):
    assert ours.keys() == theirs.keys() >= {"images", "intrinsics", "poses", "depth"}
    return all(torch.equal(value, theirs[key]) for key, value in ours.items())


def test_shards_give_the_samples_of_folders_bit_by_bit(copies):
    folders, shards = copies
    assert sorted(file.relative_to(shards).as_posix() for file in shards.rglob("*.*")) == [
        *("00/2.zip", "01/2.zip", "manifest.json")
    ]
    ours, theirs = clips(shards), clips(folders)
    assert len(ours) == len(theirs) == 4
    assert all(same(ours[i], theirs[i]) for i in range(4))


def test_shards_at_an_address_give_the_same_to_processes_that_load_them(copies):
    folders, shards = copies
    memory = fsspec.filesystem("memory")
    for file in shards.rglob("*.*"):
        memory.pipe(f"/test-shards/{file.relative_to(shards).as_posix()}", file.read_bytes())
    theirs = clips(folders)
    # a Path, as the command line makes it, has lost a slash
    for address in (Path("memory://test-shards"), Path(f"simplecache::file://{shards}"), Path(f"file://{folders}")):
        assert same(clips(address)[3], theirs[3])
    loaded = DataLoader(clips(Path("memory://test-shards")), batch_size=None, num_workers=1)
    assert all(same(sample, theirs[i]) for i, sample in enumerate(loaded))


def test_a_copy_of_folders_becomes_one_of_shards_but_not_back(sequences, copies, tmp_path):
    def opened(name, camera):
        return sequences[name]

    prepare(tmp_path / "out", JPG, opened)
    assert prepare(tmp_path / "out", SHARDS, opened) == 0
    for name in ("00/2.zip", "01/2.zip", "manifest.json"):
        assert (tmp_path / "out" / name).read_bytes() == (copies[1] / name).read_bytes()
    assert not (tmp_path / "out" / "00" / "2").exists()
    with pytest.raises(InputError, match="made otherwise"):
        prepare(tmp_path / "out", JPG, opened)


def test_missing_and_damaged_shards_are_named_in_one_line(copies, sequences, tmp_path):
    prepare(tmp_path, SHARDS, lambda sequence, camera: sequences[sequence])
    shard = tmp_path / "01" / "2.zip"
    content = shard.read_bytes()
    shard.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"^\S*01/2\.zip: damaged shard \(File is not a zip file\); copy it again$"):
        clips(tmp_path)
    place = content.index(b"000002.jpg") + 200
    shard.write_bytes(content[:place] + b"??" + content[place + 2 :])
    with pytest.raises(InputError, match=r"^\S*01/2\.zip: damaged shard \(at 000002\.jpg\); copy it again$"):
        clips(tmp_path)[3]
    shard.unlink()
    with pytest.raises(InputError, match=r"01/2\.zip: not finished, as 1 of 2"):
        clips(tmp_path)


def test_the_command_line_makes_shards_and_takes_an_address(copies, tmp_path, capfd):
    made = ["prepare", "--out", str(tmp_path / "s"), "--data", str(copies[0]), "--size", "32", "96", "--shards"]
    assert main([*made, "--workers", "1"]) == 0
    assert {file.name for file in (tmp_path / "s").rglob("*.*")} == {"2.zip", "manifest.json"}
    assert main(["data", "check", "--data", f"file://{tmp_path}/s"]) == 0
    assert "6 frames, 0 problems" in capfd.readouterr().out
    assert main(["data", "check", "--data", f"file://{tmp_path}/none"]) == 2
    assert "none/manifest.json: no such file" in capfd.readouterr().err
