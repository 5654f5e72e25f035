"""Plots: files of each kind, what is drawn, and no trace in matplotlib's global state."""

import sys

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from scipy.spatial.transform import Rotation

from vode.errors import InputError
from vode.io.trajectory import Trajectory
from vode.visualization.plots import (
    coordinates_figure,
    error_figure,
    figure_bytes,
    save_figure,
    scale_figure,
    segment_figure,
    trajectory_figure,
)


def spiral(scale: float = 1.0, count: int = 60) -> Trajectory:
    turn = torch.linspace(0, 5, count, dtype=torch.float64)
    poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    poses[:, 0, 3], poses[:, 2, 3] = scale * 20 * turn * turn.sin(), scale * 20 * turn * turn.cos()
    poses[:, :3, :3] = torch.from_numpy(Rotation.from_euler("y", turn[:, None].numpy()).as_matrix())
    return Trajectory(poses)


@pytest.mark.parametrize(("suffix", "head"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_file_of_each_kind(tmp_path, suffix: str, head: bytes) -> None:
    path = tmp_path / f"plot.{suffix}"
    save_figure(trajectory_figure(spiral(), {"ours": spiral(1.1)}, title="a title"), path)
    assert path.read_bytes().startswith(head)
    assert list(tmp_path.iterdir()) == [path]
    again = trajectory_figure(spiral(), {"ours": spiral(1.1)}, title="a title")
    assert figure_bytes(again, suffix) == path.read_bytes()


def test_from_above_with_equal_axes_and_starts() -> None:
    axes = trajectory_figure(spiral(), {"ours": spiral(1.1), "theirs": spiral(0.9)}).axes[0]
    assert axes.get_aspect() == 1
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines) == {"ground truth", "ours", "theirs", "start"}
    np.testing.assert_array_equal(lines["ours"].get_xydata(), spiral(1.1).positions[:, [0, 2]])
    assert len(lines["start"].get_xydata()) == 3


def test_lines_differ_without_colour() -> None:
    names = [f"method {number}" for number in range(6)]
    axes = trajectory_figure(None, dict.fromkeys(names, spiral())).axes[0]
    lines = [line for line in axes.lines if line.get_label() in names]
    dashes = {repr(line._dash_pattern) for line in lines}
    assert len(dashes) == 6
    assert len({to_rgb(line.get_color()) for line in lines}) == 6


def test_twenty_estimates_have_styles_of_their_own() -> None:
    names = [f"method {number}" for number in range(20)]
    axes = trajectory_figure(None, dict.fromkeys(names, spiral())).axes[0]
    lines = [line for line in axes.lines if line.get_label() in names]
    assert len({(repr(line._dash_pattern), line.get_color()) for line in lines}) == 20


def test_angles_over_the_distance_along_the_truth() -> None:
    ground_truth, estimate = spiral(), spiral(1.5)
    figure = coordinates_figure(ground_truth, {"ours": estimate.select(torch.arange(5, 60))})
    drawn = {axes.get_ylabel(): axes.lines[1].get_xydata() for axes in figure.axes}
    np.testing.assert_allclose(drawn["yaw (deg)"][:, 0], ground_truth.distances()[5:])
    np.testing.assert_allclose(drawn["yaw (deg)"][:, 1], np.degrees(np.linspace(0, 5, 60))[5:], atol=1e-9)
    np.testing.assert_allclose(drawn["roll (deg)"][:, 1], 0, atol=1e-9)
    np.testing.assert_array_equal(drawn["x, right (m)"][:, 1], estimate.positions[5:, 0])
    assert figure_bytes(figure).startswith(b"\x89PNG")
    assert figure_bytes(coordinates_figure(None, {"ours": estimate})).startswith(b"\x89PNG")


def test_errors_over_segment_length() -> None:
    series = {
        "t_err_percent_by_length_m": {"100": 4.0, "200": 3.0},
        "r_err_deg_per_100m_by_length_m": {"100": 0.4, "200": 0.3},
    }
    figure = segment_figure({"ours": series})
    assert [axes.lines[0].get_xydata().tolist() for axes in figure.axes] == [
        [[100, 4.0], [200, 3.0]],
        [[100, 0.4], [200, 0.3]],
    ]
    assert figure_bytes(figure).startswith(b"\x89PNG")


def test_scales_of_motions_are_drawn_along_the_path() -> None:
    distances, values = 2.0 * torch.arange(60), 1 + 0.01 * torch.arange(60)
    values[30] = 9
    none = torch.zeros(0)
    figure = scale_figure({"ours": (distances, values), "still": (none, none)})
    level, dots, median, _ = figure.axes[0].lines
    np.testing.assert_array_equal(level.get_ydata(), [1, 1])
    np.testing.assert_allclose(dots.get_xydata(), torch.stack([distances, values], 1))
    # the median of 25 in their middle, whatever one of them is
    np.testing.assert_allclose(median.get_xdata(), distances[12:-12])
    np.testing.assert_allclose(median.get_ydata(), 1 + 0.01 * np.arange(12, 48), atol=0.0101)
    assert figure.axes[0].get_yscale() == "log"
    assert figure_bytes(figure).startswith(b"\x89PNG")


@pytest.mark.filterwarnings("error")
def test_scales_of_paths_that_stand_still_are_drawn_without_a_word() -> None:
    none = torch.zeros(0)
    assert scale_figure({"still": (none, none)}).axes[0].get_legend() is None


def test_the_path_is_coloured_by_its_error_and_ranks_in_grey() -> None:
    figure = error_figure(spiral(), spiral(1.1))
    (line,) = figure.axes[0].collections
    expected = 0.1 * spiral().positions.norm(dim=-1).numpy()
    np.testing.assert_allclose(line.get_array(), (expected[1:] + expected[:-1]) / 2, rtol=1e-6)
    grey = line.cmap(np.linspace(0, 1, 20))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) < 0).all()
    assert figure_bytes(figure).startswith(b"\x89PNG")


def test_what_cannot_be_drawn(tmp_path) -> None:
    with pytest.raises(InputError, match="no trajectory"):
        trajectory_figure(None, {})
    with pytest.raises(InputError, match="no trajectory"):
        coordinates_figure(None, {})
    with pytest.raises(InputError, match=r"plot\.bmp: cannot draw"):
        save_figure(trajectory_figure(spiral(), {}), tmp_path / "plot.bmp")
    with pytest.raises(InputError, match="cannot be written"):
        save_figure(trajectory_figure(spiral(), {}), tmp_path / "absent" / "plot.png")


def test_pyplot_is_not_used() -> None:
    """Global figures would pile up in a long run."""
    plot = sys.modules.get("matplotlib.pyplot")
    before = plot.get_fignums() if plot else []
    trajectory_figure(spiral(), {})
    plot = sys.modules.get("matplotlib.pyplot")
    assert (plot.get_fignums() if plot else []) == before
