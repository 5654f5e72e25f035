"""What is announced while a run is prepared."""

from vode.training.log import Announced


def test_without_a_terminal_work_is_counted_in_lines(capsys, monkeypatch):
    monkeypatch.setattr(Announced, "EVERY", 0.0)
    with Announced("walk 0-99: tracking", 100) as done:
        done(40)
    assert capsys.readouterr().err.splitlines() == ["walk 0-99: tracking: 40/100", "walk 0-99: tracking: done"]


def test_lines_are_few(capsys):
    with Announced("walk", 100) as done:
        for i in range(100):
            done(i + 1)
    assert capsys.readouterr().err.splitlines() == ["walk: done"]
