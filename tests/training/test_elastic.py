"""A job of two machines of which one is lost: the run goes on with the other, as one process would have it."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

STEPS, SAVED, LOST, BATCH = 6, 3, 4, 2
"""steps of the run, from one checkpoint to the next, and before a machine is lost; samples a step"""
OPTIONS = (
    f"world --sequences 0 --size 64 96 --world.frames 5 --batch {BATCH} --stages flow --flow-stage.steps {STEPS} "
    f"--flow-stage.learning-rate 1e-4 --device cpu --precision float32 --log-every 1 --save-every {SAVED}"
).split()
# A machine is torchrun with its own options. All processes are forked from one, which imports and renders for them.
MACHINES = f"""
import os, signal, sys
from pathlib import Path
from torch.distributed.launcher.api import elastic_launch
from torch.distributed.run import config_from_args, parse_args
from vode.cli import main
from vode.training import video
from vode.training.clip_dataset import ClipDataset
from vode.training.step import Stepper

root, options = Path(sys.argv[1]), {OPTIONS}
read, step = ClipDataset.__getitem__, Stepper.__call__

def written(self, index):
    with open(root / f"{{os.environ.get('WORLD_SIZE', 'whole')}}-{{os.environ.get('RANK', 0)}}.txt", "a") as file:
        print(*index, file=file)
    return read(self, index)

def until_lost(self, batches, number):
    if number == {LOST} and os.environ.get("WORLD_SIZE") == "2" and "DIES" in os.environ:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batches, number)

def work(*more):
    assert main(["train", *options, *more]) == 0

def machine(hosts):
    # one that is silent for six seconds is lost
    patience = "keep_alive_interval=1,keep_alive_max_attempt=6,last_call_timeout=3"
    config, _, _ = config_from_args(parse_args([
        *("--nnodes=1:2", "--nproc-per-node=1", "--max-restarts=3", "--start-method=fork"),
        *("--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{{sys.argv[2]}}", "--rdzv-id=job"),
        *(f"--rdzv-conf=is_host={{int(hosts)}},{{patience}}", "train.py"),
    ]))
    elastic_launch(config, work)("--run", str(root / "run"), "--existing", "resume")

ClipDataset.__getitem__, Stepper.__call__, video.score_run = written, until_lost, lambda *_: {{}}
work("--run", str(root / "whole"))
# what is said last comes last in the file, and no child says again what is buffered
sys.stdout.flush()
children = []
for dies in (False, True):
    children.append(os.fork())
    if children[-1] == 0:
        os.environ.update({{"DIES": "1"}} if dies else {{}})
        machine(hosts=not dies)
        os._exit(0)
print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), file=sys.stderr)
"""


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
def ended(tmp_path):
    """How the machine that stays and the one that dies ended, after a run of one process, and what was said."""
    (tmp_path / "machines.py").write_text(MACHINES)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    command = [sys.executable, tmp_path / "machines.py", tmp_path, str(free_port())]
    with (tmp_path / "said.txt").open("w") as said:
        job = subprocess.Popen(command, stdout=said, stderr=said, env=environment, start_new_session=True)
        try:
            job.wait(timeout=280)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)
    lines = (tmp_path / "said.txt").read_text().splitlines()
    return lines[-1], "\n".join(lines)


def test_a_run_goes_on_with_the_machine_that_is_left(tmp_path, ended):
    last, said = ended
    assert last == "0 -9", said
    losses, order = dict(log(tmp_path / "whole")), draws(tmp_path / "whole-0.txt")
    assert len(order) == STEPS * BATCH

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
