"""Videos that tell little, of which the run says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import vode
from tests.pipelines.run.conftest import write_clip
from vode.odometry.frames import Frame
from vode.world.sequence import WorldSequence

Go = Callable[..., vode.VideoRun]


class Flat:
    """Depth of a wall."""

    device = torch.device("cpu")

    def depth(self, frame: Frame) -> torch.Tensor:
        return torch.full_like(frame.image[:, :1], 10.0)


def test_five_frames(clip: Path, go: Go, tmp_path: Path) -> None:
    short = go(clip, tmp_path / "out", limit=5)
    assert len(short.trajectory) == 5
    assert any("5 frames are few" in note for note in short.notes)


def test_a_camera_that_stands_still(world: WorldSequence, go: Go, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [torch.from_numpy(rng.normal(0, 0.01, (3, *world.size)).astype(np.float32)) for _ in range(12)]
    clip = write_clip(tmp_path / "still", world, [(world.frame(0) + n).clamp(0, 1) for n in noise])
    still = go(clip, tmp_path / "out", depth=Flat())
    assert any("stands still" in note for note in still.notes)
    assert float(still.trajectory.positions.norm(dim=-1).max()) < 0.05
    assert still.summary["colmap"]["points"] == 0


def test_a_camera_that_turns_on_the_spot(world: WorldSequence, go: Go, tmp_path: Path) -> None:
    wide = torch.nn.functional.interpolate(world.frame(0)[None], scale_factor=2, mode="bilinear")[0]
    height, width = world.size
    # a narrow view that pans over a distant picture: a turn, but for the tangent
    panned = [wide[:, 40 : 40 + height, 3 * i : 3 * i + width] for i in range(12)]
    clip = write_clip(tmp_path / "turn", world, panned)
    turned = go(clip, tmp_path / "out", depth=Flat(), calibration=None, fov=8.0)
    assert any("turns on the spot" in note for note in turned.notes)


def test_a_cut_in_the_middle(world: WorldSequence, go: Go, tmp_path: Path) -> None:
    other = WorldSequence(77, world.options)
    images = [world.frame(i) for i in range(8)] + [other.frame(i).flip(-1) for i in range(6)]
    clip = write_clip(tmp_path / "cut", world, images)
    cut = go(clip, tmp_path / "out", depth=Flat())
    assert any("changes at once at frame 8" in note for note in cut.notes)
    assert cut.state == "finished"


def test_nothing_tells_the_camera(clip: Path, go: Go, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    for file in sorted(clip.glob("*.png"))[:3]:
        (tmp_path / "bare" / file.name).write_bytes(file.read_bytes())
    bare = go(tmp_path / "bare", tmp_path / "out")
    assert bare.summary["camera"]["origin"] == "assumed"
    assert any("is assumed" in note for note in bare.notes)
