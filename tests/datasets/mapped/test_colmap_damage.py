"""COLMAP's models that are damaged, or of another kind."""

import contextlib
import struct

import pytest

from tests.datasets.mapped.colmap_models import mapped
from vode.datasets.mapped.colmap import ColmapDataset, ColmapSequence
from vode.datasets.mapped.colmap_model import read_model, read_points
from vode.errors import InputError


def read_all(folder):
    return read_model(folder), read_points(folder)


@pytest.mark.parametrize("name", ["cameras.bin", "images.bin", "points3D.bin"])
def test_damaged_binary_files_are_refused_or_read(tmp_path, name):
    mapped(tmp_path, "binary")
    path = tmp_path / "sparse" / "0" / name
    data = path.read_bytes()
    counts = [struct.pack("<Q", count) + data[8:] for count in (6, 2**40, 2**64 - 1)]
    for damaged in [data[:-1], *(data[:length] for length in range(0, len(data), 19)), *counts]:
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=name):
            read_all(path.parent)
    for at in range(0, len(data), 7):
        for value in (b"\xff", b"\0", b"A" * 400):
            path.write_bytes(data[:at] + value + data[at + len(value) :])
            with contextlib.suppress(InputError):
                read_all(path.parent)
                sequence = ColmapSequence(tmp_path, "walk")
                assert len(sequence) <= 3
                assert sequence.points(0).isfinite().all()


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("cameras.txt", "1 PINHOLE", "1 FOV", r"cameras.txt:4: camera model FOV"),
        ("cameras.txt", "1 PINHOLE", "1 OPENCV", r"cameras.txt:4: camera model OPENCV with 4 parameters"),
        ("cameras.txt", "1 PINHOLE 128 96", "1 PINHOLE 128", r"cameras.txt:4: "),
        ("cameras.txt", "128 96 110", "128 96 -110", r"cameras.txt:4: not a camera"),
        ("cameras.txt", "1 PINHOLE", "\u00b2 PINHOLE", r"cameras.txt:4: not NUMBER MODEL"),
        ("cameras.txt", "1 PINHOLE", "2 PINHOLE", "is of camera 1, which is not there"),
        ("images.txt", " 1 top.png", "", r"images.txt:9: not NUMBER QW"),
        ("images.txt", " 1 top.png", " one top.png", r"images.txt:9: 'one' is no whole number"),
        ("images.txt", "0 1 1 2 3 2", "0 1 1 2 3", r"images.txt:10: not X Y POINT"),
        ("images.txt", "0 1 1 2 3 2", "0 1 1 2 3 99999999999999999999", r"images.txt:10: '9+' is no whole number"),
        ("images.txt", "walk/2.png\n\n", "walk/2.png\n", r"images.txt"),
        ("images.txt", "walk/2.png", "walk/../../2.png", "leads out of this folder"),
        ("images.txt", "top.png", "a" * 300, "not one of its 1 images is there"),
        ("images.txt", "walk/2.png", "/walk/2.png", "leads out of this folder"),
        ("points3D.txt", "2 -2 ", "2 ", r"points3D.txt:5: not NUMBER X Y Z"),
        ("points3D.txt", "2 -2 ", "2 nan ", r"points3D.txt:5: not NUMBER X Y Z"),
        ("points3D.txt", "2 -2 ", "two -2 ", r"points3D.txt:5: 'two' is no whole number"),
    ],
)
def test_bad_text_is_named(tmp_path, file, old, new, says):
    mapped(tmp_path, "text")
    path = tmp_path / "sparse" / "0" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=says):
        [*read_all(path.parent), *(ColmapSequence(tmp_path, name) for name in ColmapDataset(tmp_path).names())]


def test_an_unknown_camera_model_or_none_at_all_is_named(tmp_path):
    mapped(tmp_path, "binary", [("FOV", (110, 108, 66.2, 46.1, 0.3))])
    with pytest.raises(InputError, match="camera 1 is of model FOV, which is not read"):
        ColmapDataset(tmp_path).names()
    (tmp_path / "sparse" / "0").rename(tmp_path / "model").joinpath("cameras.bin").unlink()
    with pytest.raises(InputError, match=r"cameras.bin: no such file"):
        ColmapDataset(tmp_path / "model").names()
    with pytest.raises(InputError, match=r"no images.bin or images.txt"):
        ColmapDataset(tmp_path).names()
