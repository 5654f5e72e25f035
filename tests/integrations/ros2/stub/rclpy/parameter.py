"""Parameters of nodes, and what may go wrong with them."""

from typing import NamedTuple


class Parameter(NamedTuple):
    """A name with its value."""

    name: str
    type_: object = None
    value: object = None


class ParameterNotDeclaredException(Exception):
    """A parameter is read that was not declared."""


class ParameterAlreadyDeclaredException(Exception):
    """A parameter is declared twice."""


class InvalidParameterTypeException(Exception):
    """A parameter is given a value of another type than its default."""
