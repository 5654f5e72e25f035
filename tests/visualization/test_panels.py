"""Panels: which images they hold, and the files they are saved to."""

import cv2
import numpy as np
import pytest
import torch

from vode.visualization.colors import depth_to_color
from vode.visualization.panels import depth_panel, depth_strip, flow_panel, panel_figure, save_panel


def test_depth_panel_shares_colours_between_prediction_and_truth() -> None:
    image, ground_truth = torch.rand(3, 12, 20), torch.rand(1, 12, 20) * 30 + 2
    rows = dict(depth_panel(image, ground_truth, ground_truth))
    names = list(rows)
    assert names[:2] == ["image", "predicted depth"]
    assert names[2].startswith("ground truth")
    assert torch.equal(rows["predicted depth"], rows[names[2]])
    error = rows[names[3]]
    assert (error == error[:, :1, :1]).all()
    assert [name for name, _ in depth_panel(image, ground_truth)] == ["image", "predicted depth"]


def test_all_pictures_have_the_images_size() -> None:
    panel = depth_panel(torch.rand(3, 12, 20), torch.rand(1, 6, 10) + 1, torch.rand(1, 24, 40) + 1)
    assert {tuple(visualization.shape) for _, visualization in panel} == {(3, 12, 20)}


def test_sparse_truth_is_drawn_as_dots_of_nine_pixels() -> None:
    ground_truth = torch.zeros(1, 12, 20)
    ground_truth[0, 5, 5], ground_truth[0, 5, 15], ground_truth[0, 0, 0] = 4, 40, 10
    drawn = depth_panel(torch.rand(3, 12, 20), torch.full((1, 12, 20), 10.0), ground_truth)[2][1]
    seen = drawn.sum(dim=0) > 0
    assert seen.sum() == 9 + 9 + 4
    assert torch.equal(drawn[:, 4, 4], drawn[:, 6, 6])
    assert not torch.equal(drawn[:, 5, 5], drawn[:, 5, 15])


def test_unknown_truth_everywhere() -> None:
    zeros = torch.zeros(1, 12, 20)
    assert depth_panel(torch.rand(3, 12, 20), zeros, zeros)[2][1].sum() == 0
    flow = torch.zeros(2, 12, 20)
    panel = flow_panel(torch.rand(3, 12, 20), flow, flow, zeros)
    assert panel[2][1].sum() == panel[3][1].sum() == 0


def test_flow_panel_hides_the_invisible() -> None:
    flow, visible = torch.rand(2, 12, 20) * 9, torch.ones(1, 12, 20)
    visible[0, 3, 4] = 0
    rows = flow_panel(torch.rand(3, 12, 20), flow, flow, visible)
    assert [name.split(",")[0] for name, _ in rows] == [
        "image",
        "predicted flow",
        "ground truth",
        "end-point error",
    ]
    assert rows[2][1][:, 3, 4].tolist() == rows[3][1][:, 3, 4].tolist() == [0, 0, 0]
    known = visible[0] > 0
    assert torch.equal(rows[1][1][:, known], rows[2][1][:, known])


def test_a_file_with_rows_of_different_length(tmp_path) -> None:
    image, depth = torch.rand(3, 12, 20), torch.rand(1, 12, 20) + 1
    path = tmp_path / "panel.png"
    save_panel(path, [depth_panel(image, depth, depth), depth_panel(image, depth)], names=["a", "b"])
    visualization = cv2.imread(str(path))
    assert visualization.shape[1] == 2400
    assert np.std(visualization) > 10
    assert list(tmp_path.iterdir()) == [path]


def test_four_wide_pictures_are_folded_into_two_rows() -> None:
    depth = torch.rand(1, 10, 40) + 1
    figure = panel_figure([depth_panel(torch.rand(3, 10, 40), depth, depth)])
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (2, 2)


def test_no_picture() -> None:
    with pytest.raises(ValueError, match="needs an image"):
        panel_figure([])


def test_a_strip_has_the_depth_of_every_method_in_the_scale_and_colours_of_the_ground_truth():
    image, true = torch.rand(3, 4, 6), torch.rand(1, 4, 6) * 20 + 1
    rows, names = depth_strip([image, image], {"half": [true / 2, true / 2], "flat": [true * 0 + 3] * 2}, [true, None])
    assert names == ["image", "ground truth", "half", "flat"]
    assert [len(row) for row in rows] == [2, 2, 2, 2]
    torch.testing.assert_close(rows[2][0][1], rows[1][0][1])
    assert (rows[1][1][1] == 0).all()
    # without ground truth, each map has a scale of its own
    torch.testing.assert_close(rows[2][1][1], depth_to_color(true))
    assert len(rows[3][0][1].flatten(1).unique(dim=1).T) == 1
    assert depth_strip([image], {"half": [true]}, [None])[1] == ["image", "half"]
