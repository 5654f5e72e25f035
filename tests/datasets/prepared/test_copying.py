"""The prepared copy: it shows what the originals show, is gone on with, and says when it does not fit."""

import json

import pytest
import torch

from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.datasets.options import DataOptions
from vode.datasets.prepared.copying import prepare
from vode.datasets.prepared.manifest import MANIFEST, SEQUENCE, Manifest
from vode.datasets.prepared.sequence import PreparedSequence
from vode.datasets.registry import open_dataset, open_sequences
from vode.datasets.sequence_slice import SequenceSlice
from vode.errors import InputError
from vode.io.image import write_image
from vode.training.clip_dataset import ClipDataset
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (32, 104)
PNG = Manifest("kitti-odom", SIZE, "png", 95, (2,), ("00", "01"), ("00",))


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Two sequences of the world, of five frames, in the KITTI odometry layout."""
    root = tmp_path_factory.mktemp("kitti")
    for seed in (0, 1):
        sequence = WorldSequence(seed, WorldOptions(size=(48, 160), frames=5))
        frames, depths = ([f(i) for i in range(5)] for f in (sequence.frame, sequence.depth))
        known = GroundTruth(sequence.poses, depths)
        write_kitti_sequence(root, f"{seed:02d}", 2, frames, sequence.intrinsics, sequence.timestamps, known)
    return root


def make(originals, out, manifest=PNG, **options):
    return prepare(out, manifest, lambda name, camera: KittiOdometry(originals, name, camera), **options)


def test_a_copy_gives_the_samples_that_the_originals_give(originals, tmp_path):
    assert make(originals, tmp_path / "out") == 10
    options = DataOptions("kitti-odom", tmp_path / "out")
    assert open_dataset(options).names("train") == ("00",)
    copy, whole = (
        open_sequences(DataOptions("kitti-odom", root), ("00", "01")) for root in (tmp_path / "out", originals)
    )
    assert copy[0].size == SIZE
    assert torch.equal(copy[1].poses, whole[1].poses)
    assert torch.equal(copy[1].timestamps, whole[1].timestamps)
    ours, theirs = (ClipDataset(sequences, size=SIZE, ground_truth=True)[5] for sequences in (copy, whole))
    for key in ("images", "intrinsics", "poses"):
        torch.testing.assert_close(ours[key], theirs[key], rtol=0, atol=1e-6)
    known = (ours["depth"] > 0) & (theirs["depth"] > 0)
    assert (known == (theirs["depth"] > 0)).all()
    assert (ours["depth"] - theirs["depth"])[known].abs().max() <= 0.5 / 256 + 1e-4


def test_frames_that_training_may_start_at_and_those_for_validation_are_kept(originals, tmp_path):
    def opened(name, camera):
        sequence = KittiOdometry(originals, name, camera)
        sequence.starts, sequence.validation = (0, 3), (1, 2)
        return sequence

    prepare(tmp_path / "out", PNG, opened)
    copy = PreparedSequence(tmp_path / "out", "00")
    assert (copy.starts, copy.validation) == ((0, 3), (1, 2))
    clip = SequenceSlice(copy, start=1, end=4)
    assert (clip.starts, clip.validation) == ((2,), (0, 1))


def test_jpeg_is_close_and_better_with_quality(originals, tmp_path):
    ground_truth = KittiOdometry(originals, "00").resized(0, SIZE)
    errors = []
    for quality in (30, 95):
        make(originals, tmp_path / str(quality), Manifest("kitti-odom", SIZE, "jpg", quality, (2,), ("00",), ("00",)))
        errors.append(float((PreparedSequence(tmp_path / str(quality), "00").frame(0) - ground_truth).abs().mean()))
    assert errors[1] < 0.5 * errors[0] < 0.05


def test_an_interrupted_copy_goes_on_where_it_stopped(originals, tmp_path):
    out = tmp_path / "out"

    def stop(name, done, total):
        if (name, done) == ("01", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(originals, out, workers=1, on_progress=stop)
    with pytest.raises(InputError, match=r"not finished, as 1 of 2; prepare the copy again"):
        open_dataset(DataOptions("kitti-odom", out)).names("train")
    there = {file: file.stat().st_mtime_ns for file in out.rglob("*.png")}
    (out / "01" / "2" / "000001.png").write_bytes(b"")
    assert 0 < make(originals, out) <= 5
    untouched = [file for file in there if file.name != "000001.png"]
    assert all(file.stat().st_mtime_ns == there[file] for file in untouched)
    assert len(PreparedSequence(out, "01")) == 5
    assert PreparedSequence(out, "01").frame(1).std() > 0.01
    assert make(originals, out) == 0


def test_a_copy_made_otherwise_is_not_mixed_with_and_other_folders_are_left_alone(originals, tmp_path):
    make(originals, tmp_path / "out", Manifest("kitti-odom", SIZE, "png", 95, (2,), ("00",), ("00",)))
    with pytest.raises(InputError, match="made otherwise"):
        make(originals, tmp_path / "out", Manifest("kitti-odom", (16, 52), "png", 95, (2,), ("00",), ("00",)))
    make(originals, tmp_path / "out")
    assert open_dataset(DataOptions("kitti-odom", tmp_path / "out")).names() == ("00", "01")
    with pytest.raises(InputError, match="not empty"):
        make(originals, originals)
    with pytest.raises(InputError, match="a prepared copy of kitti-odom; name this"):
        open_dataset(DataOptions("tum", tmp_path / "out"))
    with pytest.raises(InputError, match=r"02.*of 00, 01 of camera 2"):
        PreparedSequence(tmp_path / "out", "02")
    with pytest.raises(InputError, match="leads out"):
        PreparedSequence(tmp_path / "out", "../00")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        (MANIFEST, "{", "not JSON"),
        (MANIFEST, "[]", "not of a prepared copy"),
        (MANIFEST, json.dumps({"format": "other"}), "not the manifest"),
        (MANIFEST, {"kind": "/../../x"}, "is none of jpg, png"),
        (MANIFEST, {"size": [10**6, 10**6]}, "height and a width"),
        (MANIFEST, {"quality": 1e999}, "not the manifest"),
        (MANIFEST, {"camera": [[2]]}, "not the manifest"),
        (f"00/2/{SEQUENCE}", "[" * 900 + "]" * 900, "nested too deep"),
        (f"00/2/{SEQUENCE}", {"frames": 10**12}, "1000000000000 frames"),
        (f"00/2/{SEQUENCE}", {"frames": 1e999}, "not a prepared sequence"),
        (f"00/2/{SEQUENCE}", {"validation": [5]}, "are not there"),
        (f"00/2/{SEQUENCE}", {"stamps": [10**400] * 5}, "not a prepared sequence"),
        (f"00/2/{SEQUENCE}", {"poses": [[1.0]]}, "not a prepared sequence"),
        (f"00/2/{SEQUENCE}", {"frames": "many"}, "not a prepared sequence"),
    ],
)
def test_spoilt_files_of_a_copy_are_named(originals, tmp_path, file, content, says):
    out = tmp_path / "out"
    make(originals, out)
    if isinstance(content, dict):
        content = json.dumps(json.loads((out / file).read_text()) | content)
    (out / file).write_text(content)
    with pytest.raises(InputError, match=says):
        PreparedSequence(out, "00")


def test_a_damaged_original_is_named_and_the_rest_stays(originals, tmp_path):
    root = tmp_path / "kitti"
    write_kitti_sequence(
        root, "00", 2, torch.rand(4, 3, 48, 160), torch.tensor([[90.0, 0, 80], [0, 90, 24], [0, 0, 1]])
    )
    image = root / "sequences" / "00" / "image_2" / "000002.png"
    image.write_bytes(image.read_bytes()[:-40])
    out, manifest = tmp_path / "out", Manifest("kitti-odom", SIZE, "png", 95, (2,), ("00",), ("00",))
    with pytest.raises(InputError, match=r"000002\.png: the image is cut short"):
        make(root, out, manifest)
    write_image(image, torch.rand(3, 48, 160))
    make(root, out, manifest)
    assert open_dataset(DataOptions("kitti-odom", out)).open("00").frame(3).shape == (3, *SIZE)
