"""The manual: every page has its place, every command parses, and what can be run quickly is run."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import runpy
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import vode
from vode.cli.main import VERBS, main
from vode.cli.parse import later, parse
from vode.datasets.kitti.writer import write_kitti_sequence
from vode.errors import InputError
from vode.io.image import write_image
from vode.io.video_writer import write_video
from vode.recipes import RECIPES
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
BESIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
PAGES = [*BESIDE, *sorted(DOCS.glob("**/*.md"))]
SCRIPTS = {"train.py": ["train"], "evaluate_depth.py": ["depth"], "evaluate_odom.py": ["odom"]}
OUTSIDE = {
    *(".", ".ci/run", "apptainer", "cd", "colcon", "curl", "docker", "ffmpeg", "git", "gst-launch-1.0", "kill"),
    *("lint-imports", "mkdir", "mkdocs", "mypy", "pip", "pre-commit", "pytest", "python", "python3", "ros2", "ruff"),
    *("sbatch", "scancel", "singularity", "sky", "source", "squeue", "srun", "tensorboard", "twine"),
}
"""Programs that pages may name besides our own."""
KNOWN = {*OUTSIDE, "vode", "torchrun"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fenced(page: Path, *languages: str) -> list[str]:
    """The fenced blocks in one of these languages, "" being none."""
    blocks = re.findall(r"^```([\w-]*)[^\n]*\n(.*?)^```", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [block for language, block in blocks if language in languages]


def without_fences(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def command_blocks(page: Path) -> list[str]:
    """Blocks of commands: those that say so, and those without a language that begin with a program."""
    indented = re.findall(r"(?<=\n\n)(?:    [^\n]*\n)+", without_fences(page))
    unnamed = [textwrap.dedent(block) for block in indented] + fenced(page, "")
    return fenced(page, "bash", "sh") + [block for block in unnamed if block.split()[0] in KNOWN]


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command on a page, of those with choices in brackets as if all were taken."""
    lines = [line for block in command_blocks(page) for line in re.sub(r"\\\n\s*", " ", block).splitlines()]
    inline = re.findall(r"`(python (?:train|evaluate_\w+)\.py [^`]+)`", without_fences(page))
    for command in " && ".join([*lines, *inline]).split(" && "):
        bare = re.sub(r"\s#.*", "", f" {command}").strip()
        if bare and "[RECIPE]" not in bare:
            yield shlex.split(re.sub(r"\[(--[^]]*)\]", r"\1", bare), comments=True)


