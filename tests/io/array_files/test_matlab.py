"""Numbers in MATLAB's files, as SciPy writes them."""

import numpy as np
import pytest
import scipy.io

from vode.errors import InputError
from vode.io.array_files.matlab import read_numbers

NAME = "wanted"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "i8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (3, 5)])
def test_numbers_are_those_that_were_written(tmp_path, compressed, kind, shape):
    path, values = tmp_path / "a.mat", np.arange(np.prod(shape)).reshape(shape).astype(kind)
    before = {"b": [[1.0, 2.0]], "text": "abc", "cells": np.array([1, "x"], dtype=object), "z": [[1 + 2j]]}
    scipy.io.savemat(path, {**before, NAME: values}, do_compression=compressed)
    found = read_numbers(path, NAME)
    assert np.array_equal(found, values.ravel(order="F"))
    assert np.array_equal(found, scipy.io.loadmat(path)[NAME].ravel(order="F"))


def test_the_other_order_of_bytes_is_read(tmp_path):
    path, name = tmp_path / "a.mat", NAME.encode()
    parts = [(6, np.array([6, 0], ">u4")), (5, np.array([3, 1], ">i4")), (1, np.frombuffer(name, "u1"))]
    parts.append((9, np.array([1.5, -2.0, 3.0], ">f8")))
    content = b"".join(
        np.array([kind, part.nbytes], ">u4").tobytes() + part.tobytes() + bytes(-part.nbytes % 8)
        for kind, part in parts
    )
    path.write_bytes(b" " * 124 + b"\1\0MI" + np.array([14, len(content)], ">u4").tobytes() + content)
    assert read_numbers(path, NAME).tolist() == [1.5, -2.0, 3.0]
    assert scipy.io.loadmat(path)[NAME].ravel().tolist() == [1.5, -2.0, 3.0]


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {NAME: np.arange(40.0)[:, None]})
    whole = path.read_bytes()
    place = whole.index(NAME.encode()) + 8
    # a type of numbers that is none ends the process in SciPy
    for damaged in (b"", b"x" * 200, whole[:130], whole[:-9], whole[:place] + b"\x0e" + whole[place + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"a\.mat: no numbers wanted can be read from it"):
            read_numbers(path, NAME)
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"no numbers other can be read"):
        read_numbers(path, "other")
