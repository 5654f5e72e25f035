"""NumPy's files: what NumPy writes is read, and everything else is one line."""

import io
import zipfile

import numpy as np
import pytest

from vode.errors import InputError
from vode.io.array_files import reading
from vode.io.array_files.reading import ArrayArchive, open_archive, open_arrays, read_array


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def test_arrays_are_read_as_numpy_wrote_them(tmp_path):
    table, flags = np.arange(6.0).reshape(2, 3), np.array([True, False])
    np.save(tmp_path / "table.npy", table)
    np.testing.assert_array_equal(read_array(tmp_path / "table.npy"), table)
    np.testing.assert_array_equal(open_arrays(tmp_path / "table.npy"), table)
    np.savez_compressed(tmp_path / "both.npz", table=table, flags=flags)
    with open_archive(tmp_path / "both.npz") as both:
        assert both.names == ("table", "flags")
        assert "flags" in both
        np.testing.assert_array_equal(both["flags"], flags)
        with pytest.raises(InputError, match="no array depth"):
            both["depth"]
    with pytest.raises(InputError, match="not an archive"):
        open_archive(tmp_path / "table.npy")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        # NumPy's tokenizer of old headers stops at an open bracket
        npy(np.ones(3)).replace(b"(3,)", b"(3,\n"),
        # a shape beyond all memory
        npy(np.ones(3)).replace(b"(3,), }" + b" " * 12, b"(3000000000000,), }"),
        npy(np.array("text")),
        b"\x80\x04N.",
    ],
    ids=["empty", "cut", "open bracket", "shape", "text", "pickle"],
)
def test_damaged_files_are_named_in_one_line(tmp_path, content):
    path = tmp_path / "depth.npy"
    path.write_bytes(content)
    for read in (read_array, open_arrays):
        with pytest.raises(InputError, match=r"depth\.npy: not a whole \.npz or \.npy of plain numbers"):
            read(path)


def test_members_that_are_no_arrays_are_refused(tmp_path):
    path = tmp_path / "depth.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("depth.npy", b"of another program")
        archive.writestr("table.npy", npy(np.ones(3)).replace(b"(3,)", b"(3,\n"))
    with open_archive(path) as opened:
        assert isinstance(opened, ArrayArchive)
        for name in opened.names:
            with pytest.raises(InputError, match="not a whole"):
                opened[name]


def test_a_small_archive_cannot_fill_the_memory(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "bomb.npz", depth=np.zeros((100, 100)))
    monkeypatch.setattr(reading, "LARGEST", 30_000)
    with pytest.raises(InputError, match="more than"):
        open_archive(tmp_path / "bomb.npz")["depth"]
