"""The camera on the right in KITTI odometry: the next one, if it is calibrated."""

import pytest
import torch

from vode.cameras.kitti import stereo_baseline
from vode.datasets.kitti.odometry import KittiOdometry
from vode.io.image import write_image

P2 = "P2: 718.5 0 4.25 45.38225 0 718.5 2.5 -0.1130887 0 0 1 0.003779761\n"
P3 = "P3: 718.5 0 4.25 -337.2877 0 718.5 2.5 2.369057 0 0 1 0.004915215\n"


@pytest.fixture
def root(tmp_path):
    """Three frames of camera 2, two of which camera 3 has too."""
    folder = tmp_path / "sequences" / "05"
    for camera, numbers in ((2, (0, 1, 2)), (3, (0, 2))):
        (folder / f"image_{camera}").mkdir(parents=True)
        for n in numbers:
            write_image(folder / f"image_{camera}" / f"{n:06d}.png", torch.full((3, 6, 8), (camera + 10 * n) / 255))
    (folder / "calib.txt").write_text(P2)
    return tmp_path


def test_a_camera_that_is_not_calibrated_is_not_used(root):
    sequence = KittiOdometry(root, "05")
    assert (sequence.baseline, sequence.right(0), sequence.has_right(0)) == (None, None, False)
    (root / "sequences" / "05" / "calib.txt").write_text(P2 + P2.replace("P2", "P3"))
    assert KittiOdometry(root, "05").baseline is None


def test_the_distance_is_that_of_the_projections(root):
    with (root / "sequences" / "05" / "calib.txt").open("a") as file:
        file.write(P3)
    sequence = KittiOdometry(root, "05")
    # t = K^-1 p, of which x is (p_x - cx p_z) / fx
    expected = (45.38225 - 4.25 * 0.003779761 + 337.2877 + 4.25 * 0.004915215) / 718.5
    assert sequence.baseline == pytest.approx(expected, abs=1e-9)
    assert [sequence.has_right(i) for i in range(3)] == [True, False, True]
    assert sequence.right(2).unique().tolist() == pytest.approx([23 / 255])
    assert sequence.right_raw(2, (3, 4)).unique().tolist() == [23]
    assert sequence.right(1) is None
    assert stereo_baseline(root / "sequences" / "05" / "calib.txt", 3) is None
