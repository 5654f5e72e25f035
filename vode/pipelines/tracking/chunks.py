"""Long sequences in overlapping chunks, which the processes of a group divide among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from vode.datasets.base import Sequence as Video
from vode.datasets.sequence_slice import SequenceSlice
from vode.errors import InputError
from vode.model import Model
from vode.odometry.chunks.joining import Chunk, Joined, join
from vode.pipelines.options import OdometryOptions
from vode.pipelines.run.progress import Meter, Progress
from vode.pipelines.tracking.setup import set_up, track_frames, tracker_options
from vode.training import distributed


def check_chunks(options: OdometryOptions) -> None:
    """InputError for chunks that cannot be joined, or what takes all frames in one pass."""
    options.check_chunks()
    for name, given in (("loops", options.loops), ("refine", options.refine == "global")):
        if options.chunk is not None and given:
            what = "loops are" if options.loops else "global refinement is"
            raise InputError(f"{what} of a sequence in one pass; leave out the chunks", name, "chunk")


def track_chunks(
    model: Model | None,
    sequences: Sequence[Video],
    options: OdometryOptions,
    on_frame: Callable[[Progress], None],
    stopped: Collection[object],
) -> dict[int, Joined]:
    """Sequences by their places, each tracked in chunks by all processes of the group and joined.

    Once ``stopped`` holds something, those are returned of which chunks were tracked, with the frames before the first
    that was not; by several processes none is, and KeyboardInterrupt is raised.
    """
    pieces = [(i, span) for i, sequence in enumerate(sequences) for span in options.spans(len(sequence))]
    mine: dict[tuple[int, int], Chunk] = {}
    for i, span in (pieces[k] for k in distributed.own([len(span) for _, span in pieces])):
        if stopped:
            break
        part = SequenceSlice(sequences[i], start=span.start, end=span.stop)
        setup = set_up(model, part, options, several=len(sequences) > 1)
        meter = Meter(f"{part.name} {span.start}-{span.stop - 1}", len(part), on_frame)
        odometry, grounds = track_frames(part, setup, stopped, meter, with_ground=options.camera_height is not None)
        mine[i, span.start] = Chunk(odometry.trajectory, odometry.results, grounds)
    if stopped and not distributed.is_alone():
        raise KeyboardInterrupt
    found = {piece: chunk for part in distributed.gather(mine) for piece, chunk in part.items()}
    # what tracks alone carry has a scale of its own in each chunk
    with_scale = tracker_options(model, options).scale_from == "tracks"
    joined = {}
    for i in {i for i, _ in found}:
        starts = sorted(start for k, start in found if k == i)
        joined[i] = join([found[i, start] for start in starts], starts, with_scale=with_scale)
    return joined
