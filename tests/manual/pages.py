"""The pages of the manual, and the commands on them."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vode.cli.main import VERBS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BESIDE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
PAGES = [*BESIDE, *sorted(DOCS.glob("**/*.md"))]
SCRIPTS = {"train.py": ["train"], "evaluate_depth.py": ["depth"], "evaluate_odom.py": ["odom"]}
NOT_OURS = {
    **dict.fromkeys((".", "cd"), "of a shell"),
    **dict.fromkeys(("git", "pip", "python3"), "fetch or install something"),
    **dict.fromkeys((".ci/run", "lint-imports", "mkdocs", "mypy", "pre-commit", "ruff"), "check the whole checkout"),
    "python": "runs all tests, or inputs by the thousand, of which tests/test_fuzz.py takes some",
    **dict.fromkeys(("docker", "gst-launch-1.0", "ros2", "sbatch", "sky"), "others' programs, which are not here"),
    "tensorboard": "a server, which does not end",
}
"""Programs on pages besides our own, none of which the tests run, and why."""
KNOWN = {*NOT_OURS, "vode", "torchrun"}


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


def verb_of(arguments: list[str]) -> str:
    """The one or two words that say what is done."""
    return " ".join(arguments[: 2 if " ".join(arguments[:2]) in VERBS else 1])


@cache
def our_commands() -> tuple[str, ...]:
    """The arguments of every command of ours, once each, in the order of the pages."""
    found = (our_arguments(words) for page in PAGES for words in commands(page))
    return tuple(dict.fromkeys(shlex.join(arguments) for arguments in found if arguments is not None))
