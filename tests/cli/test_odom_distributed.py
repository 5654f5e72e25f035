"""``vode odom`` as torchrun starts it: the table and files of one process, made by two."""

import json
import subprocess
import sys

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
with socket.socket() as one, socket.socket() as other:
    for listener in (one, other):
        listener.bind(("127.0.0.1", 0))
    ports = [listener.getsockname()[1] for listener in (one, other)]
children = []
for size, rank, chunks in ((1, 0, False), (2, 0, False), (2, 1, False), (1, 0, True), (2, 0, True), (2, 1, True)):
    child = os.fork()
    if child == 0:
        group = {"WORLD_SIZE": size, "RANK": rank, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1"}
        group["MASTER_PORT"] = ports[chunks]
        os.environ.update({name: str(value) for name, value in group.items()})
        name = f"chunks{size}" if chunks else f"{size}"
        sys.stdout = open(root / f"{name}-{rank}.txt", "w")
        more = ["--chunk", "6", "--overlap", "3"] if chunks else []
        out = ["--out", str(root / name), "--json", str(root / f"{name}.json")]
        status = main(["odom", *arguments, *more, *out])
        sys.stdout.close()
        os._exit(status)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


@pytest.fixture
def data(tmp_path):
    """Sequences of a texture that moves, of several lengths."""
    torch.manual_seed(0)
    texture = torch.nn.functional.interpolate(torch.rand(1, 3, 20, 40), size=(90, 160), mode="bilinear")[0]
    matrix = torch.tensor([[80.0, 0, 47.5], [0, 80, 31.5], [0, 0, 1]])
    for name, count in (("03", 9), ("04", 3), ("05", 4)):
        images = torch.stack([texture[:, 2 * i : 2 * i + 64, 3 * i : 3 * i + 96] for i in range(count)])
        poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
        poses[:, 0, 3] = 0.1 * torch.arange(count)
        write_kitti_sequence(tmp_path / "kitti", name, 0, images, matrix, 0.1 * torch.arange(count), GroundTruth(poses))
    return tmp_path / "kitti"


@pytest.fixture
def tracked(data, tmp_path):
    """A function that reads what each of the processes said, by one and by two."""
    script = tmp_path / "both.py"
    script.write_text(BOTH)
    options = f"--no-depth --data {data} --sequences 05 03 04 --camera 0 --device cpu --alignment none".split()
    command = [sys.executable, str(script), str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return lambda prefix: ((tmp_path / f"{prefix}{name}.txt").read_text() for name in ("1-0", "2-0", "2-1"))


def test_two_processes_give_the_table_and_files_of_one(tracked, tmp_path):
    report = "\nvode, sequence 05"
    for prefix in ("", "chunks"):
        one, first, second = tracked(prefix)
        assert first.partition(report)[1:] == one.partition(report)[1:]
        assert report in one
        assert report not in second
        # the longest alone, the others together
        assert [f"{name}.txt: " in first for name in ("05", "03", "04")] == [False, True, False]
        assert [f"{name}.txt: " in second for name in ("05", "03", "04")] == [True, False, True]
        assert "03.txt: 9 poses; 8 motions" in first
        assert ("; 2 chunks joined" in first) == bool(prefix)
        results = [json.loads((tmp_path / f"{prefix}{count}.json").read_text()) for count in "12"]
        assert list(results[0]["sequences"]) == ["05", "03", "04"]
        assert results[0] == results[1]
        for name in ("03", "04", "05"):
            poses, logs = (
                [(tmp_path / f"{prefix}{count}" / f"{name}{suffix}").read_text() for count in "12"]
                for suffix in (".txt", ".log.jsonl")
            )
            assert poses[0] == poses[1]
            assert logs[0] == logs[1]
            assert [json.loads(line)["frame"] for line in logs[0].splitlines()] == list(range(poses[0].count("\n")))
        assert (tmp_path / f"{prefix}2" / "drawn.txt").read_text() == "once\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--chunk 50 --overlap 2", "an overlap of 2 frames; to join chunks takes 3 or more (--overlap)"),
        ("--chunk 50", "chunks of 50 frames that overlap by 30; give at least twice as many (--chunk, --overlap)"),
        ("--chunk 99 --loops", "loops are of a sequence in one pass; leave out the chunks (--loops, --chunk)"),
        (
            "--chunk 99 --refine global",
            "global refinement is of a sequence in one pass; leave out the chunks (--refine, --chunk)",
        ),
    ],
)
def test_chunks_that_cannot_be_are_refused_in_a_line(refused, options, message):
    assert refused("odom", "vode-small", *options.split()) == f"vode: {message}"
