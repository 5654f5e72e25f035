"""The front door: finds the verb, and tells errors in one line with exit status 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from vode.cli.data import check, prepare
from vode.cli.depth import depth
from vode.cli.flow import flow
from vode.cli.odom import odom
from vode.cli.parse import later, parse
from vode.cli.reloc import reloc
from vode.cli.scene import align, build
from vode.cli.train import train
from vode.cli.world import world
from vode.errors import InputError
from vode.io.atomic import write_error

VERBS: dict[str, Callable[..., None]] = {
    "train": train,
    "depth": depth,
    "odom": odom,
    "flow": flow,
    "reloc": reloc,
    "data check": check,
    "prepare": prepare,
    "scene build": build,
    "scene align": align,
    "world": world,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; bad input is told in one line and gives status 2."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(f"usage: vode {{{','.join(VERBS)}}} ...; vode VERB --help tells more")
        return 0 if argv else 2
    try:
        words = 2 if " ".join(argv[:2]) in VERBS else 1
        verb, rest = " ".join(argv[:words]), argv[words:]
        if verb not in VERBS:
            raise InputError(f"no verb is called {verb!r}; choose one of {', '.join(VERBS)}")
        if verb == "train":
            train(rest)
        else:
            parse(later(VERBS[verb]), rest, verb)()
    except InputError as error:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in error.parameters)
        print(f"vode: {error} ({flags})" if flags else f"vode: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of the output went away, as head does: nothing to tell, and nobody to tell it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"vode: {write_error(error.filename or 'output', error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("vode: stopped", file=sys.stderr)
        return 130
    return 0
