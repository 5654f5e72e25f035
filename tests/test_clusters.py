"""The files for clusters: what they start, told by stand-ins for the programs of a cluster."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from vode.cli.parse import parse
from vode.cli.train import VideoArguments
from vode.recipes import recipe

FILES = Path(__file__).parent.parent / "integrations" / "clusters"
ARGUMENTS = ["kitti-odom", "--data", "/data/my KITTI", "--run", "runs/a", "--batch", "12"]
JOB = {"SLURM_JOB_ID": "42", "SLURM_JOB_NODELIST": "node[7-8]", "SLURM_JOB_NUM_NODES": "2"}


@pytest.fixture
def programs(tmp_path):
    """A folder of programs that tell how they were called, to be found before others."""
    told = 'printf "%s\\n" "$TORCH_DISABLE_SHARE_RDZV_TCP_STORE" "$@"'
    for name, what in {
        "srun": f'{told} >srun.txt; sleep "${{LASTS:-0}}"; exit "${{STATUS:-0}}"',
        "torchrun": f"{told} >torchrun.txt",
        "scontrol": 'echo "$@" >>scontrol.txt; echo node7; echo node8',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{what}\n")
        (tmp_path / name).chmod(0o755)
    return os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


def trained(words):
    """The options of the training that a line of torchrun starts, of which there may be no unknown one."""
    assert words[0] == "1"
    script, name, *options = words[words.index("--") + 1 :]
    assert script == "train.py"
    return parse(VideoArguments, options, "train", default=VideoArguments(config=recipe(name)))


def test_the_job_of_slurm_starts_torchrun_on_its_machines(tmp_path, programs):
    job = {
        "SLURM_JOB_ID": "42",
        "SLURM_JOB_NODELIST": "node[7-8]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_RESTART_COUNT": "1",
    }
    script = ["bash", str(FILES / "train.sbatch"), *ARGUMENTS]
    done = subprocess.run(script, cwd=tmp_path, env=programs | job | {"STATUS": "3"}, timeout=60, check=False)
    assert done.returncode == 3
    words = (tmp_path / "srun.txt").read_text().splitlines()
    assert words[words.index("torchrun") + 1 : words.index("--")] == [
        *("--nnodes=1:2", "--nproc-per-node=gpu", "--max-restarts=3"),
        *("--rdzv-backend=c10d", "--rdzv-endpoint=node7:29400", "--rdzv-id=42-1"),
    ]
    options = trained(words)
    assert (options.config.data, options.config.batch) == (Path("/data/my KITTI"), 12)
    assert (options.run, options.existing) == (Path("runs/a"), "resume")


def test_a_job_of_slurm_out_of_time_queues_itself_again_and_waits_for_its_end(tmp_path, programs):
    line = f"{shlex.join(['bash', str(FILES / 'train.sbatch'), *ARGUMENTS])} & job=$!"
    # the signal comes once the work has begun, which ends after it with a status of its own
    line += "; while ! [ -s srun.txt ]; do sleep 0.1; done; kill -USR1 $job; wait $job"
    environment = programs | JOB | {"LASTS": "2", "STATUS": "5"}
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, timeout=60, check=False)
    assert done.returncode == 5
    assert "requeue 42" in (tmp_path / "scontrol.txt").read_text().splitlines()


def test_the_task_of_skypilot_starts_torchrun_on_its_machines(tmp_path, programs):
    task = yaml.safe_load((FILES / "train.sky.yaml").read_text())
    assert {"name", "resources", "num_nodes", "workdir", "setup", "run"} <= task.keys()
    given = {"SKYPILOT_NODE_IPS": "10.0.0.1\n10.0.0.2", "SKYPILOT_NUM_NODES": "2", "SKYPILOT_TASK_ID": "t1"}
    subprocess.run(
        ["bash", "-c", task["run"]], cwd=tmp_path, env=programs | given | task["envs"], timeout=60, check=True
    )
    words = (tmp_path / "torchrun.txt").read_text().splitlines()
    assert {"--nnodes=1:2", "--rdzv-endpoint=10.0.0.1:29400", "--rdzv-id=t1"} <= set(words)
    options = trained(words)
    assert options.existing == "resume"
    assert any(options.run.is_relative_to(mount) for mount in task["file_mounts"])
