"""VisualSFM's maps: points by image, read once, and every kind of damage named."""

import contextlib

import numpy as np
import pytest

from vode.datasets.mapped.nvm import nvm_focals, nvm_points
from vode.errors import InputError

MAP = """NVM_V3 FixedK 70 32 70 24

3
seq1/a.jpg 70 1 0 0 0 0 0 0 0 0
seq1/b.JPG -1 1 0 0 0 1 0 0 0 0
seq1/c.jpg 72.5 1 0 0 0 2 0 0 0 0

4
1 2 3 255 0 9 2 0 17 -12.5 3e1 2 4 55 2.25
-1.5 2e-3 7 0 0 0 3 2 5 1 1 2 6 2 1 0 8 3 3
4 5 6 1 2 3 0
7 8 9 1 2 3 1 2 0 0 0

1
seq1/other.jpg 70 1 0 0 0 0 0 0 0 0
0
0
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "reconstruction.nvm").write_text(MAP)
    return tmp_path / "reconstruction.nvm"


def test_points_are_told_by_image_each_once(path):
    found = nvm_points(path)
    np.testing.assert_array_equal(found.places, [[1, 2, 3], [-1.5, 2e-3, 7], [4, 5, 6], [7, 8, 9]])
    rows = {name: rows.tolist() for name, rows in found.rows.items()}
    assert rows == {"seq1/a": [0, 1], "seq1/b": [], "seq1/c": [0, 1, 3]}
    assert nvm_focals(path) == {"seq1/a": 70, "seq1/c": 72.5}


def test_a_file_is_read_once_until_it_changes(path):
    assert nvm_points(path) is nvm_points(path)
    path.write_text(MAP.replace("4 5 6 ", "4 5 66 "))
    assert nvm_points(path).places[2, 2] == 66


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_lines_may_end_as_on_windows(path, ending):
    path.write_bytes(b"\xef\xbb\xbf" + MAP.replace("\n", ending).encode())
    assert len(nvm_points(path).places) == 4


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("\n4\n", "\nfour\n", "no number of points"),
        ("\n4\n", "\n-4\n", "no number of points"),
        ("\n4\n", f"\n{'9' * 5000}\n", "no number of points"),
        ("\n4\n", "\n999999999\n", r":13: not X Y Z R G B COUNT"),
        ("4 5 6 1 2 3 0", "", r":11: not X Y Z"),
        ("4 5 6 1 2 3 0", "4 5 six 1 2 3 0", r":11: not X Y Z"),
        ("4 5 6 1 2 3 0", "4 nan 6 1 2 3 0", r":11: not X Y Z"),
        ("4 5 6 1 2 3 0", "4 5 1e999 1 2 3 0", r":11: not X Y Z"),
        ("4 5 6 1 2 3 0", "4 5 6 1 2 3 1", r":11: not X Y Z"),
        ("4 5 6 1 2 3 0", "4 5 6 1 2 3 -1", r":11: not X Y Z"),
        ("4 5 6 1 2 3 0", "4 5 6 1 2 3", r":11: not X Y Z"),
        ("1 2 0 0 0", "99999999999999999999 2 0 0 0", r":12: not X Y Z"),
        ("1 2 0 0 0", "1 two 0 0 0", r":12: not X Y Z"),
        ("1 2 0 0 0", "1 2.0 0 0 0", r":12: not X Y Z"),
        ("1 2 0 0 0", "1 2 0 0", r":12: not X Y Z"),
        ("1 2 0 0 0", "1 3 0 0 0", r":12: an image that is none of the 3 above"),
        ("1 2 0 0 0", "1 -1 0 0 0", r":12: an image that is none of the 3 above"),
        ("1 2 0 0 0", "1 99999999999999999999 0 0 0", r":12: an image that is none of the 3 above"),
        ("\n3\n", "\n0\n", "no number of points"),
        ("seq1/a.jpg 70", ". 70", None),
    ],
)
def test_damage_is_named_with_its_line(path, old, new, says):
    assert MAP.count(old) == 1
    path.write_text(MAP.replace(old, new))
    with pytest.raises(InputError, match=says) if says else contextlib.nullcontext():
        nvm_points(path)


def test_no_images_have_no_points(path):
    path.write_text("NVM_V3\n\n0\n\n0\n")
    assert (len(nvm_points(path).places), nvm_points(path).rows) == (0, {})


def test_a_file_that_ends_early_is_refused(path):
    """Wherever it is cut before the last point is whole."""
    whole = MAP.index("\n\n1\nseq1/other")
    for length in range(whole - 2):
        path.write_text(MAP[:length])
        with pytest.raises(InputError, match=r"reconstruction\.nvm.*; copy it again"):
            nvm_points(path)
    path.write_text(MAP[:whole])
    assert len(nvm_points(path).places) == 4


def test_what_is_no_text_or_cannot_be_read_is_named(path):
    path.write_bytes(MAP.encode().replace(b"4 5 6", b"4 5 \xff"))
    with pytest.raises(InputError, match="not a text file"):
        nvm_points(path)
    path.unlink()
    for read in (nvm_points, nvm_focals):
        with pytest.raises(InputError, match="cannot be read"):
            read(path)
