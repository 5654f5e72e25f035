"""A finished tiny run, sequences in the KITTI layout, and how a refused call is read."""

import shlex

import pytest

from vode.cli import main
from vode.pipelines import depth, evaluation_data, flow
from vode.training import video
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = shlex.split(
    "--sequences 0 --size 64 96 --world.frames 4 --batch 2 --flow-stage.steps 2 --depth-stage.steps 1 "
    "--joint-stage.steps 1 --motion.count 500 --device cpu"
)


@pytest.fixture(scope="session")
def tiny():
    """Options of the smallest training run."""
    return list(TINY)


@pytest.fixture(autouse=True, scope="package")
def short_sequences():
    """The held-out sequence has a few frames."""
    sequence = WorldSequence(99, WorldOptions(size=(64, 96), frames=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video, "scoring_sequence", lambda config: sequence)
        for module in (depth, evaluation_data, flow):
            patch.setattr(module, "held_out_sequence", lambda size: sequence)
        yield


@pytest.fixture(scope="package")
def run(short_sequences, tmp_path_factory):
    """The folder of a finished tiny run."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    assert main(["train", "world", *TINY, "--run", str(folder)]) == 0
    return folder


@pytest.fixture(scope="package")
def kitti(tmp_path_factory):
    """Two sequences of the world written in the KITTI odometry layout."""
    folder = tmp_path_factory.mktemp("cli") / "kitti"
    arguments = ["--seeds", "3", "4", "--size", "64", "96", "--frames", "4", "--camera", "0", "--device", "cpu"]
    assert main(["world", "--out", str(folder), *arguments]) == 0
    return folder


@pytest.fixture
def refused(capfd):
    """The one line that a refused call prints."""

    def call(*arguments):
        capfd.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        lines = [line for line in err.splitlines() if line]
        assert len(lines) == 1, err
        assert lines[0].startswith("vode: ")
        return lines[0]

    return call
