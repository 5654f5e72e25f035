"""The inverse warp by exact depth and motion, against the world's own flow and images."""

import torch
from torch.autograd import gradcheck

from vode.view_synthesis.losses import pixel_errors
from vode.view_synthesis.task import snippet_views
from vode.view_synthesis.warp import inverse_warp


def test_the_flow_of_exact_depth_and_motion_is_that_of_the_world(snippet, T_s_t):
    warped = inverse_warp(snippet["depth"][:, 1], T_s_t, snippet["intrinsics"])
    for source, flow, visible in ((1, "flow", "visible"), (0, "flow_back", "visible_back")):
        # forward from the target, and back from it
        known = snippet[visible][0, 1 if source else 0] > 0
        error = (warped.flow[0, source] - snippet[flow][0, 1 if source else 0]).norm(dim=0, keepdim=True)
        assert known.float().mean() > 0.5
        assert error[known].max() < 0.05


def test_the_photometric_error_of_exact_depth_and_motion_is_near_zero(snippet, T_s_t):
    views = snippet_views(snippet["images"], T_s_t, snippet["intrinsics"])
    visible = torch.stack([snippet["visible_back"][:, 0], snippet["visible"][:, 1]], 1) > 0

    def errors(kind, depth=1.0, motion=1.0):
        T = torch.cat([T_s_t[..., :3], T_s_t[..., 3:] * motion], -1)
        made = inverse_warp(depth * snippet["depth"][:, 1], T, snippet["intrinsics"]).sample(views.sources)
        return pixel_errors(views.target, made, kind)[visible]

    # textures finer than the pixels leave a rest
    assert errors("l1").median() < 0.01
    assert errors("ssim").median() < 0.05
    for kind in ("l1", "ssim"):
        exact = errors(kind).mean()
        assert exact < 0.4 * errors(kind, motion=0.0).mean()
        # one scale for both is not seen; one of them is
        torch.testing.assert_close(errors(kind, depth=2.0, motion=2.0).mean(), exact, atol=1e-3, rtol=0)
        for wrong in ({"depth": 0.7}, {"depth": 1.4}, {"motion": 0.7}):
            assert errors(kind, **wrong).mean() > 1.2 * exact


def test_points_behind_the_camera_or_beside_the_image_are_not_seen(snippet):
    depth = torch.full((1, 1, 8, 16), 5.0)
    K = torch.tensor([[[10.0, 0, 7.5], [0, 10.0, 3.5], [0, 0, 1]]])
    still, back, aside = torch.eye(4).repeat(3, 1, 1)
    back[2, 3], aside[0, 3] = -6.0, 4.0
    seen = inverse_warp(depth, torch.stack([still, back, aside])[None], K).seen[0, :, 0]
    assert seen[0].all()
    assert not seen[1].any()
    # 4 m at 5 m depth are 8 pixels of 16
    assert torch.equal(seen[2], torch.arange(16).expand(8, 16) < 8)


def test_reversed_views_lead_back(snippet, T_s_t):
    views = snippet_views(snippet["images"], T_s_t, snippet["intrinsics"])
    back = views.reversed()
    assert torch.equal(back.target, snippet["images"][0, [0, 2]])
    assert torch.equal(back.sources[:, 0], snippet["images"][0, [1, 1]])
    torch.testing.assert_close(back.T_s_t[:, 0] @ T_s_t[0], torch.eye(4).expand(2, 4, 4), atol=1e-5, rtol=0)


def test_gradients_reach_depth_and_motion_and_are_right():
    generator = torch.Generator().manual_seed(0)
    depth = 4 + torch.rand(1, 1, 3, 4, dtype=torch.float64, generator=generator)
    T = torch.eye(4, dtype=torch.float64).repeat(1, 2, 1, 1)
    T[:, :, :3] += 0.05 * torch.rand(1, 2, 3, 4, dtype=torch.float64, generator=generator)
    K = torch.tensor([[[4.0, 0, 1.5], [0, 4.0, 1], [0, 0, 1]]], dtype=torch.float64)
    maps = torch.rand(1, 2, 3, 3, 4, dtype=torch.float64, generator=generator)

    def values(depth, T):
        warped = inverse_warp(depth, T, K)
        return warped.pixels, warped.depth, warped.sample(maps)

    assert gradcheck(values, (depth.requires_grad_(), T.requires_grad_()))
