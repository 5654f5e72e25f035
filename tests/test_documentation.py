"""The manual: every page has its place, every command parses, and what is shown is there."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import vode
from tests.manual.pages import DOCS, NOT_OURS, PAGES, ROOT, commands, fenced, named, our_arguments, verb_of
from vode.cli.main import VERBS, main
from vode.cli.parse import later, parse
from vode.errors import InputError
from vode.recipes import RECIPES


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that end where they would begin."""
    train = importlib.import_module("vode.pipelines.train")
    for name in ("train", "resume"):
        monkeypatch.setattr(train, name, lambda *_, **__: (Path(), {"loss": 0.0}))


@functools.cache
def check(*arguments: str) -> None:
    """Parse a command of ours as the command line does, without carrying it out."""
    verb = verb_of(list(arguments))
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
        arguments = our_arguments(words)
        if arguments is not None:
            check(*arguments)
        else:
            assert words[0] in NOT_OURS, words
            assert words[0] != "python" or not words[1].endswith(".py") or (ROOT / words[1]).exists(), words
    assert capsys.readouterr().err == ""


def test_what_is_wrong_in_a_command_is_found() -> None:
    for wrong in ("odom RUN --no-such-option", "run walk.mp4 --fov wide", "no-such-verb"):
        with pytest.raises((InputError, AssertionError)):
            check(*wrong.split())


def test_programs_of_others_are_on_a_page() -> None:
    assert set(NOT_OURS) == {words[0] for page in PAGES for words in commands(page) if our_arguments(words) is None}


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
