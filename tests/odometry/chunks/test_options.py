"""Sequences cut in chunks: every frame, overlaps as asked for, chunks of about one length."""

from itertools import pairwise

import pytest

from vode.errors import InputError
from vode.odometry.chunks.options import ChunkOptions


@pytest.mark.parametrize(("chunk", "overlap"), [(6, 3), (10, 3), (80, 20), (500, 30), (61, 30)])
def test_chunks_hold_every_frame_and_overlap_as_asked_for(chunk, overlap):
    options = ChunkOptions(chunk, overlap)
    options.check_chunks()
    for count in (*range(1, 3 * chunk), 4541):
        spans = options.spans(count)
        assert (spans[0].start, spans[-1].stop) == (0, count)
        assert all(len(set(a) & set(b)) == overlap for a, b in pairwise(spans))
        lengths = [len(span) for span in spans]
        assert max(lengths) <= chunk
        assert max(lengths) - min(lengths) <= 1
        # with one chunk fewer, the longest would be too long
        assert len(spans) == 1 or count > (len(spans) - 1) * (chunk - overlap) + overlap


def test_without_an_option_there_is_one_chunk():
    assert ChunkOptions().spans(4541) == [range(4541)]


@pytest.mark.parametrize(
    ("chunk", "overlap", "message", "parameters"),
    [
        (100, 2, "an overlap of 2 frames; to join chunks takes 3 or more", ("overlap",)),
        (50, 30, "chunks of 50 frames that overlap by 30; give at least twice as many", ("chunk", "overlap")),
        (0, 30, "chunks of 0 frames", ("chunk", "overlap")),
    ],
)
def test_chunks_that_cannot_be_joined_are_refused(chunk, overlap, message, parameters):
    with pytest.raises(InputError, match=message) as error:
        ChunkOptions(chunk, overlap).check_chunks()
    assert error.value.parameters == parameters
