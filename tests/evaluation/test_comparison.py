"""Several methods on several sequences: which file is which, and what comes of them."""

import re

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.errors import InputError
from vode.evaluation import comparison
from vode.io.association import AssociationOptions
from vode.io.trajectory import Trajectory


def winding_path(seed, count=300, noise=0.0):
    """A winding path of about 1 m a frame."""
    rng = np.random.default_rng(seed)
    yaw = np.cumsum(rng.normal(0, 0.01, count))
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.from_euler("y", yaw[:, None]).as_matrix()
    steps = np.stack([np.sin(yaw), np.zeros(count), np.cos(yaw)], -1)
    poses[1:, :3, 3] = np.cumsum(steps, 0)[:-1] + noise * rng.normal(size=(count - 1, 3))
    return Trajectory(torch.tensor(poses))


@pytest.fixture
def tree(tmp_path):
    """Two ground truths, and two methods of which one lacks a sequence."""
    for folder in ("poses", "orb", "ours"):
        (tmp_path / folder).mkdir()
    for sequence in ("09", "10"):
        winding_path(int(sequence)).write_kitti(tmp_path / "poses" / f"{sequence}.txt")
        winding_path(int(sequence), noise=0.05).write_kitti(tmp_path / "orb" / f"{sequence}.txt")
    part = winding_path(9, noise=0.1).select(torch.arange(20, 280))
    part.write_kitti(tmp_path / "ours" / "09.txt")
    return tmp_path


def test_folders_and_files_are_found_by_sequence(tree):
    ground_truths = comparison.read_ground_truths([tree / "poses/09.txt", tree / "poses/10.txt"])
    methods = comparison.read_methods([str(tree / "ours"), f"slam={tree / 'orb'}"], ground_truths)
    assert {name: list(method) for name, method in methods.items()} == {"ours": ["09"], "slam": ["09", "10"]}
    files = comparison.read_methods([f"x={tree / 'orb/10.txt'}", f"x={tree / 'ours/09.txt'}"], ground_truths)
    assert set(files["x"]) == {"09", "10"}
    assert list(comparison.read_methods([str(tree / "orb/10.txt")], ground_truths)) == ["orb"]
    lone = comparison.read_methods([str(tree / "orb/10.txt")], ["kitchen"])
    assert lone["10"]["kitchen"].positions.shape == (300, 3)


def test_a_path_that_could_mean_several_sequences_is_refused(tree):
    (tree / "run.txt").write_text((tree / "orb/09.txt").read_text())
    with pytest.raises(InputError, match=r"run\.txt: of which"):
        comparison.read_methods([str(tree / "run.txt")], ["09", "10"])
    with pytest.raises(InputError, match=r"has sequence 09 already"):
        comparison.read_methods([f"x={tree / 'orb'}", f"x={tree / 'ours'}"], ["09", "10"])
    with pytest.raises(InputError, match=r"no trajectory of 11"):
        comparison.read_methods([str(tree / "orb")], ["11"])
    with pytest.raises(InputError, match=r"second ground truth called 09"):
        comparison.read_ground_truths([tree / "poses/09.txt", tree / "orb/09.txt"])


def test_a_folder_may_hold_any_format(tree):
    winding_path(10).write_kitti(tree / "ours" / "10.csv")
    assert set(comparison.read_methods([str(tree / "ours")], ["09", "10"])["ours"]) == {"09", "10"}
    np.save(tree / "ours" / "09.npy", winding_path(9).poses.numpy())
    with pytest.raises(InputError, match=r"09\.txt: 09\.npy is there too"):
        comparison.read_methods([str(tree / "ours")], ["09", "10"])


def test_one_table_of_all(tree):
    ground_truths = comparison.read_ground_truths([tree / "poses/09.txt", tree / "poses/10.txt"])
    methods = comparison.read_methods([str(tree / "ours"), str(tree / "orb")], ground_truths)
    results = comparison.score(methods, ground_truths, "none")
    table = comparison.odometry_table(results, published=True)
    assert table.rows[:2] == ("ours", "orb")
    assert table.cells[0][3:] == ("-", "-", "-")
    assert table.cells[1][5] == f"{results['orb']['10']['ate_m']:.2f}"
    assert "alignment: none" in table.notes
    assert not any("ground_truth" in note.split(":")[0] for note in table.notes)
    assert set(comparison.results_to_dict(results)["methods"]) == {"ours", "orb"}
    assert comparison.results_to_dict({"orb": results["orb"]})["sequences"].keys() == {"09", "10"}
    assert comparison.results_to_dict({"ours": results["ours"]})["alignment"] == "none"


def test_plots_of_every_sequence(tree):
    ground_truths = comparison.read_ground_truths([tree / "poses/09.txt"])
    methods = comparison.read_methods([str(tree / "ours"), str(tree / "orb")], ["09", "10"])
    files = comparison.draw(
        tree / "plots", methods, ground_truths, comparison.score(methods, ground_truths, "none"), "none", kind="svg"
    )
    names = {file.name for file in files}
    parts = ("", "-coordinates", "-segments", "-scale", "-error-ours", "-error-orb")
    assert names == {f"09{part}.svg" for part in parts} | {"10.svg"}
    # Matplotlib leaves every text of an SVG in a comment.
    texts = {file.name: set(re.findall("<!-- (.*?) -->", file.read_text())) for file in files}
    assert {"sequence 09", "ground truth", "ours (none)", "orb (none)"} <= texts["09.svg"]
    assert {"sequence 10", "orb"} <= texts["10.svg"]
    assert {"ours", "orb", "true / estimated motion"} <= texts["09-scale.svg"]
    assert "sequence 09, orb" in texts["09-error-orb.svg"]


def test_an_estimate_that_starts_late_is_placed_where_it_belongs():
    ground_truth = winding_path(3)
    late = ground_truth.select(torch.arange(50, 200)).from_first()
    late = Trajectory(late.poses, indices=torch.arange(50, 200))
    placed = comparison.placed_on(late, ground_truth, "none")
    torch.testing.assert_close(placed.poses, ground_truth.from_first().poses[50:200])


def test_what_is_placed_has_the_times_of_the_ground_truth():
    ground_truth = Trajectory(winding_path(3).poses, np.arange(300) / 10)
    apart = Trajectory(ground_truth.poses[::4], ground_truth.timestamps[::4] + 0.04)
    placed = comparison.placed_on(apart, ground_truth, "none", AssociationOptions(max_difference=0.05))
    assert torch.equal(placed.timestamps, ground_truth.timestamps[::4])
    torch.testing.assert_close(placed.poses, ground_truth.from_first().poses[::4])
