"""Protocols of depth by the name of the system: what they score, and how they say what differs."""

import cv2
import numpy as np
import pytest
import torch

from vode.datasets.depth_frames import DepthFrames
from vode.errors import InputError
from vode.evaluation.depth import DepthProtocol, depth_scores, resize_prediction
from vode.evaluation.protocols.depth import CroppedFrames, depth_protocol, named, published_depth


class Frames(DepthFrames):
    """One image whose values are its pixels' numbers."""

    name, notes = "nyu", ("a note",)

    def __len__(self):
        return 1

    def names(self):
        return ["nyu 0001"]

    def frame(self, index):
        return torch.arange(480 * 640.0).view(1, 480, 640).expand(3, 480, 640)

    def depth(self, index):
        return self.frame(index)[:1]

    def intrinsics(self, index):
        return torch.tensor([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]])


def test_the_default_is_the_protocol_of_the_data_set():
    for dataset in ("kitti-eigen", "nyu", "world"):
        usual = published_depth(None, dataset)
        assert (usual.protocol, usual.lidar, usual.window) == (depth_protocol(dataset), "z", None)


def test_sfmlearner_resizes_depth_and_the_others_disparity():
    depth = np.random.default_rng(0).uniform(1, 60, (8, 20)).astype(np.float32)
    truth = np.full((16, 40), 10.0, np.float32)
    for system, resized in (
        ("sfmlearner", cv2.resize(depth, (40, 16), interpolation=cv2.INTER_LINEAR)),
        ("monodepth2", 1 / cv2.resize(1 / depth, (40, 16), interpolation=cv2.INTER_LINEAR)),
        ("trianflow", 1 / cv2.resize(1 / depth, (40, 16), interpolation=cv2.INTER_LINEAR)),
    ):
        protocol = published_depth(system, "kitti-eigen").protocol
        np.testing.assert_allclose(
            resize_prediction(depth, (16, 40), resizing=protocol.resizing), resized, rtol=1e-5, err_msg=system
        )
        # Garg's crop, scaled by the median, up to 80 m
        inside = resized[int(0.40810811 * 16) : int(0.99189189 * 16), int(0.03594771 * 40) : int(0.96405229 * 40)]
        predicted = (inside * (10.0 / np.median(inside))).clip(1e-3, 80)
        scores = depth_scores(depth, truth, protocol)
        assert scores.errors[0, 0] == pytest.approx(np.mean(np.abs(predicted - 10) / 10), rel=1e-5)


def test_trianflow_cuts_rooms_before_the_network():
    published = published_depth("trianflow", "nyu")
    frames = CroppedFrames(Frames(), published.window)
    assert (len(frames), frames.names(), frames.name, frames.notes) == (1, ["nyu 0001"], "nyu", ("a note",))
    assert torch.equal(frames.frame(0), Frames().frame(0)[:, 45:472, 41:602])
    assert torch.equal(frames.depth(0), Frames().depth(0)[:, 45:472, 41:602])
    # a point keeps its ray
    whole, cut = Frames().intrinsics(0), frames.intrinsics(0)
    torch.testing.assert_close(
        torch.linalg.solve(whole, torch.tensor([141.0, 95, 1])), torch.linalg.solve(cut, torch.tensor([100.0, 50, 1]))
    )
    assert published.protocol == DepthProtocol(cap=80.0)


@pytest.mark.parametrize(
    ("system", "dataset", "told"),
    [
        ("monodepth2", "kitti-eigen-benchmark", "monodepth2; unlike the default: nothing"),
        ("monodepth2", "kitti-eigen", "the x of the lidar"),
        ("sfmlearner", "kitti-eigen", "resizing depth of the prediction"),
        (
            "trianflow",
            "nyu",
            "cap ground truth 0.001 m to 80 m; clip predictions 0.001 m to 80 m; crop none; images are",
        ),
        ("trianflow", "nyu", "rows 45:472, columns 41:602 before the network"),
    ],
)
def test_the_line_says_what_differs_from_the_default(system, dataset, told):
    assert told in named(system, dataset, published_depth(system, dataset).protocol)


def test_a_set_that_a_system_does_not_score_is_refused():
    with pytest.raises(InputError, match="sfmlearner has no protocol for nyu, but for kitti-eigen"):
        published_depth("sfmlearner", "nyu")
