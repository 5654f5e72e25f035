"""Models that pycolmap writes, for tests."""

import numpy as np
import pytest
import torch

from vode.io.image import write_image

pycolmap = pytest.importorskip("pycolmap")

SIZE = 96, 128
PINHOLE = "PINHOLE", (110, 108, 66.2, 46.1)
NAMES = "walk/2.png", "walk/1.png", "top.png", "run/far/1.png", "walk/3.png"
POINTS = np.array([[2.0, 1.5, 5.0], [-2.0, 1.2, 5.0], [0.5, -2.0, 6.0]])
"""of the world, seen by all images"""


def mapped(root, kind, cameras=(PINHOLE,), names=NAMES, turns=None):
    """Write images, which take the cameras by turns, and their model; return it as pycolmap holds it."""
    model = pycolmap.Reconstruction()
    for number, (name, parameters) in enumerate(cameras, start=1):
        camera = pycolmap.Camera(model=name, width=SIZE[1], height=SIZE[0], params=parameters, camera_id=number)
        model.add_camera_with_trivial_rig(camera)
    for k, name in enumerate(names):
        turn = (turns or {}).get(name, [0.05 * k, 0.1 - 0.06 * k, 0.04 * k * k])
        shift = np.array([0.2 * k - 0.3, 0.1 * k, 0.3 - 0.05 * k * k])
        image = pycolmap.Image(name, np.arange(2.0 * k).reshape(-1, 2), 1 + k % len(cameras), 10 + k)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pycolmap.Rotation3d(np.array(turn)), shift))
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(root / "images" / name, torch.full((3, *SIZE), 0.1 * k))
    for k, point in enumerate(POINTS):
        model.add_point3D(point, pycolmap.Track([pycolmap.TrackElement(10 + i, k) for i in range(k + 1, len(names))]))
    folder = root / "sparse" / "0"
    folder.mkdir(parents=True)
    getattr(model, f"write_{kind}")(folder)
    return model
