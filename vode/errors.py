"""The one exception for bad input."""


class InputError(Exception):
    """Input that cannot be used: one line that names the file (and line) and what to do about it.

    The command line prints the message and exits with status 2; nothing else is caught there.
    """