def our_arguments(words: list[str]) -> list[str] | None:
    """The arguments of ``vode`` that a command stands for, or None."""
    if words[0] == "vode":
        return words[1:]
    script = words[words.index("--") + 1 :] if words[0] == "torchrun" and "--" in words else words[1:]
    if words[0] in ("python", "torchrun") and script and script[0] in SCRIPTS:
        return SCRIPTS[script[0]] + script[1:]
    return None


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that end where they would begin."""
    train = importlib.import_module("vode.pipelines.train")
    for name in ("train", "resume"):
        monkeypatch.setattr(train, name, lambda *_, **__: (Path(), {"loss": 0.0}))


@functools.cache
def check(*arguments: str) -> None:
    """Parse a command of ours as the command line does, without carrying it out."""
    verb = " ".join(arguments[: 2 if " ".join(arguments[:2]) in VERBS else 1])
    assert verb in (*VERBS, "--help", "--version"), verb
    if "--help" in arguments or "--version" in arguments:
        return
    if verb == "train":
        assert main(arguments) == 0
    else:
        module, _, function = VERBS[verb][0].partition(":")
        target = getattr(importlib.import_module(module), function)
        parse(later(target), list(arguments[len(verb.split()) :]), verb)


@pytest.mark.parametrize("page", PAGES, ids=named)
@pytest.mark.usefixtures("untrained")
def test_every_command_of_a_page_parses(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(page):
        assert words[0] in KNOWN, words
        arguments = our_arguments(words)
        if arguments is not None:
            check(*arguments)
        elif words[0] == "python" and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), words
    assert capsys.readouterr().err == ""


def test_what_is_wrong_in_a_command_is_found() -> None:
    for wrong in ("odom RUN --no-such-option", "run walk.mp4 --fov wide", "no-such-verb"):
        with pytest.raises((InputError, AssertionError)):
            check(*wrong.split())


def test_commands_are_found() -> None:
    assert ["vode", "run", "walk.mp4", "--fov", "65"] in list(commands(DOCS / "start.md"))
    assert sum(our_arguments(words) is not None for page in PAGES for words in commands(page)) > 100


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_of_a_page_compiles_and_its_names_are_there(page: Path) -> None:
    for block in fenced(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vode"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vode":
                assert hasattr(vode, node.attr), ast.unparse(node)


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that pages speak of, three frames each, to work in."""
    world = WorldSequence(3, WorldOptions(size=(96, 160), frames=3))
    frames = [world.frame(i) for i in range(3)]
    for name in ("walk.mp4", "videos/walk.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_video(tmp_path / name, frames)
    (tmp_path / "walk").mkdir()
    for i, frame in enumerate(frames):
        write_image(tmp_path / "walk" / f"{i:06d}.png", frame)
    trajectory = vode.Trajectory(world.poses.numpy(), world.timestamps.numpy())
    (tmp_path / "walk-run").mkdir()
    for name in ("truth.tum", "walk-run/trajectory.tum", "orb_slam.tum"):
        trajectory.write_tum(tmp_path / name)
    write_kitti_sequence(tmp_path / "KITTI", "00", 2, frames, world.intrinsics)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("page", "begin", "made"),
    [
        ("start.md", "vode data check --dataset kitti-odom", "KITTI"),
        ("start.md", "vode prepare --dataset folder", "prepared"),
        ("metric-scale.md", "vode odom --estimate", "truth.tum"),
        ("other-depth.md", "vode odom --no-depth", "walk"),
    ],
)
def test_commands_do_what_the_page_says(page: str, begin: str, made: str, walk: Path) -> None:
    (command,) = [words for words in commands(DOCS / page) if shlex.join(words).startswith(begin)]
    assert main(command[1:]) == 0
    assert (walk / made).exists()


@pytest.mark.usefixtures("walk")
def test_python_of_a_page_runs() -> None:
    with torch.no_grad():
        exec("\n".join(fenced(DOCS / "other-depth.md", "python")), {})
    assert len(vode.read_trajectory("walk.txt")) == 3


def test_every_page_has_its_place_in_the_navigation() -> None:
    listed = re.findall(
        r"^ +- (?:[^:\n]+: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), flags=re.MULTILINE
    )
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.glob("**/*.md")}
    assert len(listed) == len(set(listed))
    assert set(listed) == pages | set(hooks()["BESIDE"].values())


def hooks() -> dict[str, Any]:
    """The names of docs/tools/hooks.py, without the packages that build the site."""
    tree = ast.parse((DOCS / "tools" / "hooks.py").read_text("utf-8"))
    values = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
    return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in values}


def test_the_table_of_recipes_is_that_of_the_recipes() -> None:
    made = runpy.run_path(str(DOCS / "tools" / "make_recipes.py"))
    page = (DOCS / "recipes.md").read_text("utf-8")
    assert made["with_table"](page) == page
    advised = set(re.findall(r"`([\w-]+)`", page.split("## Which one")[1]))
    assert set(RECIPES) <= advised


def test_the_reference_has_every_public_name_and_module() -> None:
    text = "".join(path.read_text("utf-8") for path in (DOCS / "api").glob("*.md"))
    documented = re.findall(r"^::: ([\w.]+)$", text, flags=re.MULTILINE)
    assert len(documented) == len(set(documented))
    for name in documented:
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or path.is_dir() or path.parent.with_suffix(".py").exists(), name
    for name in set(vode.__all__) - {"__version__"}:
        home = f"{getattr(vode, name).__module__}.{name}"
        assert f"[{home}]" in text or f"::: {home}\n" in text, home


def test_figures_are_small_and_shown() -> None:
    figures = list((DOCS / "figures").iterdir())
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert sum(path.stat().st_size for path in figures) < 600_000
    assert {path.name for path in figures} == set(re.findall(r"\(figures/([\w.-]+)\)", text))
