"""What mkdocs needs besides its configuration: pages from beside docs/, and formulas that need no script."""

from __future__ import annotations

import html
import logging
import os
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

LOG = logging.getLogger("mkdocs.hooks")
ROOT = Path(__file__).resolve().parents[2]
BESIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "integrations/ros2/README.md": "ros2.md",
    "vode/weights/vode-small/card.md": "vode-small.md",
}
"""Pages of the repository that are pages of the site, and what they are called there."""
ELSEWHERE = re.compile(
    r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//|<link\b[^>]*"stylesheet"[^>]*"(?:https?:)?//'
)
"""What a page would load from another machine."""


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that stand beside docs/, and the files to take away that pages link to."""
    linked = sorted((ROOT / "integrations" / "clusters").iterdir())
    beside = BESIDE | {path.relative_to(ROOT).as_posix(): path.relative_to(ROOT).as_posix() for path in linked}
    for path, name in beside.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Turn links that hold in the repository, where all pages are read too, into those that hold on the site."""
    source, folder = Path(page.file.abs_src_path), os.path.dirname(page.file.src_uri)

    def on_site(match: re.Match[str]) -> str:
        target = (source.parent / match[1]).resolve().relative_to(ROOT).as_posix()
        name = BESIDE.get(target, target.removeprefix("docs/"))
        return f"]({os.path.relpath(name, folder or '.')}{match[2] or ''})"

    return re.sub(r"\]\(([^)#\s:]+)(#[^)\s]*)?\)", on_site, markdown)


def on_page_content(content: str, *, page: Any, **_: Any) -> str:
    """Make MathML of the formulas, which browsers draw by themselves."""

    def drawn(match: re.Match[str]) -> str:
        tag, formula = match[1], html.unescape(match[2].strip())[2:-2]
        made = convert(formula, display="block" if tag == "div" else "inline")
        if "\\" in made:
            LOG.warning("%s: not all of a formula is understood: %s", page.file.src_uri, formula)
        return f'<{tag} class="formula">{made}</{tag}>'

    return re.sub(r'<(span|div) class="arithmatex">(.*?)</\1>', drawn, content, flags=re.DOTALL)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Warn, which fails a strict build, of a page that is not whole without a network."""
    for found in ELSEWHERE.findall(output):
        LOG.warning("%s loads something from elsewhere: %s", page.file.src_uri, found)
    return output
