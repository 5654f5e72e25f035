"""Matches by dense flow: points between pixels follow it, but not across steps."""

import torch

from vode.geometry.matches import follow


def test_points_between_pixels_follow_a_flow_that_varies_smoothly():
    x, y = torch.meshgrid(torch.arange(32.0), torch.arange(24.0), indexing="xy")
    flow = torch.stack([2 + 0.05 * x, 0.1 * y - 1])[None]
    points = torch.tensor([[[4.25, 7.5], [20.0, 11.75], [29.5, 20.25]]])
    found = follow(flow, torch.ones(1, 1, 24, 32), points)
    torch.testing.assert_close(
        found.points_b, points + torch.stack([2 + 0.05 * points[..., 0], 0.1 * points[..., 1] - 1], -1)
    )
    assert (found.scores == 1).all()


def test_no_point_follows_a_mixture_of_two_surfaces():
    flow = torch.zeros(1, 2, 24, 32)
    flow[..., 16:] = 3.0
    flow[:, :, 12:] += 1.0
    points = torch.tensor([[[15.5, 5.0], [10.5, 11.5], [14.0, 5.5], [17.5, 5.5], [25.25, 18.75]]])
    found = follow(flow, torch.ones(1, 1, 24, 32), points)
    assert found.scores.tolist() == [[0, 0, 1, 1, 1]]
