"""The report on an installation: right where this one is known, and whole where packages are missing or broken."""

import json
import platform
import sys
from importlib.metadata import version

import pytest
import torch

from vode.cli.main import main
from vode.pipelines import doctor

STATED = ["numpy>=1", 'vode-no-such>=2; extra == "odd"', 'vode-broken; extra == "odd"', 'numpy<1; extra == "old"']


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An installation whose extra "odd" has a package that is missing, and one that raises when it is imported."""
    site = tmp_path / "site"
    (site / "vode_broken-3.dist-info").mkdir(parents=True)
    (site / "vode_broken-3.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: vode-broken\nVersion: 3\n")
    (site / "vode_broken-3.dist-info" / "top_level.txt").write_text("vode_broken\n")
    (site / "vode_broken.py").write_text("raise RuntimeError('built for\\nanother processor')\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(doctor, "requires", lambda name: STATED)


def test_versions_devices_and_codecs_are_those_of_this_machine(installation):
    found = doctor.diagnose()
    assert found.python == platform.python_version()
    assert found.packages == (doctor.Package("numpy", ">=1", version("numpy"), "ok"),)
    assert found.devices[0] == "cpu"
    assert len(found.devices) == 1 + torch.cuda.device_count()
    assert found.cpu["threads of torch"] == torch.get_num_threads()
    assert found.codecs["h264"]
    assert "vode-small" in found.weights
    assert found.problems == ()


def test_what_an_extra_lacks_is_told_with_its_command(installation):
    odd, old = doctor.diagnose().extras
    missing, broken = odd.packages
    assert (missing.name, missing.status, missing.found) == ("vode-no-such", "missing", None)
    assert (broken.status, broken.found) == ("broken", "3")
    assert broken.problem == "RuntimeError: built for another processor"
    assert odd.install == "pip install 'vode[odd]'"
    assert old.packages[0].status == "too old or too new"


def test_a_part_that_fails_is_a_line_and_the_others_are_whole(installation, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    found = doctor.diagnose()
    assert found.codecs == {}
    assert found.cpu
    (problem,) = found.problems
    assert problem.startswith("codecs: ModuleNotFoundError")


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_verb_prints_it_and_ends_well(installation, capsys, arguments):
    assert main(["doctor", *arguments]) == 0
    told = capsys.readouterr().out
    if arguments:
        assert [extra["name"] for extra in json.loads(told)["extras"]] == ["odd", "old"]
    else:
        assert f"numpy {version('numpy')}" in told
        assert "vode-no-such missing, vode-broken 3 broken; pip install 'vode[odd]'" in told
