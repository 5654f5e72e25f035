"""Arguments to typed values, by tyro."""

from __future__ import annotations

import contextlib
import functools
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import tyro

from vode.errors import InputError


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
        raise InputError(f"{' '.join(words.split())[:300]}") from None
    return arguments


def later(function: Callable[..., int | None]) -> Callable[..., Callable[[], int | None]]:
    """A function with the same parameters that gives back the call instead of making it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Callable[[], int | None]:
        return functools.partial(function, *args, **kwargs)

    return call


def flagged(error: InputError) -> str:
    """The message of an error with the flags of the options that it is about, where it names any."""
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in error.parameters)
    return f"{error} ({flags})" if flags else str(error)
