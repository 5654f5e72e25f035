"""Result: keys, table, and a JSON file that appears whole or not at all."""

import json

import pytest

from vode.errors import InputError
from vode.evaluation.result import Number, Result


@pytest.fixture
def result() -> Result:
    numbers = (Number("ate_m", 8.394, "m"), Number("frames", 1589), Number("t_err_percent", None, "%"))
    return Result(
        "Odometry",
        numbers,
        {"alignment": "7dof"},
        {"t_err_percent_by_length_m": {"100": 2.5}},
        ("no t_err: the path is too short",),
    )


def test_to_dict_has_one_flat_set_of_keys(result: Result) -> None:
    assert result.to_dict() == {
        "title": "Odometry",
        "ate_m": 8.394,
        "frames": 1589,
        "t_err_percent": None,
        "alignment": "7dof",
        "t_err_percent_by_length_m": {"100": 2.5},
        "units": {"ate_m": "m", "t_err_percent": "%"},
        "notes": ["no t_err: the path is too short"],
    }


def test_values_by_name(result: Result) -> None:
    assert result["ate_m"] == 8.394
    assert result["t_err_percent"] is None
    with pytest.raises(KeyError):
        result["ate"]


def test_table_states_values_units_protocol_and_notes(result: Result) -> None:
    lines = str(result).split("\n")
    assert lines[0] == "Odometry"
    assert ["ate_m", "8.394", "m"] in [line.split() for line in lines]
    assert ["frames", "1589"] in [line.split() for line in lines]
    assert ["t_err_percent", "-", "%"] in [line.split() for line in lines]
    assert ["alignment", "7dof"] in [line.split() for line in lines]
    assert lines[-1] == "note: no t_err: the path is too short"


def test_table_leaves_out_an_empty_series() -> None:
    assert "by_length" not in str(Result("Odometry", (), {}, {"t_err_by_length_m": {}}))


def test_table_without_numbers() -> None:
    assert str(Result("Empty", ())) == "Empty\n-----"


def test_json_round_trip_leaves_no_other_file(result: Result, tmp_path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    result.save_json(path)
    assert json.loads(path.read_text()) == result.to_dict()
    assert list(tmp_path.iterdir()) == [path]


def test_json_into_a_missing_folder(result: Result, tmp_path) -> None:
    with pytest.raises(InputError, match=r"absent/result\.json: cannot be written"):
        result.save_json(tmp_path / "absent" / "result.json")


def test_names_that_collide_or_values_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="differ"):
        Result("R", (Number("crop", 1),), {"crop": "garg"})
    with pytest.raises(ValueError, match="nan"):
        Result("R", (Number("ate_m", float("nan")),))
