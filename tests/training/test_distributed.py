"""Processes that train together give what one gives, and end together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from vode.errors import InputError
from vode.training import distributed

SIZE = "64 96"
FLOW = (
    f"world --sequences 0 1 --size {SIZE} --world.frames 5 --batch 4 --stages flow --flow-stage.steps 8 "
    "--flow-stage.learning-rate 1e-4 --device cpu --precision float32 --log-every 1 --depth.encoder test_efficientnet"
).split()


def torchrun(count, *arguments):
    """What that many processes print, their exit status."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), "--standalone", "--"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=280, env=environment, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def entry(tmp_path):
    """A script that trains small networks, without the score at the end, which takes longer than the training."""
    path = tmp_path / "entry.py"
    path.write_text(
        "import sys\nfrom vode.cli import main\nfrom vode.networks import flow\nfrom vode.training import video\n"
        "flow.PYRAMID, flow.DECODER, flow.CONTEXT = (8,) * 6, (8,) * 5, ((8, 1), (8, 2))\n"
        "video.score_run = lambda *_: {}\nsys.exit(main(['train', *sys.argv[1:]]))\n"
    )
    return str(path)


def losses(folder: Path):
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_one_and_two_processes_have_the_same_losses(entry, tmp_path):
    for count in (1, 2):
        status, said = torchrun(count, entry, *FLOW, "--run", str(tmp_path / str(count)))
        assert status == 0, said
    one, two = (losses(tmp_path / str(count)) for count in (1, 2))
    assert len(one) == len(two) == 8
    assert max(abs(a - b) for a, b in zip(one, two, strict=True)) < 1e-5
    assert one[0] != one[-1]
    assert len(list((tmp_path / "2" / "tensorboard").iterdir())) == 1


def test_a_process_that_fails_ends_the_job_with_its_error(entry, tmp_path):
    script = tmp_path / "fail.py"
    script.write_text(
        "import os\nfrom vode.world.sequence import WorldSequence\nfrom vode.errors import InputError\n"
        "def broken(self, i):\n    raise InputError('image.png: the image is cut short; copy it again')\n"
        "if os.environ['RANK'] == '1':\n    WorldSequence._levels = broken\n" + Path(entry).read_text()
    )
    status, said = torchrun(2, str(script), *FLOW, "--run", str(tmp_path / "run"))
    assert status != 0
    assert "vode: image.png: the image is cut short; copy it again" in said
    assert "Traceback (most recent call last)" not in said.partition("ChildFailedError")[0].partition("vode: ")[0]


NORMALISE = """
import sys
from pathlib import Path
import torch
from torch import nn
from vode.training import distributed
folder = Path(sys.argv[1])
group = distributed.join("cpu")
torch.manual_seed(0)
network = distributed.share_statistics(nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)), group)
assert distributed.any_of(group.rank == 1)
assert not distributed.any_of(False)
assert distributed.broadcast(f"of {group.rank}") == "of 0"
assert distributed.mean(torch.tensor(float(group.rank))) == 0.5
images = torch.load(folder / "images.pt").chunk(2)[group.rank]
wrapped = distributed.wrap_ddp(network, group)
wrapped(images).square().mul(torch.arange(3.0).view(3, 1, 1)).mean().backward()
result = {name: p.grad for name, p in network.named_parameters()} | dict(network.named_buffers())
torch.save(result, folder / f"{group.rank}.pt")
distributed.leave()
"""


def test_statistics_and_gradients_are_those_of_the_whole_batch(tmp_path):
    torch.manual_seed(1)
    images = torch.randn(6, 2, 5, 7) * 3 + 1
    torch.save(images, tmp_path / "images.pt")
    (tmp_path / "normalise.py").write_text(NORMALISE)
    status, said = torchrun(2, str(tmp_path / "normalise.py"), str(tmp_path))
    assert status == 0, said
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    network(images).square().mul(torch.arange(3.0).view(3, 1, 1)).mean().backward()
    expected = {name: p.grad for name, p in network.named_parameters()} | dict(network.named_buffers())
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)


def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "7")
    with pytest.raises(InputError, match="GPUs for process 7 of this machine"):
        distributed.join("cuda")


@pytest.mark.parametrize(
    ("sizes", "count", "parts"),
    [
        ([4, 4, 4], 1, [[0, 1, 2]]),
        ([10, 30, 20, 5], 2, [[1, 3], [0, 2]]),
        ([7], 3, [[0], [], []]),
        ([], 2, [[], []]),
    ],
)
def test_work_is_divided_into_parts_of_about_one_length(sizes, count, parts):
    assert distributed.balanced(sizes, count) == parts


def test_one_process_gathers_its_own_value():
    assert distributed.gather({"a": 1}) == [{"a": 1}]
