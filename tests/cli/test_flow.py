"""``vode flow``: runs and files of flow."""

import json

import pytest
import torch

from vode.cli import main
from vode.io.flow import read_flow, write_flow


def test_flow_of_a_run_and_of_files(run, kitti, tmp_path, capfd, refused):
    where = ["--data", str(kitti), "--sequences", "03", "--camera", "0"]
    file, out = tmp_path / "flow.json", tmp_path / "out"
    assert main(["flow", str(run)]) == 0
    assert main(["flow", str(run), *where, "--out", str(out), "--json", str(file)]) == 0
    assert {"flow_epe_px", "fl_percent"} <= json.loads(file.read_text()).keys()
    assert {entry.name for entry in out.iterdir()} == {"03.png", "wheel.png"}
    ground_truths, estimates = kitti / "sequences" / "03" / "flow_0", tmp_path / "estimates"
    estimates.mkdir()
    for ground_truth in ground_truths.iterdir():
        flow, valid = read_flow(ground_truth)
        write_flow(estimates / f"{ground_truth.stem}.flo", flow + torch.tensor([3.0, 4.0]).view(2, 1, 1), valid + 1)
    assert main(["flow", "--estimate", str(estimates), "--ground-truth", str(ground_truths), "--json", str(file)]) == 0
    assert json.loads(file.read_text())["flow_epe_px"] == pytest.approx(5, abs=1e-4)
    one = [
        "--estimate",
        estimates / "000001.flo",
        "--ground-truth",
        ground_truths / "000000.png",
        "--noc",
        ground_truths / "000000.png",
    ]
    assert main(["flow", *map(str, one)]) == 0
    assert "flow_noc_epe_px" in capfd.readouterr().out
    (estimates / "000001.flo").unlink()
    assert "000001" in refused("flow", "--estimate", estimates, "--ground-truth", ground_truths)
    assert "both --estimate" in refused("flow", "--estimate", estimates)
    assert "no flow_occ" in refused("flow", run, "--data", tmp_path, "--dataset", "kitti-flow")
