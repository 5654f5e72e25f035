"""Any depth in the place of the shipped network's: python examples/other_depth.py walk.mp4

``depth`` below is where a foundation model goes: an RGB image (H, W, 3) uint8 in, metres (H, W) out. Here it is a flat
road, so that the script runs as it stands; without arguments on a rendered clip.
"""

import sys
from pathlib import Path

import numpy as np

import vode

CAMERA_HEIGHT, HORIZON, FOCAL = 1.65, 0.49, 0.58  # metres; fraction of the height; widths


def depth(image: np.ndarray) -> np.ndarray:
    """Distance of a flat road, and of a wall far away where there is none."""
    height, width = image.shape[:2]
    below = np.arange(height) - HORIZON * height
    rows = np.where(below > 4, CAMERA_HEIGHT * FOCAL * width / np.maximum(below, 4), 60.0)
    return np.repeat(rows[:, None], width, 1).astype(np.float32)


run = vode.run(sys.argv[1] if len(sys.argv) > 1 else "demo", Path("other-depth-run"), depth=depth, overwrite=True)
print(f"{run.folder}: {len(run.trajectory)} poses, {len(run.cloud[0])} points; {run.summary['methods']}")
