"""Places: which are addresses, what is below them, and what cannot be read."""

from pathlib import Path

import fsspec
import pytest

from vode.datasets.prepared import storage
from vode.errors import InputError


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("s3://bucket/copy", "s3://bucket/copy"),
        (Path("s3://bucket/copy"), "s3://bucket/copy"),
        (Path("https://host:80/copy"), "https://host:80/copy"),
        (Path("simplecache::gs://bucket/copy"), "simplecache::gs://bucket/copy"),
        (Path("file:///data/copy"), "file:///data/copy"),
        (Path("/data/copy"), Path("/data/copy")),
        ("C:/copy", Path("C:/copy")),
        ("a:b/copy", Path("a:b/copy")),
    ],
)
def test_addresses_are_told_from_paths(given, found):
    assert storage.find_place(given) == found
    assert storage.is_address(given) == isinstance(found, str)


def test_names_never_lead_out_of_their_root():
    assert storage.join("s3://bucket/copy", "00/../01/2.zip") == "s3://bucket/copy/01/2.zip"
    for name in ("../other", "/etc/passwd", "00/../../x", "..\\x"):
        with pytest.raises(InputError, match="leads out of this address"):
            storage.join("s3://bucket/copy", name)
        with pytest.raises(InputError, match="leads out of this folder"):
            storage.join(Path("/copy"), name)


@pytest.mark.parametrize("address", [False, True])
def test_ranges_of_files_are_read_here_and_at_addresses(tmp_path, address):
    root = "memory://test-storage" if address else tmp_path
    with fsspec.open(f"{root}/a/x.bin", "wb", auto_mkdir=True) as file:
        file.write(b"0123456789")
    place = storage.join(root, "a/x.bin")
    assert storage.read(place) == b"0123456789"
    assert storage.read(place, 2, 5) == b"234"
    assert storage.read(place, 8, 20) == b"89"
    assert (storage.exists(place), storage.exists(storage.join(root, "a"))) == (True, False)
    assert (storage.is_folder(storage.join(root, "a")), storage.is_folder(place)) == (True, False)
    with pytest.raises(InputError, match=r"y\.bin: no such file"):
        storage.read(storage.join(root, "a/y.bin"))


def test_what_cannot_open_an_address_is_told_in_one_line(monkeypatch):
    with pytest.raises(InputError, match=r"^nosuch://host/x: cannot be read ") as error:
        storage.read("nosuch://host/x")
    assert "\n" not in str(error.value)
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r"pip install 'vode\[cloud\]'"):
        storage.read("memory://x")
