"""Every command of ours on a page of the manual does what it does there, on small data."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
import torch

import vode
from tests.manual.data.videos import COUNT
from tests.manual.pages import DOCS, fenced, our_commands
from tests.manual.shortening import SHORTER_WITH, STANDS_FOR
from tests.manual.workshop import DATA, LEFT_BY, SAME, Workshop, left, taken_by
from vode.visualization import plots
from vode.world import sequence

STREAMS = ("rtsp:", "udp:")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """With a short sequence to score on, and streams that give the video of the drive.

    Figures, which have tests of their own, stay blank; and files need not outlive a power cut.
    """
    made, opened = Workshop(tmp_path_factory.mktemp("workshop")), av.open

    def opens(file: Any, *arguments: Any, **options: Any) -> Any:
        stream = str(file).startswith(STREAMS)
        return opened(str(made.provide("walk.mp4")) if stream else file, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequence, "HELD_OUT_FRAMES", COUNT)
        patch.setattr(av, "open", opens)
        patch.setattr(plots, "figure_bytes", lambda *arguments, **options: b"")
        patch.setattr(os, "fsync", lambda file: None)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield made


@pytest.mark.parametrize("command", our_commands(), ids=lambda command: command[:90])
def test_commands_of_the_manual_run_and_leave_what_they_name(command: str, workshop: Workshop) -> None:
    folder = workshop.run(command)
    for name in left(shlex.split(command)):
        assert (folder / name).exists(), name


def test_everything_in_the_workshop_is_named_on_a_page() -> None:
    taken = {name for command in [*our_commands(), *LEFT_BY.values()] for name in taken_by(command)}
    assert {*DATA, *SAME, *LEFT_BY} - taken == set()


def test_what_is_shortened_is_on_a_page() -> None:
    spoken = {word for command in our_commands() for word in shlex.split(command)}
    assert {*STANDS_FOR, *(word for _, word in SHORTER_WITH)} - spoken == set()


def test_python_of_a_page_runs(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walk.mp4").symlink_to(workshop.provide("walk.mp4"))
    monkeypatch.chdir(tmp_path)
    with torch.no_grad():
        exec("\n".join(fenced(DOCS / "other-depth.md", "python")), {})
    assert len(vode.read_trajectory("walk.txt")) == COUNT
