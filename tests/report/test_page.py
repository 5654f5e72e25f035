from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vode.report.html import Html, fill, link, number
from vode.report.page import write_report

EVIL = "\"><script>alert('$x')</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(folder: Path) -> Page:
    return Page(write_report(folder).read_text("utf-8"))


@pytest.fixture(scope="module")
def page(example: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(example.write(tmp_path_factory.mktemp("report") / "run"))


def test_the_headline_has_what_was_measured(example: SimpleNamespace, page: Page) -> None:
    length = np.hypot(np.pi * example.radius, 1)
    for fact in (
        f"Frames {example.count}",
        f"Path {length:.1f} m",
        "Video 4.00 s",
        "Processed 8.20 frames/s",
        "900 MiB",
    ):
        assert fact in page.text
    assert f"Motions measured {100 * (1 - len(example.lost) / (example.count - 1)):.1f} %" in page.text


def test_camera_scale_loops_and_doubts_are_told(page: Page) -> None:
    for words in ("measured from the video itself", "± 2.1 %", "90.00, 73.74 °", "Learned from rendered images."):
        assert words in page.text
    for words in ("Three frames show nothing.", "the image is black", "Lengths are in metres", "0 40 77 0.250"):
        assert words in page.text


def test_it_loads_nothing(page: Page) -> None:
    loaded = [attributes.get("src") for tag, attributes in page.elements if tag in ("img", "script", "iframe")]
    assert all(source is None or source == "" or source.startswith("data:image/") for source in loaded)
    assert {attributes.get("href") for tag, attributes in page.elements if tag == "link"} == {"data:,"}
    assert not re.search(r"url\(|@import", page.text)


def test_pictures_are_those_of_lost_frames_and_others(example: SimpleNamespace, page: Page) -> None:
    shown = [attributes.get("alt") for tag, attributes in page.elements if tag == "img"]
    assert [name for name in shown if name in {f"frame {i}" for i in example.lost}] == [
        f"frame {i}" for i in example.lost
    ]
    assert "depth of frame 10" in shown
    images = [attributes for tag, attributes in page.elements if tag == "img" and attributes.get("id") != "now"]
    assert all("alt" in attributes for attributes in images)


def test_whatever_comes_from_files_does_nothing(example: SimpleNamespace, tmp_path: Path) -> None:
    run = example.summary(
        source={"address": EVIL, "kind": EVIL},
        state=EVIL,
        notes=[EVIL],
        camera={"origin": EVIL, "note": EVIL, "distortion": {EVIL: EVIL}, "width": EVIL},
        scale={"unit": EVIL, "origin": EVIL, "note": EVIL},
        model={"name": EVIL, "note": EVIL},
        options={EVIL: EVIL},
        adaptation={"minutes": EVIL, "kept": EVIL, "before": {EVIL: 1.0}, "after": {EVIL: EVIL}, "note": EVIL},
        loops=[{"frame_a": EVIL, "frame_b": [EVIL], "inliers": EVIL, "correction_metres": EVIL}],
        outputs={EVIL: "javascript:alert(1)", "up": "../../etc/passwd", "strange": EVIL},
        vode=EVIL,
        started=EVIL,
    )
    folder = example.write(tmp_path / "<script>alert(2)<", run)
    rows = [
        json.loads(line) | {"reason": EVIL, "method": EVIL} for line in (folder / "log.jsonl").read_text().splitlines()
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "thumbnails" / f"{EVIL.replace('/', '_')}.jpg").write_bytes(b"\xff\xd8")
    (folder / "thumbnails" / "000010.jpg").write_text(EVIL)
    page = page_of(folder)
    assert sum(tag == "script" for tag, _ in page.elements) == 2
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert not [attributes for tag, attributes in page.elements if tag == "img" and attributes.get("src") == "x"]
    links = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a"]
    assert not [target for target in links if target.startswith(("javascript", "..", "/"))]


def test_text_is_escaped_once_and_markup_not_at_all() -> None:
    made = fill('<b title="$a">$b</b>', a='"', b=[Html("<i>"), "<", 5])
    assert made == '<b title="&quot;"><i>&lt;5</b>'
    assert fill("$a", a=made) == made


def test_links_stay_within_the_folder() -> None:
    assert link("depth/a b.npz") == '<a href="depth/a%20b.npz">depth/a b.npz</a>'
    for target in ("http://a.b/c", "//a.b/c", "/etc/passwd", "../x", "javascript:alert(1)", "C:\\x", "\\\\a\\b"):
        assert "<a" not in link(target), target


def test_passwords_of_streams_are_not_shown(example: SimpleNamespace, tmp_path: Path) -> None:
    address = {"address": "rtsp://someone:secret@camera.local:554/one?token=hidden", "kind": "stream"}
    text = write_report(example.write(tmp_path / "run", example.summary(source=address))).read_text()
    assert "rtsp://camera.local:554/one" in text
    assert "secret" not in text
    assert "token=hidden" not in text


def test_an_interrupted_run_of_unknown_unit_says_so(example: SimpleNamespace, tmp_path: Path) -> None:
    run = example.summary(state="disk full", scale={"unit": "arbitrary"})
    folder = example.write(tmp_path / "run", run)
    for name in ("cloud.ply", "trajectory.tum"):
        (folder / name).unlink()
    page = page_of(folder)
    for words in (
        "ended early (disk full) after 41 frames",
        "Path 31.4 units",
        "as it was tracked",
        "units of the run",
    ):
        assert words in page.text


def test_a_run_that_was_limited_is_not_said_to_be_broken_off(example: SimpleNamespace, tmp_path: Path) -> None:
    text = page_of(example.write(tmp_path / "run", example.summary(state="limited"))).text
    assert "limited to its first 41 frames" in text
    assert "ended early" not in text


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_run_of_hardly_any_frames_has_a_report(example: SimpleNamespace, tmp_path: Path, count: int) -> None:
    folder = example.write(tmp_path / "run")
    lines = (folder / "log.jsonl").read_text().splitlines(keepends=True)
    (folder / "log.jsonl").write_text("".join(lines[:count]))
    (folder / "trajectory.tum").unlink()
    page = page_of(folder)
    assert f"Frames {count}" in page.text
    assert "NaN" not in page.text
    assert "nan" not in page.text.split("createViewer")[0].lower().split()


def test_a_camera_at_rest_has_a_report(example: SimpleNamespace, tmp_path: Path) -> None:
    folder = example.write(tmp_path / "run")
    rows = [json.loads(line) | {"position": [0, 0, 0]} for line in (folder / "log.jsonl").read_text().splitlines()]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "trajectory.tum").unlink()
    assert "Path 0 m" in page_of(folder).text


def test_the_page_of_a_long_run_stays_small(example: SimpleNamespace, tmp_path: Path) -> None:
    folder, count = example.write(tmp_path / "run"), 50_000
    row = json.loads((folder / "log.jsonl").read_text().partition("\n")[0])
    methods = ("essential", "pnp")
    rows = ({"frame": i, "timestamp": i / 10, "method": methods[i % 2], "position": [0, 0, i]} for i in range(count))
    (folder / "log.jsonl").write_text("".join(json.dumps(row | change) + "\n" for change in rows))
    (folder / "trajectory.tum").unlink()
    rng = np.random.default_rng(0)
    example.write_cloud(folder / "cloud.ply", rng.normal(size=(300_000, 3)), rng.integers(0, 255, (300_000, 3)))
    assert write_report(folder).stat().st_size < 5e6


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234567.0, "1 234 567"), (12.345, "12.3"), (0.012345, "0.0123"), (float("nan"), "–")],
)
def test_numbers_have_the_digits_that_matter(value: float, text: str) -> None:
    assert number(value).replace("\N{NARROW NO-BREAK SPACE}", " ") == text
