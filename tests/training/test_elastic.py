"""A job of two machines of which one is lost: the run goes on with the other, as one process would have it."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vode.cli import main
from vode.training import video
from vode.training.clip_dataset import ClipDataset

STEPS, SAVED, LOST, BATCH = 6, 3, 4, 2
"""steps of the run, from one checkpoint to the next, and before a machine is lost; samples a step"""
OPTIONS = (
    f"world --sequences 0 --size 64 96 --world.frames 5 --batch {BATCH} --stages flow --flow-stage.steps {STEPS} "
    f"--flow-stage.learning-rate 1e-4 --device cpu --precision float32 --log-every 1 --save-every {SAVED}"
).split()
DYING = f"""
import os, signal, sys
from pathlib import Path
from vode.cli import main
from vode.training import video
from vode.training.clip_dataset import ClipDataset
from vode.training.step import Stepper

size, rank = os.environ["WORLD_SIZE"], os.environ["RANK"]
seen, read, step = Path(sys.argv.pop(1)), ClipDataset.__getitem__, Stepper.__call__

def written(self, index):
    with open(seen / f"{{size}}-{{rank}}.txt", "a") as file:
        print(*index, file=file)
    return read(self, index)

def until_lost(self, batches, number):
    if number == {LOST} and size == "2" and "DIES" in os.environ:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batches, number)

ClipDataset.__getitem__, Stepper.__call__, video.score_run = written, until_lost, lambda *_: {{}}
sys.exit(main(["train", *sys.argv[1:]]))
"""


def machine(port, *arguments, hosts, **environment):
    """The start of torchrun on a machine of one or two, where the first hosts their meeting."""
    # a machine that is silent for ten seconds is lost
    patience = "keep_alive_interval=1,keep_alive_max_attempt=10,last_call_timeout=5"
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nnodes=1:2", "--nproc-per-node=1", "--max-restarts=3"),
        *("--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-id=job"),
        *(f"--rdzv-conf=is_host={int(hosts)},{patience}", "--", *map(str, arguments)),
    ]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"} | environment,
    )


def free_port():
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def log(folder: Path):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines]


def draws(*files: Path):
    """The samples that were read, by the number of their draw, and each once."""
    pairs = [tuple(map(int, line.split())) for file in files for line in file.read_text().splitlines()]
    found = {draw: index for index, draw in pairs}
    assert len(found) == len(pairs)
    return found


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """The losses of a run of one process that nothing happens to, and the index of each of its draws."""
    order, read = {}, ClipDataset.__getitem__

    def noted(self, index):
        order[index[1]] = index[0]
        return read(self, index)

    monkeypatch.setattr(ClipDataset, "__getitem__", noted)
    monkeypatch.setattr(video, "score_run", lambda *_: {})
    assert main(["train", *OPTIONS, "--run", str(tmp_path / "whole")]) == 0
    assert len(order) == STEPS * BATCH
    return dict(log(tmp_path / "whole")), order


def test_a_run_goes_on_with_the_machine_that_is_left(tmp_path, whole):
    losses, order = whole
    script, port = tmp_path / "entry.py", free_port()
    script.write_text(DYING)
    arguments = [script, tmp_path, *OPTIONS, "--run", tmp_path / "run", "--existing", "resume"]
    stays = machine(port, *arguments, hosts=True)
    dies = machine(port, *arguments, hosts=False, DIES="1")
    try:
        said, _ = stays.communicate(timeout=280)
        assert stays.returncode == 0, said
        assert dies.wait(timeout=60) == -9, dies.communicate()
    finally:
        for process in (stays, dies):
            process.kill()

    steps = log(tmp_path / "run")
    before, after = steps[:LOST], steps[LOST:]
    last_saved = LOST // SAVED * SAVED
    assert [step for step, _ in before] == list(range(1, LOST + 1))
    assert [step for step, _ in after] == list(range(last_saved + 1, STEPS + 1))
    assert max(abs(loss - losses[step]) for step, loss in steps) < 1e-5

    together = draws(tmp_path / "2-0.txt", tmp_path / "2-1.txt")
    assert {draw: index for draw, index in together.items() if draw < LOST * BATCH} == {
        draw: index for draw, index in order.items() if draw < LOST * BATCH
    }
    alone = draws(tmp_path / "1-0.txt")
    assert alone == {draw: index for draw, index in order.items() if draw >= last_saved * BATCH}
