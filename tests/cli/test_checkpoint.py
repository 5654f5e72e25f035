"""``vode import`` and ``vode export-checkpoint``."""

import pytest
import torch

from vode.cli import main
from vode.networks.checkpoints.writing import checkpoint_files
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random network in Monodepth2's layout."""
    folder = tmp_path_factory.mktemp("monodepth2")
    depth = DepthNet(DepthOptions(scales=4, upsampling="nearest"))
    for name, data in checkpoint_files("monodepth2", depth, FlowNet(), (64, 96)).items():
        (folder / name).write_bytes(data)
    return folder


def test_weights_come_in_are_evaluated_and_go_out(folder, tmp_path, capsys):
    files = [str(folder / name) for name in ("encoder.pth", "depth.pth")]
    run = str(tmp_path / "run")
    assert main(["import", *files, "--as", "monodepth2", "--out", run]) == 0
    assert "that of vode-small is taken" in capsys.readouterr().out
    assert main(["depth", run, "--device", "cpu", "--worst", "0"]) == 0
    assert "abs_rel" in capsys.readouterr().out
    assert main(["export-checkpoint", run, "--as", "monodepth2", "--out", str(tmp_path / "theirs")]) == 0
    assert [line.rsplit("/")[-1] for line in capsys.readouterr().out.split()] == ["encoder.pth", "depth.pth"]
    for name in ("encoder.pth", "depth.pth"):
        before, after = (torch.load(where / name, weights_only=True) for where in (folder, tmp_path / "theirs"))
        assert all(torch.equal(torch.as_tensor(after[key]), torch.as_tensor(value)) for key, value in before.items())


def test_what_does_not_fit_is_refused(folder, tmp_path, refused):
    out, run = tmp_path / "out", tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    assert "not of trianflow" in refused("import", folder, "--as", "trianflow", "--out", out)
    assert "depth.pth" in refused("import", folder / "encoder.pth", "--out", out)
    assert "nothing.pth: no such weights" in refused("import", tmp_path / "nothing.pth", "--out", out)
    assert "--out" in refused("import", folder, "--out", run)
    assert "--size" in refused("import", folder, "--out", out, "--size", "0", "640")
    assert "no-run: no such run" in refused("import", folder, "--out", out, "--beside", tmp_path / "no-run")
    assert "depth.encoder" in refused("export-checkpoint", "vode-small", "--as", "trianflow", "--out", out)
    assert "depth.scales" in refused("export-checkpoint", "vode-small", "--as", "monodepth2", "--out", out)
    assert not out.exists()
