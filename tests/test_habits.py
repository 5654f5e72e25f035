"""The shape of the project: sizes, docstrings and links, judged from its files alone."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "vode").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("benchmarks/*.md"))]

MOST_MODULES, MOST_LINES, MOST_PARAMETERS, MOST_README = 15, 300, 7, 200

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def public(name: str) -> bool:
    return not name.startswith("_")


def definitions(tree: ast.Module) -> Iterator[tuple[str, Definition, ast.ClassDef | None]]:
    """Every public function and class of a module, and every public method and ``__init__`` of its classes."""

    def inside(body: list[ast.stmt], prefix: str, owner: ast.ClassDef | None) -> Iterator:
        for node in body:
            if isinstance(node, ast.If | ast.Try):
                yield from inside([*node.body, *node.orelse], prefix, owner)
            elif isinstance(node, Definition) and (public(node.name) or node.name == "__init__"):
                yield f"{prefix}{node.name}", node, owner
                if isinstance(node, ast.ClassDef):
                    yield from inside(node.body, f"{prefix}{node.name}.", node)

    yield from inside(tree.body, "", None)


def every_definition() -> Iterator[tuple[str, Definition, ast.ClassDef | None]]:
    for path in MODULES:
        for name, node, owner in definitions(ast.parse(path.read_text("utf-8"))):
            yield f"{named(path)}:{node.lineno} {name}", node, owner


def decorated(node: Definition, *names: str) -> bool:
    return any(ast.unparse(decorator).split("(")[0].split(".")[-1] in names for decorator in node.decorator_list)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> int:
    """How many parameters a caller sees: without the ``self`` or ``cls`` of a bound method."""
    all_of_them = function.args
    count = len(all_of_them.posonlyargs) + len(all_of_them.args) + len(all_of_them.kwonlyargs)
    return count + sum(extra is not None for extra in (all_of_them.vararg, all_of_them.kwarg)) - bound


def test_packages_are_narrow() -> None:
    packages = {path.parent for path in MODULES}
    count = {named(p): sum(m.parent == p and m.name != "__init__.py" for m in MODULES) for p in packages}
    assert {package: n for package, n in count.items() if n > MOST_MODULES} == {}


def test_files_are_short() -> None:
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in [*MODULES, *TESTS]}
    assert {path: n for path, n in lines.items() if n > MOST_LINES} == {}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= MOST_README


def test_public_functions_have_few_parameters() -> None:
    counts = {
        name: parameters(node, bound=owner is not None and not decorated(node, "staticmethod"))
        for name, node, owner in every_definition()
        if not isinstance(node, ast.ClassDef)
    }
    assert len(counts) > 500
    assert {name: n for name, n in counts.items() if n > MOST_PARAMETERS} == {}


def test_public_callables_have_docstrings() -> None:
    lacking = [
        name
        for name, node, owner in every_definition()
        if ast.get_docstring(node) is None and node.name != "__init__" and not (owner and inherits_docstring(name))
    ]
    assert lacking == []


def inherits_docstring(name: str) -> bool:
    """Whether a method has its documentation from the contract that it implements."""
    path, _, dotted = name.partition(" ")
    found: object = importlib.import_module(path.split(".py:")[0].replace("/", "."))
    for part in dotted.split("."):
        found = inspect.getattr_static(found, part)
    return inspect.getdoc(getattr(found, "__func__", found)) is not None


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_page_of_the_manual_is_linked_from_its_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    pages = {path.resolve() for path in (ROOT / "docs").glob("**/*.md")} - {index.resolve()}
    assert pages
    assert pages - linked == set()


def test_the_layers_of_the_architecture_page_are_those_of_the_contract() -> None:
    contract = (ROOT / "setup.cfg").read_text("utf-8").split("[importlinter:contract:layers]")[1]
    layers = re.findall(r"^    (.+)$", contract.split("layers =\n")[1].split("\n\n")[0], flags=re.MULTILINE)
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("## Layers")[1].split("\n## ")[0]
    drawn = re.findall(r"^    ((?:\w+ \| )*\w+)(?:  .*)?$", page, flags=re.MULTILINE)
    assert drawn == [layer.strip() for layer in layers]


def test_the_table_of_verbs_is_that_of_the_command_line() -> None:
    from vode.cli.main import VERBS

    rows = re.findall(r"^\| `vode ([a-z]+(?:[ -][a-z]+)*)", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE)
    assert set(rows) == set(VERBS)
