"""A little of what benchmarks/fuzz.py does at length: damaged files end in a result or an InputError."""

from pathlib import Path

import pytest

pytest.importorskip("hypothesis")

from fuzzing.mutations import Edit, mutated
from fuzzing.parsers import PARSERS, Parser
from fuzzing.trial import Trials

from vode.errors import InputError

INPUTS = 12
"""of each parser"""
SLOW = {"weights", "command line", "nyu raw"}
"""parsers whose inputs take a tenth of a second"""


@pytest.mark.parametrize("name", sorted(PARSERS.keys() - SLOW))
def test_damaged_inputs_end_in_a_result_or_one_line(name, tmp_path):
    trials = Trials(PARSERS[name], tmp_path)
    trials.run(INPUTS, 1)
    assert trials.faults == {}
    assert trials.results + trials.refused == INPUTS


def faulty(folder: Path) -> None:
    text = (folder / "number.txt").read_text("ascii", "replace")
    if not text.isprintable():
        raise InputError("a number in two\nlines")
    if not text.startswith("12"):
        raise KeyError(text)


def write_number(root: Path) -> None:
    (root / "one").mkdir()
    (root / "one" / "number.txt").write_text("12345")


def test_other_exceptions_are_faults_and_one_input_of_a_kind_is_kept(tmp_path):
    trials = Trials(Parser(write_number, faulty), tmp_path)
    trials.run(60, 0)
    assert trials.results > 5
    assert any(kind.startswith("KeyError") for kind in trials.faults)
    assert trials.results + trials.refused + trials.faults.total() == 60
    kept = tmp_path / "faults" / "1"
    assert (kept / "FAULT").read_text() in trials.faults
    with pytest.raises(KeyError):
        faulty(kept)


def test_mutations_change_what_they_say():
    words = b"one two three"
    assert mutated(words, [Edit("word", 1, 1, b"2", 0)], packed=False) == b"one 2 three"
    assert mutated(words, [Edit("cut", 3, 1, b"", 0)], packed=False) == b"one"
    assert mutated(words, [Edit("repeat", 0, 4, b"", 2)], packed=False) == b"one one one two three"
    assert mutated(words, [Edit("flip", 0, 1, b"", 0)], packed=False) == b"nne two three"
