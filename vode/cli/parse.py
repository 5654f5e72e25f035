"""Arguments to typed values, by tyro, and what is wrong with them in plain words."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import tyro

from vode.errors import InputError

KINDS = {"INT": "a whole number", "FLOAT": "a number", "PATH": "a path", "STR": "a word"}
"""types of values, in words"""


def parse(target: Any, argv: Sequence[str], name: str, **options: Any) -> Any:
    """What tyro makes of ``argv``; its report of a wrong option becomes one line."""
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            arguments = tyro.cli(target, args=argv, prog=f"vode {name}", return_unknown_args=False, **options)
    except SystemExit as end:
        if not end.code:
            print(told.getvalue(), end="")
            raise
        words = re.sub(r"[^\x20-\x7e]|-{4,}", " ", told.getvalue().replace("\n", " "))
        verb = name.partition(" [")[0]
        raise InputError(f"{plain(' '.join(words.split()), argv)}; vode {verb} --help tells the options") from None
    return arguments


def plain(report: str, argv: Sequence[str]) -> str:
    """What tyro reports of ``argv``, its report on one line, in plain words that name the option and the remedy."""
    if found := re.search(r"Error parsing (?P<flag>\S+): .*Argument helptext: (?:-\S+ )*(?P<kind>.*)", report):
        flag, kind = found["flag"], found["kind"]
        return f"{_as_given(flag, argv)}: give {_in_words(kind)}"
    if found := re.search(r"invalid choice .* for argument '?(?P<flag>[^\s']+)'?\. Expected one of \((.*?)\)", report):
        choices = ", ".join(x for x in re.findall(r"'([^']*)'", found[2]) if x != "None")
        return f"{_as_given(found['flag'], argv)}: choose one of {choices}"
    if found := re.search(r"Missing value for argument '(?P<flag>[^']*)'\. Expected (?P<count>\d+)", report):
        return f"{found['flag']}: its value is missing; give {'one' if found['count'] == '1' else found['count']}"
    if found := re.search(
        r"Unrecognized options: (?P<words>.*?)(?: Perhaps you meant: (?P<near>\S+)| For full|$)", report
    ):
        words = found["words"].replace(",", "").split()
        flags = [word for word in words if word.startswith("-")]
        wrong = f"no option is called {' or '.join(flags)}" if flags else f"{' '.join(words)}: one argument too many"
        return wrong + (f"; perhaps {found['near']} is meant" if found["near"] else "")
    if "Required options" in report:
        rest = report.partition("Missing from ")[2].partition(": ")[2]
        # one without a flag comes first
        missing = re.findall(r"^\S+|(?<!\S)--[a-z][\w.-]*", rest.partition(" For full helptext")[0])
        return f"{', '.join(missing)} missing; give {'it' if len(missing) == 1 else 'them'}"
    return report.partition(" For full helptext")[0][:300]


def _as_given(flag: str, argv: Sequence[str]) -> str:
    """An option with its values, as they were given."""
    names = [word.partition("=")[0] for word in argv]
    if flag not in names:
        return flag
    start = end = names.index(flag)
    while "=" not in argv[start] and end + 1 < len(argv) and not re.match(r"-\D", argv[end + 1]):
        end += 1
    return " ".join(argv[start : end + 1])


def _in_words(kind: str) -> str:
    """What values an option takes, by the beginning of its help: {None}|FLOAT or the horizontal field ..."""
    types = re.match(r"(?:\{None\}\|)?\{?((?:INT|FLOAT|PATH|STR)(?: (?:INT|FLOAT|PATH|STR))*)", kind)
    if types is None:
        return "one that fits"
    names = types[1].split()
    word = KINDS[names[0]]
    return word if len(names) == 1 else f"{len(names)} of them, each {word}"


def later(function: Callable[..., int | None]) -> Callable[..., Callable[[], int | None]]:
    """A function with the same parameters that gives back the call instead of making it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Callable[[], int | None]:
        return functools.partial(function, *args, **kwargs)

    return call


def options_of(function: Callable[..., Any]) -> frozenset[str]:
    """The names of the options of a verb: its parameters, or the fields of those that are dataclasses."""
    names: set[str] = set()
    for name, kind in get_type_hints(function).items():
        fields = [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else [name]
        names |= set(fields) if name in inspect.signature(function).parameters else set()
    return frozenset(names)


def flagged(error: InputError, options: frozenset[str] | None = None) -> str:
    """The message of an error with the flags of the options that it is about, of those that a verb has."""
    names = [name for name in error.parameters if options is None or name in options]
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in names)
    return f"{error} ({flags})" if flags else str(error)
