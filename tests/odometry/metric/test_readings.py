"""Files of speeds and fixes."""

import pytest

from vode.errors import InputError
from vode.odometry.metric.readings import read_fixes, read_speeds


@pytest.mark.parametrize(
    "text",
    [
        "0 1.5\n0.5 2\n\n1 0\n",
        "# t v\n0,1.5\n0.5,2\n1,0",
        "time,speed\n0, 1.5\n0.5, 2\n1, 0\n",
        "t [ms]\tspeed (m/s)\n0\t1.5\n500\t2\n1000\t0\n",
    ],
)
def test_rows_of_time_and_speed(tmp_path, text):
    (tmp_path / "speed.txt").write_text(text)
    speeds = read_speeds(tmp_path / "speed.txt")
    if "[ms]" in text:
        assert "milliseconds" in speeds.notes[0]
    assert speeds.times.tolist() == [0, 0.5, 1]
    assert speeds.values[:, 0].tolist() == [1.5, 2, 0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 1\n1 x\n", ":2: not 2 numbers: time, speed"),
        ("0 1\n1 2 3\n", ":2: not 2 numbers"),
        ("0 1\n1 nan\n", ":2: not 2 numbers"),
        ("0 1\n0 2\n", ":2: the time is not after"),
        ("0 1\n", "1 rows of time, speed; give 2"),
        ("", "0 rows"),
        ("0 1\n1 -2\n", "a speed of -2 m/s at 1 s"),
        ("t,speed km/h\n0,50\n1,60\n", "speeds in 'speed km/h'; give metres a second"),
    ],
)
def test_what_is_no_file_of_speeds(tmp_path, text, told):
    (tmp_path / "speed.txt").write_text(text)
    with pytest.raises(InputError) as error:
        read_speeds(tmp_path / "speed.txt")
    assert str(error.value).startswith(str(tmp_path / "speed.txt"))
    assert told in str(error.value)


def test_fixes_are_latitude_and_longitude(tmp_path):
    (tmp_path / "gps.csv").write_text("t,lat,lon\n0,49.1,8.4\n1,49.2,8.5\n")
    assert read_fixes(tmp_path / "gps.csv").values.tolist() == [[49.1, 8.4], [49.2, 8.5]]
    (tmp_path / "gps.csv").write_text("0,149.1,8.4\n1,149.2,8.5\n")
    with pytest.raises(InputError, match="no latitude and longitude"):
        read_fixes(tmp_path / "gps.csv")
