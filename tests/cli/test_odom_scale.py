"""``vode odom`` in metres, with depth from files, and without any."""

import json

import numpy as np
import pytest

from vode.cli import main
from vode.io.depth import write_depth
from vode.io.image import write_image
from vode.io.trajectory import read_trajectory
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (96, 320)
FRAMES = 8


@pytest.fixture(scope="module")
def sequence():
    return WorldSequence(8, WorldOptions(size=SIZE, frames=FRAMES))


@pytest.fixture(scope="module")
def walk(sequence, tmp_path_factory):
    """The arguments that name a folder of images, and beside it depth in half metres and in 1/500 m, and speeds."""
    root = tmp_path_factory.mktemp("scale")
    for folder in ("walk", "half", "png"):
        (root / folder).mkdir()
    for i in range(FRAMES):
        write_image(root / "walk" / f"img_{i}.png", sequence.frame(i))
        np.savez(root / "half" / f"img_{i}.npz", depth=sequence.depth(i)[0].numpy() / 2)
        write_depth(root / "png" / f"img_{i}.png", sequence.depth(i), unit=500.0)
    K = sequence.intrinsics
    (root / "walk" / "camera.yaml").write_text(
        f"width: {SIZE[1]}\nheight: {SIZE[0]}\nfx: {K[0, 0]}\nfy: {K[1, 1]}\ncx: {K[0, 2]}\ncy: {K[1, 2]}\n"
    )
    times = sequence.timestamps
    steps = sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1) / times.diff()
    rows = [f"{t:.3f} {v:.6f}" for t, v in zip((times[1:] + times[:-1]) / 2, steps, strict=True)]
    (root / "speed.txt").write_text("\n".join([f"-0.1 {steps[0]:.6f}", *rows, f"0.8 {steps[-1]:.6f}"]))
    (root / "times.txt").write_text("\n".join(f"{t:.3f}" for t in times))
    return root


def odom(walk, out, *arguments):
    """The trajectory that a call without a run writes."""
    where = ["--dataset", "folder", "--data", str(walk / "walk"), "--out", str(out)]
    assert main(["odom", *where, *map(str, arguments)]) == 0
    return read_trajectory(out / "walk.txt")


def path(trajectory):
    return float(trajectory.distances()[-1])


def test_depth_from_files_makes_a_tracker_without_a_run(walk, sequence, tmp_path, capfd):
    true = float(sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1).sum())
    half = odom(walk, tmp_path, "--depth-from", walk / "half", "--depth-scale", "unknown")
    told = capfd.readouterr().out
    assert "scale from depth (its own unit" in told
    assert "no known unit" in told
    assert path(half) == pytest.approx(true / 2, rel=0.05)
    png = odom(walk, tmp_path, "--depth-from", walk / "png", "--depth-factor", 500)
    assert "scale from depth (its own metres" in capfd.readouterr().out
    assert path(png) == pytest.approx(true, rel=0.05)
    assert not (tmp_path / "walk.scale.json").exists()


def test_each_source_of_scale_gives_metres(walk, sequence, tmp_path, capfd):
    true = float(sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1).sum())
    apart = float((sequence.poses[6, :3, 3] - sequence.poses[0, :3, 3]).norm())
    sources = {
        "camera_height": ("--camera-height", sequence.height),
        "speed": ("--speed", walk / "speed.txt", "--times", walk / "times.txt"),
        "distance": ("--distance", apart, "--between", 0, 6),
    }
    for source, arguments in sources.items():
        found = odom(walk, tmp_path, "--depth-from", walk / "half", *arguments)
        assert path(found) == pytest.approx(true, rel=0.06)
        assert f"scale from {source.replace('_', ' ')} (" in capfd.readouterr().out
        told = json.loads((tmp_path / "walk.scale.json").read_text())
        assert told["source"] == source
        assert told["factor"] == pytest.approx(2, rel=0.06)


def test_no_depth_at_all_tracks_up_to_scale_and_a_distance_gives_metres(walk, sequence, tmp_path, capfd):
    free = odom(walk, tmp_path, "--no-depth")
    assert "scale from tracks (the unit is the first step; drifts): no known unit" in capfd.readouterr().out
    apart = float((sequence.poses[7, :3, 3] - sequence.poses[0, :3, 3]).norm())
    scaled = odom(walk, tmp_path, "--no-depth", "--distance", apart, "--between", 0, 7)
    ratio = scaled.positions[1:].norm(dim=-1) / free.positions[1:].norm(dim=-1)
    assert float(ratio.std() / ratio.mean()) < 1e-6
    assert (scaled.positions - sequence.poses[:, :3, 3]).norm(dim=-1).max() < 0.05 * apart


def test_contradictions_are_refused_in_one_line(walk, tmp_path, refused):
    where = ["--dataset", "folder", "--data", walk / "walk", "--out", tmp_path]
    assert "name the folder of a run" in refused("odom", *where)
    line = refused("odom", "--no-depth", *where, "--distance", "3", "--between", "0", "3", "--camera-height", "1.6")
    assert line.endswith("(--camera-height, --distance)")
    assert refused("odom", "--no-depth", *where, "--distance", "3").endswith("(--distance, --between)")
    both = refused("odom", "--no-depth", *where, "--depth-from", walk / "half")
    assert both.endswith("(--depth-from, --no-depth)")
    assert refused("odom", "--depth-from", walk / "png", *where).endswith("(--depth-factor)")
    assert "no img_0.npz" in refused("odom", "--depth-from", tmp_path, *where)
    assert refused("odom", "--no-depth", "--flow", "network", *where).endswith("(--flow)")
    assert "no pose of frame 99" in refused("odom", "--no-depth", *where, "--distance", "3", "--between", "0", "99")
    assert refused("odom", "--no-depth", *where, "--speed", walk / "speed.txt").endswith("(--times)")
    files = ["--estimate", "a.txt", "--ground-truth", "a.txt"]
    assert "--camera-height is for the tracking" in refused("odom", *files, "--camera-height", "1.6")
    assert "name files of other methods" in refused("odom", "--no-depth", *files)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--no-depth"], "tracks alone have none"), (["--depth-from", "half", "--camera-height", "1.6"], "was measured")],
)
def test_loops_need_depth_and_a_scale_that_stays(walk, tmp_path, capfd, monkeypatch, arguments, said):
    monkeypatch.chdir(walk)
    where = ["--dataset", "folder", "--data", "walk", "--out", str(tmp_path), "--loops"]
    assert main(["odom", *where, *arguments]) == 2
    assert said in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
