"""The command line: one verb a module, each a typed function that anyone can call."""

from vode.cli.main import main

__all__ = ["main"]
