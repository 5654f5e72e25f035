"""Flow and depth by networks in 16 bits, one beside the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.resize import SizeFor, image_size
from vode.networks.depth import DepthNet
from vode.networks.flow import FINEST, FlowNet
from vode.networks.inference import in_16_bits
from vode.odometry.frames import Frame
from vode.odometry.perception import Networks

BACK = FINEST + 1
"""level that flow from b to a is decoded to: it only tells what both frames see"""


class ConcurrentNetworks(Networks):
    """What ``Networks`` see, in 16 bits: sooner where a processor computes in them, and within their precision.

    But for the flow from b to a, which is decoded to an eighth of the networks' size: in a quarter of the time.

    On a CPU both directions of flow are found at once, on half of the cores each, and depth beside whatever is done
    between ``flow`` and ``depth``: that takes less time than one thing after the other on all of them. The features
    that flow is found by are computed once a frame. Later changes of the networks have no effect.
    """

    def __init__(
        self, flow: FlowNet, depth: DepthNet, size_for: SizeFor | None = None, *, kind: torch.dtype = torch.bfloat16
    ) -> None:
        super().__init__(in_16_bits(flow, kind), in_16_bits(depth, kind), size_for)
        self._kind = kind
        self._halves = Halves() if self.device.type == "cpu" and torch.get_num_threads() > 1 else None
        self._features: list[tuple[Tensor, list[Tensor]]] = []
        self._asked: Tensor | None = None
        self._begun: tuple[Tensor, Future[Tensor]] | None = None

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        if self._halves is None:
            of_a, of_b = self._features_of(a), self._features_of(b)
            return self._flow_of(a, of_a, of_b), self._flow_of(a, of_b, of_a, BACK)
        one, other = self._halves.threads
        of_a, of_b = (one.submit(self._features_of, frame).result() for frame in (a, b))
        back = other.submit(self._flow_of, a, of_b, of_a, BACK)
        if self._asked is a.image:
            # what was asked of a frame will be asked of the next
            self._begun = b.image, other.submit(self._depth_of, b)
        return one.submit(self._flow_of, a, of_a, of_b).result(), back.result()

    def depth(self, frame: Frame) -> Tensor:
        self._asked, begun, self._begun = frame.image, self._begun, None
        return begun[1].result() if begun is not None and begun[0] is frame.image else self._depth_of(frame)

    def at_work(self) -> AbstractContextManager[None]:
        """While a frame is worked on, this thread has half of the cores too."""
        return nullcontext() if self._halves is None else self._halves.shared()

    @torch.no_grad()
    def _depth_of(self, frame: Frame) -> Tensor:
        with torch.autocast(self.device.type, self._kind):
            return super().depth(frame)

    @torch.no_grad()
    def _flow_of(self, a: Frame, of_a: list[Tensor], of_b: list[Tensor], finest: int = FINEST) -> Tensor:
        """Flow from features to others, of frames like a, decoded to a level."""
        full = image_size(a.image)
        with torch.autocast(self.device.type, self._kind):
            flow = self._flow.towards(of_a, of_b, self._size_of(full), finest=finest)
        return warp.resize_flow(flow.float(), full)

    @torch.no_grad()
    def _features_of(self, frame: Frame) -> list[Tensor]:
        """Features of a frame; those of the last two are kept."""
        for image, features in self._features:
            if image is frame.image:
                return features
        with torch.autocast(self.device.type, self._kind):
            features = self._flow.features(self._seen(frame))
        self._features = [*self._features[-1:], (frame.image, features)]
        return features


class Halves:
    """Two threads in which torch computes on half of the cores each."""

    def __init__(self) -> None:
        everything = torch.get_num_threads()
        self._half = everything // 2
        self.threads = [ThreadPoolExecutor(1) for _ in range(2)]
        for thread in self.threads:
            thread.submit(torch.set_num_threads, self._half).result()
        # threads that start later begin with the number that was set last
        torch.set_num_threads(everything)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Let this thread compute on half of the cores for a while."""
        before = torch.get_num_threads()
        torch.set_num_threads(self._half)
        try:
            yield
        finally:
            torch.set_num_threads(before)
