"""``vode odom`` as torchrun starts it: the table and files of one process, made by two."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence

# what draws is replaced, as it takes longer than the rest; the processes are forked, so that they import once
BOTH = """
import os, socket, sys
from pathlib import Path
import torch.distributed
from vode.cli import main
from vode.evaluation import comparison
from vode.pipelines import odometry

def draw(out, *others, **options):
    with open(out / "drawn.txt", "a") as file:
        file.write("once\\n")
    return []

comparison.draw = draw
root, arguments = Path(sys.argv[1]), sys.argv[2:]
with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
children = []
for size, rank in ((1, 0), (2, 0), (2, 1)):
    child = os.fork()
    if child == 0:
        group = {"WORLD_SIZE": size, "RANK": rank, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        os.environ.update({name: str(value) for name, value in group.items()})
        sys.stdout = open(root / f"{size}-{rank}.txt", "w")
        out = root / str(size)
        status = main(["odom", *arguments, "--out", str(out), "--json", str(root / f"{size}.json")])
        sys.stdout.close()
        os._exit(status)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


@pytest.fixture
def data(tmp_path):
    """Sequences of a texture that moves, of several lengths."""
    torch.manual_seed(0)
    texture = torch.nn.functional.interpolate(torch.rand(1, 3, 20, 40), size=(80, 160), mode="bilinear")[0]
    matrix = torch.tensor([[80.0, 0, 47.5], [0, 80, 31.5], [0, 0, 1]])
    for name, count in (("03", 5), ("04", 3), ("05", 3)):
        images = torch.stack([texture[:, 2 * i : 2 * i + 64, 3 * i : 3 * i + 96] for i in range(count)])
        poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
        poses[:, 0, 3] = 0.1 * torch.arange(count)
        write_kitti_sequence(tmp_path / "kitti", name, 0, images, matrix, 0.1 * torch.arange(count), GroundTruth(poses))
    return tmp_path / "kitti"


def test_two_processes_give_the_table_and_files_of_one(data, tmp_path):
    script = tmp_path / "both.py"
    script.write_text(BOTH)
    options = f"--no-depth --data {data} --sequences 05 03 04 --camera 0 --device cpu --alignment none".split()
    command = [sys.executable, str(script), str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    one, first, second = ((tmp_path / f"{name}.txt").read_text() for name in ("1-0", "2-0", "2-1"))
    report = "\nvode, sequence 05"
    assert first.partition(report)[1:] == one.partition(report)[1:]
    assert report in one
    assert report not in second
    # the longest alone, the others together
    assert [f"{name}.txt: " in first for name in ("05", "03", "04")] == [False, True, False]
    assert [f"{name}.txt: " in second for name in ("05", "03", "04")] == [True, False, True]
    results = [json.loads((tmp_path / f"{count}.json").read_text()) for count in "12"]
    assert list(results[0]["sequences"]) == ["05", "03", "04"]
    assert results[0] == results[1]
    for name in ("03", "04", "05"):
        poses = [np.loadtxt(tmp_path / count / f"{name}.txt") for count in "12"]
        assert np.array_equal(*poses)
    assert (tmp_path / "2" / "drawn.txt").read_text() == "once\n"
