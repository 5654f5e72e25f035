"""The one exception for bad input, and what others say, for its message."""


class InputError(Exception):
    """Input that cannot be used: one line that names the file (and line) and what to do about it.

    The command line prints the message and exits with status 2; nothing else is caught there.
    """


def one_line(error: Exception) -> str:
    """What an error says, on one line that is not too long."""
    return " ".join(str(error).split())[:160]
