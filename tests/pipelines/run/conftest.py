from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import yaml

import vode
from vode.io.image import write_image
from vode.odometry.perception import SequenceDepth
from vode.pipelines.run import report
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

OPTIONS = WorldOptions(size=(120, 208), frames=14, scenes=("town",), speed=(6.0, 8.0), moving=False)


@pytest.fixture(scope="session", autouse=True)
def no_recording() -> Iterator[None]:
    """The recording takes a second, and has tests of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(report, "write_recording", lambda folder: None)
        yield


@pytest.fixture(scope="session")
def world() -> WorldSequence:
    """A short drive, with exact depth and poses."""
    return WorldSequence(5, OPTIONS)


@pytest.fixture(scope="session")
def clip(world: WorldSequence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its images in a folder, with the camera beside them."""
    return write_clip(tmp_path_factory.mktemp("clip") / "drive", world, [world.frame(i) for i in range(len(world))])


def write_clip(folder: Path, world: WorldSequence, images: list[torch.Tensor]) -> Path:
    folder.mkdir()
    for i, image in enumerate(images):
        write_image(folder / f"{i:04d}.png", image)
    (fx, _, cx), (_, fy, cy), _ = world.intrinsics.tolist()
    height, width = world.size
    camera = {"width": width, "height": height, "fx": fx, "fy": fy, "cx": cx, "cy": cy}
    (folder / "camera.yaml").write_text(yaml.safe_dump(camera))
    return folder


@pytest.fixture(scope="session")
def go(world: WorldSequence) -> Callable[..., vode.VideoRun]:
    """A run with the world's own depth in the place of a network's."""

    def run(source: Path, out: Path, **changes: object) -> vode.VideoRun:
        depth = changes.pop("depth", SequenceDepth(world))
        return vode.run(source, out, depth=depth, model=None, **changes)

    return run


@pytest.fixture(scope="session")
def done(clip: Path, go: Callable[..., vode.VideoRun], tmp_path_factory: pytest.TempPathFactory) -> vode.VideoRun:
    """A run that was not interrupted."""
    return go(clip, tmp_path_factory.mktemp("run") / "out")
