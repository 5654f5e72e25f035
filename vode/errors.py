"""The one exception for bad input, and what others say, for its message."""


class InputError(Exception):
    """Input that cannot be used: one line that names the file (and line) and what to do about it.

    ``parameters`` are the names of the options that the remedy is about, such as "data" or "fov", if the message alone
    does not do: whoever offers them under names of its own, as the command line does, adds these to the message.
    The command line prints the message and exits with status 2; nothing else is caught there. What is not printable in
    it, as line breaks and escape sequences that names and files hold, is written as Python writes it.
    """

    def __init__(self, message: str = "", *parameters: str) -> None:
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message))
        self.parameters = parameters


class DivergedError(InputError):
    """A training that has no finite gradients any more: its options do not suit its data."""


def one_line(error: Exception) -> str:
    """What an error says, on one line that is not too long."""
    return " ".join(str(error).split())[:160]
