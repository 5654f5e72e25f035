"""Recipes of depth in metres from stereo pairs, as the papers and their released code have them."""

from __future__ import annotations

from vode.augmentation.options import Augment
from vode.networks.options import DepthOptions
from vode.recipes.view_synthesis import small
from vode.view_synthesis.config import SynthesisStage, ViewSynthesisConfig
from vode.view_synthesis.options import SnippetOptions, SynthesisWeights

PAIRS = 19_905
"""of Zhou's training list"""

MONODEPTH = ViewSynthesisConfig(
    dataset="kitti-raw",
    camera=(2,),
    size=(256, 512),
    batch=8,
    workers=4,
    clip=0.0,
    augment=Augment(flip=0.5, brightness=0.5, contrast=0, saturation=0, hue=0, gamma=0.2, balance=0.2),
    objective="left-right",
    snippet=SnippetOptions(length=1, stereo=True),
    depth=DepthOptions(scales=4, upsampling="nearest", disparity=(0.01, 0.95), both_views=True),
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
