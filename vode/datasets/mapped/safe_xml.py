"""XML files, without what makes them dangerous to open."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

from vode.errors import InputError
from vode.io.files import read_bytes


def read_xml(path: Path | str) -> Element:
    """The root of an XML file. InputError if it is none, or declares a DOCTYPE, by which entities grow without end."""
    data = read_bytes(path)

    def refuse(*_: object) -> None:
        raise InputError(f"{path}: has a DOCTYPE, which may hold anything; remove that line")

    try:
        # ElementTree has no place for this check, so the file is parsed for it first
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        parser.Parse(data, True)
        return fromstring(data)
    except (ParseError, expat.ExpatError, ValueError, LookupError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not XML ({error}); export it again") from None
