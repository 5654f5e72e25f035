"""Recipes of adaptation to one's own video."""

from __future__ import annotations

from pathlib import Path

from vode.adaptation.config import AdaptationConfig, AdaptDepthStage, AdaptFlowStage
from vode.augmentation.options import Augment
from vode.recipes.supervised import VODE_SMALL

ADAPT = AdaptationConfig(
    dataset="folder",
    size=(192, 416),
    start_from=Path("vode-small"),
    batch=1,
    augment=Augment(saturation=0.2, hue=0.02),
    precision="auto",
    depth_stage=AdaptDepthStage(300, 1e-4, "cosine", warm_up=20, encoder_rate=0.3),
    flow_stage=AdaptFlowStage(100, 5e-5, "cosine", warm_up=20),
    tracker=VODE_SMALL.tracker,
    half=True,
    log_every=10,
)
"""Minutes on one's own video, from the shipped weights; what does not help on frames held out is not kept."""
