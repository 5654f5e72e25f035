"""Archives: they give what was put in, whoever wrote them, and nothing else."""

import zipfile

import pytest

from vode.datasets.prepared.archive import Archive, pack
from vode.errors import InputError

FILES = {"000000.jpg": bytes(range(40)), "depth/000000.png": b"deep", "empty": b"", "sequence.json": b"{}"}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "in" / ".000001.jpg.tmp").write_bytes(b"what an interrupted copy left")
    return tmp_path / "in"


def test_what_is_packed_is_read_and_any_program_reads_it(folder, tmp_path):
    pack(folder, tmp_path / "a.zip")
    archive = Archive(tmp_path / "a.zip")
    assert {name: archive.read(name) for name in FILES} == FILES
    assert "000001.jpg" not in archive
    assert (archive.holds("depth"), archive.holds("dep")) == (True, False)
    with zipfile.ZipFile(tmp_path / "a.zip") as other:
        assert {name: other.read(name) for name in other.namelist()} == FILES
        assert {entry.compress_type for entry in other.infolist()} == {zipfile.ZIP_STORED}
    pack(folder, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with pytest.raises(InputError, match=r"a\.zip: has no 7\.jpg"):
        archive.read("7.jpg")


def test_archives_of_other_programs_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("ü/ä.jpg", "b.jpg"):
            entry = zipfile.ZipInfo(name)
            # a time of its own, as Info-ZIP writes it, between name and content
            entry.extra = b"UT\x05\x00\x01abcd"
            archive.writestr(entry, name.encode() * 9)
    archive = Archive(tmp_path / "a.zip")
    for name in ("ü/ä.jpg", "b.jpg"):
        assert archive.read(name) == name.encode() * 9


def test_archives_that_cannot_be_read_anywhere_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.jpg", b"0" * 999)
    with pytest.raises(InputError, match=r"a\.zip: x\.jpg is compressed or encrypted; store it"):
        Archive(tmp_path / "a.zip")
    for name in ("../x.jpg", "/etc/x.jpg", "a/../../x.jpg"):
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), b"0")
        with pytest.raises(InputError, match="leads out of the archive"):
            Archive(tmp_path / "b.zip")
    (tmp_path / "c.zip").write_bytes(b"")
    with pytest.raises(InputError, match=r"c\.zip: damaged shard"):
        Archive(tmp_path / "c.zip")


def test_a_damaged_byte_is_told_or_changes_nothing(folder, tmp_path):
    pack(folder, tmp_path / "a.zip")
    whole, said = (tmp_path / "a.zip").read_bytes(), []
    damaged = [whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :] for i in range(len(whole))]
    for content in [*damaged, *(whole[:i] for i in range(0, len(whole), 5))]:
        (tmp_path / "b.zip").write_bytes(content)
        try:
            archive = Archive(tmp_path / "b.zip")
            assert {name: archive.read(name) for name in FILES} == FILES
        except InputError as error:
            said.append(str(error))
    assert all(line.startswith(f"{tmp_path / 'b.zip'}: ") and "\n" not in line for line in said)
    # each byte of the contents, and each length that is cut, at least
    assert len(said) >= sum(map(len, FILES.values())) + len(whole) // 5
