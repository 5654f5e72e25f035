"""The depth that a tracker has looked at, for those who want it beside the pose."""

from __future__ import annotations

from torch import Tensor

from vode.odometry.frames import Frame
from vode.odometry.perception import DepthSource
from vode.odometry.result import FrameResult, Method


class KeptDepth(DepthSource):
    """The depth of a source, of which the newest stays at hand."""

    def __init__(self, source: DepthSource) -> None:
        self.device, self._source = source.device, source
        self._newest: tuple[int, Tensor] | None = None

    def depth(self, frame: Frame) -> Tensor:
        depth = self._source.depth(frame)
        self._newest = frame.index, depth
        return depth

    def of(self, result: FrameResult) -> Tensor | None:
        """The depth (1, 1, H, W) of the frame that was tracked last, None if nobody needed it."""
        if self._newest is None or not (result.method is Method.REPEATED or self._newest[0] == result.index):
            return None
        return self._newest[1]
