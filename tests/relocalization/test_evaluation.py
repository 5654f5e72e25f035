"""Relocalization: errors and fractions by hand, the two baselines, saliency, and tables."""

import csv
import io
import math
import time

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.base import Sequence
from vode.geometry.pose import from_rotation_translation, matrix_to_quaternion
from vode.relocalization import evaluation
from vode.relocalization.network import PoseEstimate, PoseNet
from vode.relocalization.options import ViewOptions
from vode.relocalization.posed_images import PosedImages


def turned(degrees, axis=(0.0, 1.0, 0.0), position=(0.0, 0.0, 0.0)):
    rotation = Rotation.from_rotvec(np.radians(degrees) * np.array(axis)).as_matrix()
    return from_rotation_translation(torch.tensor(rotation), torch.tensor(position, dtype=torch.float64))


class Room(Sequence):
    """Frames that are told apart by a bright stripe, taken on a line."""

    size = (32, 48)
    intrinsics = torch.tensor([[40.0, 0, 23.5], [0, 40.0, 15.5], [0, 0, 1]])

    def __init__(self, name, places):
        self.name, self.places = name, places
        self.poses_in_scene = torch.stack([turned(2 * p, position=(p, 0.0, 0.0)) for p in places])
        self.poses = self.poses_in_scene

    def __len__(self):
        return len(self.places)

    def frame(self, index):
        image = torch.full((3, 32, 48), 0.1 + 0.05 * (index % 3))
        column = int(4 * self.places[index])
        image[:, :, column : column + 6] += 0.5
        return image


def images(name, places):
    return PosedImages([Room(name, places)], ViewOptions(resize=32), (32, 32))


class Fixed(torch.nn.Module):
    """Says of every image that it was taken one metre to the right of the scene's middle."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        quaternion = torch.tensor([[-2.0, 0, 0, 0]]).expand(len(x), -1)
        return [PoseEstimate(torch.tensor([[1.0, 0, 0]]).expand(len(x), -1), quaternion, quaternion / 2)]


def test_medians_and_shares_by_hand():
    ground_truth = torch.stack([turned(0)] * 4)
    estimate = torch.stack(
        [
            turned(1, position=(0.1, 0, 0)),
            turned(4, (1, 0, 0), (0, 0.4, 0)),
            turned(9, (0, 0, 1), (0, 0, 3.0)),
            turned(179.9, position=(9.0, 0, 0)),
        ]
    )
    result = evaluation.summary(evaluation.pose_errors(estimate, ground_truth))
    assert result["images"] == 4
    assert result["median_position_m"] == pytest.approx((0.4 + 3) / 2)
    assert result["median_rotation_deg"] == pytest.approx((4 + 9) / 2)
    shares = [result[name] for name in ("within_0.25m_2deg", "within_0.5m_5deg", "within_5m_10deg")]
    assert shares == pytest.approx([25, 50, 75])


def test_rotation_error_is_the_whole_angle_and_the_same_for_both_signs():
    # early papers printed half of it
    assert evaluation.pose_errors(turned(30)[None], turned(0)[None]).rotation.item() == pytest.approx(math.radians(30))
    estimate = evaluation.locate(Fixed(), images("a", [0.0, 1.0, 2.0]))
    assert estimate.shape == (3, 4, 4)
    torch.testing.assert_close(estimate[:, :3, :3], torch.eye(3, dtype=torch.float64).expand(3, 3, 3))
    assert estimate[:, 0, 3].tolist() == [1, 1, 1]


def test_the_constant_predictor_is_the_median_place_and_direction():
    poses = torch.stack([turned(d, position=(p, 0.0, 0.0)) for d, p in ((0, 0), (10, 1), (20, 2), (30, 3), (170, 90))])
    median = evaluation.median_pose(poses)
    assert median[:3, 3].tolist() == [2, 0, 0]
    torch.testing.assert_close(median[:3, :3], turned(20)[:3, :3])


def test_the_most_similar_training_image_is_found_whatever_its_brightness():
    known, asked = images("train", [0.0, 2.0, 4.0, 6.0]), images("test", [5.9, 0.2, 3.9])
    rows = evaluation.most_similar(evaluation.thumbs(asked), evaluation.thumbs(known))
    assert rows.tolist() == [3, 0, 2]
    result = evaluation.relocalize(Fixed(), asked, known)
    assert result["nearest_image_position_m"] == pytest.approx(0.1, abs=1e-5)
    assert result["nearest_image_rotation_deg"] == pytest.approx(0.2, abs=1e-4)
    assert result["constant_position_m"] == pytest.approx(2.8, abs=1e-5)
    assert result["median_position_m"] == pytest.approx(2.9, abs=1e-5)


def test_saliency_lies_where_the_network_looks():
    network = PoseNet()
    network.eval()

    class Left(torch.nn.Module):
        """Sees the left half of the image alone."""

        def forward(self, x):
            return network.backbone_of(x[..., :32])

    network.backbone_of, network.backbone = network.backbone, Left()
    found = evaluation.saliency(network, torch.rand(2, 3, 64, 64), torch.eye(4).expand(2, 4, 4))
    assert found.shape == (2, 1, 64, 64)
    assert found[..., :32].mean() > 0
    assert found[..., 32:].abs().max() == 0


def test_the_table_of_images_holds_errors_and_both_poses():
    ground_truth = torch.stack([turned(10, position=(1.0, 2.0, 3.0)), turned(0)])
    estimate = torch.stack([turned(10, position=(1.0, 2.0, 3.5)), turned(90, (0, 0, 1))])
    rows = list(csv.DictReader(io.StringIO(evaluation.per_image_csv(["a/0", "b, c"], estimate, ground_truth))))
    assert [row["image"] for row in rows] == ["a/0", "b, c"]
    assert float(rows[0]["position_m"]) == pytest.approx(0.5)
    assert float(rows[1]["rotation_deg"]) == pytest.approx(90, abs=1e-4)
    written = [float(rows[1][f"estimate_q{c}"]) for c in "wxyz"]
    assert written == pytest.approx(matrix_to_quaternion(estimate[1, :3, :3]).tolist(), abs=1e-6)
    assert [float(rows[0][f"ground_truth_{c}"]) for c in "xyz"] == [1, 2, 3]


def test_milliseconds_are_of_one_image():
    class Slow(Fixed):
        def forward(self, x):
            sizes.append(tuple(x.shape))
            time.sleep(0.02)
            return super().forward(x)

    sizes = []
    assert 20 <= evaluation.milliseconds(Slow(), (8, 16), runs=3) < 1000
    assert set(sizes) == {(1, 3, 8, 16)}
