"""The front door: finds the verb, and tells errors in one line with exit status 2.

Verbs are imported when they are called, and what they do only when it is done, so that help needs no torch.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence

from vode import __version__
from vode.cli.parse import flagged, later, options_of, parse
from vode.errors import InputError
from vode.io.atomic import write_error

VERBS = {
    "run": ("vode.cli.run:run", "track your own video: trajectory, depth, cloud, models, report, in one folder"),
    "train": ("vode.cli.train:train", "train networks by a recipe, or resume a run"),
    "bench": ("vode.cli.bench:bench", "train recipes with an equal budget, and compare them in one table"),
    "predict depth": ("vode.cli.predict:depth", "write depth of your own images or video"),
    "predict flow": ("vode.cli.predict:flow", "write optical flow of your own images or video"),
    "odom": ("vode.cli.odom:odom", "track sequences, or take trajectory files, and evaluate them"),
    "depth": ("vode.cli.depth:depth", "evaluate depth of a run or of a file of predictions"),
    "flow": ("vode.cli.flow:flow", "evaluate optical flow of a run or of files"),
    "relocalize": ("vode.cli.relocalize:relocalize", "evaluate camera poses of single images in a mapped scene"),
    "data check": ("vode.cli.data:check", "say what a data set on disk holds, lacks, and what is damaged"),
    "prepare": ("vode.cli.data:prepare", "write a resized copy of a data set, which is read faster"),
    "import": ("vode.cli.checkpoint:import_weights", "make a run of another system's published weights"),
    "export": ("vode.cli.checkpoint:export", "write networks as ONNX files or torch's exported programs"),
    "export-checkpoint": ("vode.cli.checkpoint:export_weights", "write a run's networks as another system's weights"),
    "scene build": ("vode.cli.scenes.scene:build", "map a video or a folder of images by pycolmap"),
    "scene align": ("vode.cli.scenes.scene:align", "bring one scene into the axes and scale of another"),
    "world": ("vode.cli.scenes.world:world", "write sequences of the built-in world as files"),
    "doctor": ("vode.cli.installation.doctor:doctor", "say what this installation has and lacks"),
}
"""Where each verb is, and what it does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; bad input is told in one line and gives status 2."""
    argv = list(sys.argv[1:] if argv is None else argv)
    options: frozenset[str] | None = None
    try:
        if not argv or argv[0] in ("-h", "--help"):
            print(usage(), flush=True)
            return 0 if argv else 2
        if argv[0] == "--version":
            print(f"vode {__version__}")
            return 0
        verb = " ".join(argv[: 2 if " ".join(argv[:2]) in VERBS else 1])
        if verb not in VERBS:
            _help_of_group(argv)
            raise InputError(f"no verb is called {verb!r}; choose one of {', '.join(VERBS)}")
        function, rest = _verb(verb), argv[len(verb.split()) :]
        if verb == "train":
            return function(rest) or 0
        options = options_of(function)
        return parse(later(function), rest, verb)() or 0
    except InputError as error:
        print(f"vode: {flagged(error, options)}", file=sys.stderr)
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


def usage() -> str:
    """All verbs, a line each."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:{width}}  {what}" for verb, (_, what) in VERBS.items()]
    return "\n".join(["usage: vode VERB ...; vode VERB --help tells its options", "", *lines])


def _help_of_group(argv: Sequence[str]) -> None:
    """InputError that names the second words of a verb of two, where the first is right."""
    second = [verb.split()[1] for verb in VERBS if verb.split()[0] == argv[0] and " " in verb]
    if second:
        raise InputError(f"no verb is called {' '.join(argv[:2])!r}; choose {argv[0]} {' or '.join(second)}")


def _verb(name: str) -> Callable[..., int | None]:
    module, _, function = VERBS[name][0].partition(":")
    return getattr(importlib.import_module(module), function)
