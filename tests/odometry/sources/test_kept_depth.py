"""The depth that a tracker has looked at stays at hand."""

import torch

from vode.odometry.frames import Frame
from vode.odometry.result import Details, FrameResult, Method, Reason
from vode.odometry.sources.kept_depth import KeptDepth


class Numbered:
    device = torch.device("cpu")

    def depth(self, frame):
        return torch.full((1, 1, 2, 2), float(frame.index))


def result(index, method=Method.ESSENTIAL, reason=None):
    return FrameResult(index, None, torch.eye(4), method, reason, Details(), 0, 0.0, None, ())


def test_the_newest_depth_is_that_of_its_frame_and_of_repetitions():
    kept = KeptDepth(Numbered())
    assert kept.of(result(0)) is None
    kept.depth(Frame(3, torch.zeros(1, 3, 2, 2)))
    assert float(kept.of(result(3)).mean()) == 3
    assert float(kept.of(result(4, Method.REPEATED, Reason.SAME_IMAGE)).mean()) == 3
    assert kept.of(result(4, Method.EXTRAPOLATED, Reason.BLANK)) is None
