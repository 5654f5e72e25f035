"""JSON: what the standard parser reads, but not beyond what can be shown."""

import pytest

from vode.io.text import DEEPEST, parse_json


def test_json_is_read():
    assert parse_json('{"a": [1, {"b": [null]}]}') == {"a": [1, {"b": [None]}]}
    assert parse_json(b"[]") == []
    assert parse_json('{"a": 1, "a": 2}', list) == [("a", 1), ("a", 2)]
    assert parse_json("[" * DEEPEST + "]" * DEEPEST)


@pytest.mark.parametrize("text", ["", "[", b"\xff", "9" * 5000, "[" * 900 + "]" * 900, '{"a":' * 51 + "1" + "}" * 51])
def test_what_is_none_or_nested_too_deep_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_depth_beyond_recursion_is_a_value_error():
    with pytest.raises(ValueError, match="too deep"):
        parse_json("[" * 100_000)
