"""What a run announces while it is prepared and trained."""

from vode.training.log import Announced, RunLog, progress_to


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


def test_progress_is_told_in_the_place_of_being_printed(tmp_path, capsys):
    told = []
    with progress_to(lambda *work: told.append(work)):
        with Announced("walk", 3) as done:
            done(2)
        log = RunLog(tmp_path, 10, 0)
        log.step(4)
        log.scalars("depth", 4, {"loss": 1.0})
        log.say("a line")
        log.close()
    assert told == [("walk", 2, 3), ("training", 4, 10)]
    assert capsys.readouterr().err == ""
    log = RunLog(tmp_path, 10, 4)
    log.say("a line")
    log.close()
    assert capsys.readouterr().err == "a line\n"
