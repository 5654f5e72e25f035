"""Frames of a camera at rest, which teach a pose network that all is infinitely far: what leaves them out."""

from __future__ import annotations

import json

from vode.datasets.base import Sequence, only_frames
from vode.errors import InputError
from vode.geometry.inverse_search import inverse_search
from vode.io.atomic import make_folder, write_bytes
from vode.io.text import parse_json
from vode.run_folder import RunFolder
from vode.training.log import Announced
from vode.view_synthesis.config import ViewSynthesisConfig

MOVING = "moving.json"
"""the frames that show a moving camera, by sequence, beside the run that looked for them"""


def without_rest(sequences: list[Sequence], config: ViewSynthesisConfig, folder: RunFolder) -> list[Sequence]:
    """The sequences without the targets at which the camera stands, which are looked for once in a run.

    InputError if none are left.
    """
    if not config.snippet.least_flow:
        return sequences
    path = folder.path / MOVING
    if path.is_file():
        known = _read(path.read_text("utf-8"), str(path))
    else:
        known = {}
        with Announced("looking for frames of a camera at rest", len(sequences)) as done:
            for count, sequence in enumerate(sequences, 1):
                known[sequence.name] = moving_frames(sequence, config)
                done(count)
        write_bytes(make_folder(path.parent) / path.name, json.dumps(known).encode())
    if not any(known.values()):
        raise InputError(
            f"{sequences[0].name}: the camera is at rest in all frames; lower the least flow, or choose others",
            "snippet.least_flow",
        )
    return [only_frames(sequence, known.get(sequence.name, [])) for sequence in sequences]


def moving_frames(sequence: Sequence, config: ViewSynthesisConfig) -> list[int]:
    """The targets from which the mean flow to the next frame of a snippet is not below the options' least.

    The flow is OpenCV's dense inverse search, in pixels of the size that is trained at; Zhou et al., CVPR 2017, leave
    out means below 1 pixel.
    """
    stride, size = config.snippet.stride, config.size
    starts = range(len(sequence)) if sequence.starts is None else sequence.starts
    kept = []
    for i in starts:
        if i + stride < len(sequence):
            a, b = (sequence.resized(k, size)[None] for k in (i, i + stride))
            if float(inverse_search(a, b).norm(dim=1).mean()) >= config.snippet.least_flow:
                kept.append(i)
    return kept


def _read(text: str, name: str) -> dict[str, list[int]]:
    try:
        return {str(key): [int(i) for i in frames] for key, frames in parse_json(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{name}: not a list of frames ({error}); remove it, and it is made again") from None
