"""The exception for bad input: its message, and the parameters that others name after their own fashion."""

import pickle

from vode.errors import InputError, one_line


def test_parameters_are_no_part_of_the_message_and_cross_processes():
    error = pickle.loads(pickle.dumps(InputError("a.png: no such file; check the folder", "data", "sequences")))
    assert str(error) == "a.png: no such file; check the folder"
    assert error.parameters == ("data", "sequences")
    assert InputError("no remedy but the message").parameters == ()


def test_one_line_is_one_and_short():
    assert one_line(ValueError("two\n  lines")) == "two lines"
    assert len(one_line(ValueError("long " * 99))) == 160


def test_what_files_and_names_hold_cannot_break_the_line_or_steer_a_terminal():
    told = str(InputError("a\nb.txt:1: not a number in '\x1b[31m\ud800\u202e'; correct Größe ²"))
    assert told.isprintable()
    assert told == r"a\nb.txt:1: not a number in '\x1b[31m\ud800\u202e'; correct Größe ²"
