"""The page as a browser shows it; Chromium is not among the packages of the tests, and nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from vode.report import write_report

WIDE, NARROW = (1400, 900), (360, 800)
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"


@pytest.fixture(scope="module")
def report(example: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(example.write(tmp_path_factory.mktemp("browser") / "a run #1?"))


def canvas(browser: Any, folder: Path) -> np.ndarray:
    """What is drawn of the view in 3-D, without the controls over it: (H, W, 3) BGR."""
    x, y, width, height = browser.value(
        "(() => { const r = document.querySelector('#view').getBoundingClientRect();"
        "return [r.x, r.y, r.width, r.height].map(Math.round); })()"
    )
    browser.screenshot(folder / "page.png")
    pixels = cv2.imread(str(folder / "page.png"))
    return pixels[y + 60 : y + height - 110, x : x + width]


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_it_opens_without_complaint_and_draws(
    browser: Any, report: Path, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    browser.open(report, size, dark=dark)
    assert browser.complaints() == []
    assert browser.requested() == [report.resolve().as_uri()]
    assert browser.value("document.documentElement.scrollWidth") <= size[0], "nothing sticks out"
    drawn = canvas(browser, tmp_path).astype(int)
    green = (drawn[..., 1] > drawn[..., 0] + 60) & (drawn[..., 1] > drawn[..., 2] + 60)
    assert green.sum() > 100, "points of the cloud"
    blue = (drawn[..., 0] > 200) & (drawn[..., 2] < 170)
    assert blue.sum() > 30, "the path"


def test_the_view_turns_and_forgets_the_points(browser: Any, report: Path, tmp_path: Path) -> None:
    browser.open(report, WIDE)
    before = canvas(browser, tmp_path)
    browser.mouse("mousePressed", 500, 520, 1)
    browser.mouse("mouseMoved", 600, 540, 1)
    browser.mouse("mouseReleased", 600, 540)
    browser.value(DRAWN)
    turned = canvas(browser, tmp_path)
    assert (before != turned).any(axis=2).mean() > 0.01
    browser.value("document.querySelector('[data-toggle=points]').click()")
    browser.value(DRAWN)
    bare = canvas(browser, tmp_path).astype(int)
    assert not ((bare[..., 1] > bare[..., 0] + 60) & (bare[..., 1] > bare[..., 2] + 60)).any()
    assert browser.complaints() == []


def test_two_fingers_zoom_and_the_wheel_does_once_the_view_was_clicked(
    browser: Any, report: Path, tmp_path: Path
) -> None:
    def width() -> int:
        browser.value(DRAWN)
        drawn = canvas(browser, tmp_path).astype(int)
        green = (drawn[..., 1] > drawn[..., 0] + 60) & (drawn[..., 1] > drawn[..., 2] + 60)
        return int(np.ptp(np.flatnonzero(green.any(axis=0))))

    def wheel() -> None:
        browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=500, y=450, deltaX=0, deltaY=80)

    browser.open(report, WIDE)
    near = width()
    for kind, places in (("touchStart", (350, 650)), ("touchMove", (430, 570)), ("touchEnd", ())):
        points = [{"x": x, "y": 450, "id": number} for number, x in enumerate(places)]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    far = width()
    assert 0.3 < far / near < 0.7, "the fingers came closer by a factor of 0.47, the path is deep"
    wheel()
    assert width() == far
    browser.value("window.scrollTo(0, 0)")
    browser.mouse("mousePressed", 500, 450, 1)
    browser.mouse("mouseReleased", 500, 450)
    wheel()
    assert 0.75 < width() / far < 0.95, "80 pixels of the wheel are a factor of 0.84"
    assert browser.value("window.scrollY") == 0


def test_without_webgl_the_page_says_so(browser: Any, report: Path) -> None:
    source = "HTMLCanvasElement.prototype.getContext = () => null"
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=source)
    browser.open(report, WIDE)
    browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])
    assert browser.complaints() == []
    assert browser.value("document.querySelector('#no-view').checkVisibility()")
    assert not browser.value("document.querySelector('#view').checkVisibility()")


def test_a_pointer_over_a_chart_shows_its_value_and_the_frame_everywhere(browser: Any, report: Path) -> None:
    browser.open(report, WIDE)
    browser.value("document.querySelector('#motion').scrollIntoView()")
    left, top, width = browser.value(
        "(() => { const r = document.querySelector('[data-keys=height] .plot').getBoundingClientRect();"
        "return [r.left, r.top, r.width]; })()"
    )
    browser.mouse("mouseMoved", left + 0.25 * width, top + 30)
    readout = browser.value("document.querySelector('[data-keys=height] .readout').textContent")
    assert readout == "frame 10 · 1.0 s · 0.25"
    assert browser.value("document.querySelector('#what').textContent") == "frame 10 · 1.0 s · essential"
    assert browser.value("document.querySelectorAll('.pair.chosen').length") == 1


def test_scripts_of_file_names_do_not_run(browser: Any, example: SimpleNamespace, tmp_path: Path) -> None:
    evil = "<script>document.title = 'mine'</script><img src=x onerror=\"document.title = 'mine'\">"
    run = example.summary(source={"address": evil, "kind": evil}, notes=[evil], outputs={evil: evil})
    report = write_report(example.write(tmp_path / "run", run))
    browser.open(report, WIDE)
    assert browser.value("document.title") != "mine"
    assert browser.complaints() == []
    # what is written into the page by other means is refused too
    browser.value("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title = 1\">')")
    assert browser.value("new Promise(done => setTimeout(() => done(document.title), 100))") != "1"


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_frames_are_no_error(browser: Any, example: SimpleNamespace, tmp_path: Path, count: int) -> None:
    folder = example.write(tmp_path / "run")
    lines = (folder / "log.jsonl").read_text().splitlines(keepends=True)
    (folder / "log.jsonl").write_text("".join(lines[:count]))
    (folder / "cloud.ply").unlink()
    browser.open(write_report(folder), NARROW)
    assert browser.complaints() == []


def test_the_depth_factor_is_drawn_over_time_with_its_uncertainty(browser: Any, report: Path, example: Any) -> None:
    browser.open(report, WIDE)
    drawn = browser.value(
        "(() => { const f = [...document.querySelectorAll('figure.chart')].find(x => x.querySelector('b').textContent"
        " == 'Depth factor over time'); const box = f.querySelector('path.line').getBoundingClientRect(); return ["
        "box.width, box.height, f.querySelectorAll('path.band').length, f.querySelector('.readout').textContent]; })()"
    )
    assert drawn[0] > 200
    assert drawn[1] > 10
    assert drawn[2] == 1
    assert drawn[3] == f"1.020 to {1.02 + (example.count - 1) / 1000:.3f}"
