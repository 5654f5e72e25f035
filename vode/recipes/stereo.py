"""Recipes of depth in metres from stereo pairs, as the papers and their released code have them."""

from __future__ import annotations

from dataclasses import replace

from vode.augmentation.options import Augment
from vode.networks.options import DepthOptions
from vode.odometry.options import TrackerOptions
from vode.recipes.view_synthesis import MONODEPTH2, small
from vode.view_synthesis.config import SynthesisStage, ViewSynthesisConfig
from vode.view_synthesis.options import SnippetOptions, SynthesisWeights

PAIRS = 19_905
"""of Zhou's training list"""

MONODEPTH = ViewSynthesisConfig(
    dataset="kitti-raw",
    camera=(2,),
    size=(192, 640),
    batch=8,
    workers=4,
    clip=0.0,
    augment=Augment(flip=0.5, brightness=0.5, contrast=0, saturation=0, hue=0, gamma=0.2, balance=0.2),
    objective="left-right",
    snippet=SnippetOptions(length=1, stereo=True),
    depth=DepthOptions(scales=4, upsampling="nearest", disparity=(0.01, 0.95), both_views=True),
    tracker=TrackerOptions(),
    depth_stage=SynthesisStage(
        50 * PAIRS // 8,
        1e-4,
        "step",
        decay_every=30 * PAIRS // 8,
        weights=SynthesisWeights(photometric=1.0, smoothness=0.1, left_right=1.0),
    ),
)
"""Monodepth on KITTI's stereo pairs (Godard et al., CVPR 2017): 50 epochs, on a GPU."""

MONODEPTH_SMALL = small(MONODEPTH)
"""The same on the built-in world."""

UNIT = 5.4
"""metres that Monodepth2's depths of 0.1 to 100 are counted in"""

MONODEPTH2_STEREO = replace(
    MONODEPTH2,
    camera=(2,),
    snippet=SnippetOptions(length=1, stereo=True),
    depth=replace(MONODEPTH2.depth, disparity=(0.01 / UNIT, 9.99 / UNIT)),
    tracker=TrackerOptions(),
    depth_stage=replace(MONODEPTH2.depth_stage, steps=20 * PAIRS // 12, decay_every=15 * PAIRS // 12),
)
"""Monodepth2 on KITTI's stereo pairs (Godard et al., ICCV 2019, S): 20 epochs, on a GPU."""

MONODEPTH2_STEREO_SMALL = small(MONODEPTH2_STEREO)
"""The same on the built-in world."""

MONODEPTH2_MONO_STEREO = replace(MONODEPTH2_STEREO, snippet=SnippetOptions(stereo=True), tracker=MONODEPTH2.tracker)
"""Monodepth2 on snippets of which the camera on the right is one more source (MS)."""

MONODEPTH2_MONO_STEREO_SMALL = small(MONODEPTH2_MONO_STEREO)
"""The same on the built-in world."""
