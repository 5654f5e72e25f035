"""The folder of a run: what is in it, who may write to it, and its summary, run.json."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vode.errors import InputError
from vode.io.atomic import make_folder, write_bytes, write_error
from vode.io.files import read_bytes
from vode.io.text import parse_json

SUMMARY, LOG, WORK = "run.json", "log.jsonl", ".work"
OUTPUTS = {
    "trajectory": "trajectory.tum",
    "trajectory_kitti": "trajectory.kitti",
    "calibration": "calibration.yaml",
    "depth": "depth",
    "depth_maps": "depth/depth.npz",
    "depth_video": "depth.mp4",
    "images": "images",
    "cloud": "cloud.ply",
    "colmap": "colmap",
    "transforms": "transforms.json",
    "thumbnails": "thumbnails",
    "log": LOG,
    "report": "report.html",
    "recording": "recording.rrd",
}
"""names of outputs and where they are in the folder"""
OWN = re.compile(r"\d{6,}(_depth)?\.(png|jpg)|depth\.npz|(cameras|images|points3D|frames|rigs)\.bin")
"""names of the files that a run writes into its folders"""
ADAPTATION = "adaptation"
"""folder of the training run on the video"""
RESERVE = 2**20
"""bytes that are set aside, so that a full disk still takes the summary and the trajectory"""


class OutputFolder:
    """A folder that belongs to one run; ``summary`` is the content of its run.json."""

    def __init__(self, path: Path, summary: dict[str, Any]) -> None:
        self.path, self.summary = path, summary

    @property
    def work(self) -> Path:
        """Where intermediate results are, until the run is finished."""
        return self.path / WORK

    def file(self, output: str) -> Path:
        """The path of an output by its name."""
        return self.path / OUTPUTS[output]

    def update(self, **changes: Any) -> None:
        """Change the summary and write it; ``outputs`` are those that are there."""
        self.summary |= changes
        there = {name: place for name, place in OUTPUTS.items() if (self.path / place).exists()}
        self.summary["outputs"] = there
        write_bytes(self.path / SUMMARY, (json.dumps(self.summary, indent=1, allow_nan=False) + "\n").encode())

    def reserve(self) -> None:
        """Set some of the disk aside."""
        write_bytes(make_folder(self.work) / "reserve", os.urandom(RESERVE))

    def release(self) -> None:
        """Give it back."""
        (self.work / "reserve").unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove the intermediate results."""
        shutil.rmtree(self.work, ignore_errors=True)


def open_folder(path: Path, source: str, *, resume: bool, overwrite: bool, inputs: Sequence[Path] = ()) -> OutputFolder:
    """The folder of a new run, or of the one that is to be resumed; InputError for a folder that is taken.

    With ``overwrite`` what a run left there is removed, and nothing else; the ``inputs`` of the new one must not be
    among it.
    """
    summary = read_summary(path) if (path / SUMMARY).is_file() else None
    if resume:
        if summary is None:
            raise InputError(
                f"{path}: no run in it to go on with; leave resume out, or name its folder", "out", "resume"
            )
        if not _same(summary["source"]["address"], source):
            address = summary["source"]["address"]
            raise InputError(f"{path}: holds a run of {address}, not of {source}; name that, or another folder", "out")
        return OutputFolder(path, summary)
    if summary is not None and not overwrite:
        raise InputError(
            f"{path}: holds a run of {summary['source']['address']}; name another folder, resume it or overwrite it",
            *("out", "resume", "overwrite"),
        )
    if summary is None and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path}: is there and holds no run; name another folder, or an empty one", "out")
    if summary is not None:
        inside = next((x for x in inputs if x.resolve().is_relative_to(path.resolve())), None)
        if inside is not None:
            raise InputError(f"{inside}: lies in {path}, which would be overwritten; name another folder", "out")
        _remove(path)
    return OutputFolder(make_folder(path), {})


def default_folder(source: str, overwrite: bool = False) -> Path:
    """SOURCE-run in the current folder, with the suffix of a file where the run of another source is there already.

    InputError if that one too holds the run of another, which only who names the folder may ``overwrite``.
    """
    path = Path(source)
    names = dict.fromkeys([f"{path.stem or 'video'}-run", f"{path.name or 'video'}-run"])
    for name in names:
        if not (Path(name) / SUMMARY).is_file() or _same(read_summary(Path(name))["source"]["address"], source):
            return Path(name)
    taken = Path(next(reversed(names)))
    if overwrite:
        address = read_summary(taken)["source"]["address"]
        raise InputError(f"{taken}: holds a run of {address}, not of {source}; name the folder to overwrite", "out")
    return taken


def _same(a: str, b: str) -> bool:
    """Whether two addresses are of the same source."""
    return a == b or (Path(a).exists() and Path(b).exists() and Path(a).samefile(b))


def read_summary(path: Path) -> dict[str, Any]:
    """The content of a folder's run.json; InputError where it is none."""
    file = path / SUMMARY
    try:
        content = parse_json(read_bytes(file))
    except ValueError:
        content = None
    if not (isinstance(content, Mapping) and content.get("version") == 1 and _is_told(content)):
        raise InputError(f"{file}: not the summary of a run of this version; name another folder", "out")
    return dict(content)


def _is_told(summary: Mapping[str, Any]) -> bool:
    """Whether a summary has what every one has."""
    kinds = {"state": str, "notes": list, "options": Mapping, "source": Mapping}
    if not all(isinstance(summary.get(name), kind) for name, kind in kinds.items()):
        return False
    source = summary["source"]
    numbers = source.get("frames_done"), summary.get("seconds"), summary.get("peak_memory_bytes")
    told = all(isinstance(number, int | float) and 0 <= number < 2**53 for number in numbers)
    return told and isinstance(source.get("address"), str)


def is_full(error: BaseException) -> bool:
    """Whether an error, or what it came from, says that the disk is full."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        cause = cause.__cause__
    return False


class LineLog:
    """A file of lines that is whole at every moment: a line that does not fit on the disk is taken back."""

    def __init__(self, path: Path, lines: int = 0) -> None:
        """Go on after so many lines; what comes after them is dropped."""
        self.path = path
        kept = b"".join(read_bytes(path).splitlines(keepends=True)[:lines]) if lines else b""
        write_bytes(path, kept)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a line of JSON."""
        before = self._file.tell()
        try:
            data = (json.dumps(row, allow_nan=False) + "\n").encode()
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.truncate(before)
            raise write_error(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _remove(path: Path) -> None:
    """Remove what runs write; other files stay, also in the folders of these."""
    for name in (WORK, ADAPTATION):
        shutil.rmtree(path / name, ignore_errors=True)
    for name in (SUMMARY, *OUTPUTS.values()):
        place = path / name
        if not place.is_dir() or place.is_symlink():
            place.unlink(missing_ok=True)
            continue
        for file in place.iterdir():
            if OWN.fullmatch(file.name):
                file.unlink()
        if not any(place.iterdir()):
            place.rmdir()
