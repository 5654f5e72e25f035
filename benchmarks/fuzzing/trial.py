"""One damaged input: written, read, judged."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzzing.mutations import EDITS, Edit, mutated
from fuzzing.parsers import Parser
from vode.errors import InputError

MEMORY = 2**30
"""bytes that reading one input may take"""


@dataclass
class Trials:
    """What became of the inputs of one parser, in a scratch folder."""

    parser: Parser
    scratch: Path
    results: int = 0
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """by the exception and where it was raised"""

    def __post_init__(self) -> None:
        samples = self.scratch / "samples"
        samples.mkdir()
        self.parser.write(samples)
        self._choices = [
            (folder, file.relative_to(folder))
            for folder in sorted(samples.iterdir())
            for file in sorted(folder.rglob("*"))
            if file.is_file() and fnmatch("/" + str(file), self.parser.damaged)
        ]
        for folder in {folder for folder, _ in self._choices} if self.parser.whole else ():
            # a sample that is refused as it is would test nothing
            self.parser.read(folder)

    def run(self, count: int, number: int) -> None:
        """So many inputs, drawn by a seed."""

        @seed(number)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.sampled_from(self._choices), EDITS, st.booleans())
        def attempt(choice: tuple[Path, Path], edits: list[Edit], packed: bool) -> None:
            self.attempt(*choice, edits, packed=packed)

        attempt()

    def attempt(self, sample: Path, file: Path, edits: list[Edit], *, packed: bool) -> None:
        """One input, which stays in the scratch folder if reading it does not end."""
        folder = Path(tempfile.mkdtemp(prefix="input", dir=self.scratch))
        shutil.copytree(sample, folder, copy_function=os.link, dirs_exist_ok=True)
        data, head = (sample / file).read_bytes(), self.parser.head
        (folder / file).unlink()
        (folder / file).write_bytes(mutated(data[:head], edits, packed=packed) + (data[head:] if head else b""))
        self.attempt_in(folder)
        shutil.rmtree(folder)

    def attempt_in(self, folder: Path) -> None:
        """Read the input in a folder, and count what became of it."""
        fault = self._fault(folder)
        if not fault:
            return
        self.faults[fault] += 1
        if self.faults[fault] == 1:
            kept = self.scratch / "faults" / f"{len(self.faults)}"
            shutil.copytree(folder, kept)
            (kept / "FAULT").write_text(fault)

    def _fault(self, folder: Path) -> str:
        """What is wrong with how an input was read; empty if it ended in a result or an InputError of one line."""
        with _memory() as grown:
            try:
                self.parser.read(folder)
                ended = "results"
            except InputError as error:
                if not str(error).isprintable():
                    return f"InputError of more than a printable line at {_place(error)}"
                ended = "refused"
            except Exception as error:
                return f"{type(error).__name__} at {_place(error)}: {str(error)[:80]!r}"
        if grown[0] > MEMORY:
            return f"{grown[0] >> 20} MiB"
        setattr(self, ended, getattr(self, ended) + 1)
        return ""


@contextmanager
def _memory() -> Iterator[list[int]]:
    """The bytes by which the process was larger at its largest than before."""
    grown = [0]
    before = _peak(reset=True)
    yield grown
    grown[0] = _peak() - before


def _peak(*, reset: bool = False) -> int:
    """The largest size of this process, bytes, since the last reset; 0 where only Linux tells."""
    if sys.platform != "linux":
        return 0
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def _place(error: BaseException) -> str:
    """The innermost line of the package in an error's traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/vode/" in frame.filename]
    return f"vode/{frames[-1].filename.rpartition('/vode/')[2]}:{frames[-1].lineno}" if frames else "no line of vode"
