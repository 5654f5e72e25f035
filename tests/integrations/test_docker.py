"""The Dockerfile, as far as it can be judged without a daemon: what it copies is there, and its commands parse."""

import configparser
import fnmatch
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from vode.cli.parse import later, parse
from vode.cli.run import run
from vode.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def steps():
    """(instruction, arguments) of the Dockerfile, in order."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def copied(steps):
    """Sources of COPY from the context."""
    for instruction, arguments in steps:
        if instruction == "COPY" and "--from" not in arguments:
            yield from shlex.split(arguments)[:-1]


def sent(name):
    """Whether .dockerignore lets a file or folder at the top of the context through: the last pattern that fits."""
    lines = [x for x in (ROOT / ".dockerignore").read_text().splitlines() if x and not x.startswith("#")]
    fitting = [x for x in lines if fnmatch.fnmatch(name, x.lstrip("!"))]
    return not fitting or fitting[-1].startswith("!")


def test_what_is_copied_is_there_and_is_sent(steps):
    sources = list(copied(steps))
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert sent(source), source
    others = {path.name for path in ROOT.iterdir()} - set(sources)
    assert [name for name in others if sent(name)] == []


def test_all_that_the_package_is_built_of_is_copied(steps):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    metadata = settings["metadata"]
    needed = {"setup.py", "setup.cfg", "pyproject.toml", "vode", "splits"}
    needed |= {pattern.split("/")[0] for pattern in metadata["license_files"].split()}
    needed.add(metadata["long_description"].removeprefix("file:").strip())
    assert needed <= set(copied(steps))
    extras = {
        x for _, arguments in steps for group in re.findall(r"\.\[([\w,]+)\]", arguments) for x in group.split(",")
    }
    assert extras <= set(settings["options.extras_require"])


def test_the_python_of_both_stages_is_one_that_is_tested(steps):
    images = {arguments.split()[0] for instruction, arguments in steps if instruction == "FROM"}
    (image,) = images
    version = re.fullmatch(r"python:(3\.\d+)-slim", image)[1]
    assert f"Programming Language :: Python :: {version}" in (ROOT / "setup.cfg").read_text()


def test_it_runs_as_nobody_in_particular(steps):
    users = [arguments for instruction, arguments in steps if instruction == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    made = [arguments for instruction, arguments in steps if instruction == "RUN" and "useradd" in arguments]
    assert made[-1].split()[-1] == users[-1]


def documented():
    """Arguments to the entry of each line for docker, and for a shell, of the page."""
    text = re.sub(r"\\\n", " ", (ROOT / "docs" / "robots.md").read_text())
    for line in re.findall(r"^    (.+)$", text, flags=re.MULTILINE):
        words = shlex.split(line.replace("$(", "").replace(")", "").replace("&&", ";"))
        if words[:2] == ["vode", "run"]:
            yield words[2:]
        elif "docker" in words and "run" in words and "vode" in words:
            yield words[words.index("vode") + 1 :]


def test_the_entry_and_every_line_of_the_page_parse(steps):
    entries = [json.loads(arguments) for instruction, arguments in steps if instruction == "ENTRYPOINT"]
    assert entries == [["vode", "run"]]
    defaults = [json.loads(arguments) for instruction, arguments in steps if instruction == "CMD"]
    with pytest.raises(SystemExit) as ended:
        parse(later(run), defaults[0], "run")
    assert ended.value.code == 0
    lines = list(documented())
    assert len(lines) == 5
    for line in lines:
        parse(later(run), line, "run")
    with pytest.raises((InputError, SystemExit)):
        parse(later(run), [*lines[0], "--no-such-option"], "run")


def test_compose_builds_this_image_and_mounts_where_it_works(steps):
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["vode"]
    (work,) = [arguments for instruction, arguments in steps if instruction == "WORKDIR"][-1:]
    assert service["build"] == "."
    assert service["volumes"][0].endswith(f":{work}")
    assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (True, "/tmp", ["ALL"])
