"""How a long video is cut into chunks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from vode.errors import InputError

FEWEST = 3
"""frames that determine a similarity"""


@dataclass(frozen=True)
class ChunkOptions:
    """Long sequences in overlapping chunks, which several processes can track."""

    chunk: int | None = None
    """most frames of a chunk: longer sequences are cut in chunks that overlap, each is tracked by itself, and their
    trajectories are joined; default one pass"""
    overlap: int = 30
    """frames that a chunk has in common with the next one, by which they are joined"""

    def check_chunks(self) -> None:
        """Raise InputError where chunks cannot be joined."""
        if self.chunk is None:
            return
        if self.overlap < FEWEST:
            raise InputError(f"an overlap of {self.overlap} frames; to join chunks takes {FEWEST} or more", "overlap")
        if self.chunk < 2 * self.overlap:
            raise InputError(
                f"chunks of {self.chunk} frames that overlap by {self.overlap}; give at least twice as many",
                "chunk",
                "overlap",
            )

    def spans(self, count: int) -> list[range]:
        """The frames of each chunk of a sequence of ``count`` frames: as few as can be, all of about one length."""
        if self.chunk is None or count <= self.chunk:
            return [range(count)]
        number = -((self.overlap - count) // (self.chunk - self.overlap))
        starts = [i * (count - self.overlap) // number for i in range(number + 1)]
        return [range(a, b + self.overlap) for a, b in pairwise(starts)]
