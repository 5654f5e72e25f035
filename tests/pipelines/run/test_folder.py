"""The summary of a run: what is none is refused before anything is made of it."""

import json

import pytest

from vode.errors import InputError
from vode.pipelines.run.result import VideoRun

SUMMARY = {
    "version": 1,
    "state": "finished",
    "notes": [],
    "options": {},
    "source": {"address": "walk.mp4", "frames_done": 3},
    "seconds": 1.5,
    "peak_memory_bytes": 2**28,
}


def test_a_summary_is_read(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(SUMMARY))
    assert repr(VideoRun(tmp_path)).endswith("3 frames of walk.mp4)")


@pytest.mark.parametrize(
    "changes",
    [
        {"source": {"frames_done": 3}},
        {"source": [1]},
        {"source": {"address": "walk.mp4", "frames_done": "three"}},
        {"notes": "none"},
        {"seconds": None},
        {"peak_memory_bytes": 10**400},
        {"version": 2},
    ],
)
def test_a_summary_that_lacks_what_all_have_is_refused(tmp_path, changes):
    (tmp_path / "run.json").write_text(json.dumps(SUMMARY | changes))
    with pytest.raises(InputError, match=r"run\.json: not the summary of a run"):
        VideoRun(tmp_path)


def test_a_summary_nested_beyond_recursion_is_refused(tmp_path):
    (tmp_path / "run.json").write_text("[" * 5000)
    with pytest.raises(InputError, match=r"run\.json: not the summary"):
        VideoRun(tmp_path)
