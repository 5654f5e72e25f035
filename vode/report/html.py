"""Markup that is safe by construction: whatever is filled in is escaped, unless it is markup already."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path, PurePosixPath
from string import Template
from typing import Any
from urllib.parse import quote

MOST_BYTES = 60_000
"""of one picture that is put into a page"""


class Html(str):
    """Markup that ``fill`` inserts as it is."""

    __slots__ = ()


EMPTY = Html("")


def fill(template: str, /, **values: object) -> Html:
    """A ``string.Template`` with its values: text and numbers are escaped, Html and lists of Html are not."""
    return Html(Template(template).substitute({name: _inserted(value) for name, value in values.items()}))


def join(parts: Iterable[object]) -> Html:
    """Parts one after the other, escaped like values of ``fill``."""
    return Html("".join(_inserted(part) for part in parts))


def table(rows: Mapping[str, object]) -> Html:
    """A list of terms and what they are; rows of None or an empty text are left out."""
    known = {term: value for term, value in rows.items() if value is not None and value != ""}
    items = [fill("<div><dt>$term</dt><dd>$value</dd></div>", term=term, value=value) for term, value in known.items()]
    return fill('<dl class="facts-list">$items</dl>', items=items)


def picture(path: Path, alternative: str) -> Html | None:
    """An image element that holds a JPEG or PNG file itself; None for one that is missing, too large or neither."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        return None
    if len(data) > MOST_BYTES or not data.startswith((b"\xff\xd8", b"\x89PNG")):
        return None
    return embedded(data, alternative)


def embedded(data: bytes, alternative: str) -> Html:
    """An image element that holds the bytes of a JPEG or PNG file."""
    kind = "jpeg" if data.startswith(b"\xff\xd8") else "png"
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    # decoded at once: pictures that a reader has not scrolled to are printed too
    return fill('<img src="$source" alt="$alternative" decoding="sync">', source=source, alternative=alternative)


def link(target: object) -> Html:
    """A link to a file beside the page; plain text for anything that leads elsewhere."""
    text = str(target)
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        return fill("$text", text=text)
    return fill('<a href="$href">$text</a>', href=quote(path.as_posix()), text=text)


def number(value: float, digits: int = 3) -> str:
    """A number with as many digits as matter, thousands apart; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    places = 0 if value == 0 else max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{places}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _inserted(value: object) -> Any:
    if isinstance(value, Html):
        return value
    if isinstance(value, (list, tuple)):
        return join(value)
    return escape(str(value), quote=True)
