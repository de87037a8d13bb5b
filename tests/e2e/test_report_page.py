"""A report in a real browser: nothing of a student's runs, nothing is fetched, nothing overflows a phone."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.class_samples import made

from grader.course.feedback_notebook import Part, feedback_notebooks, one_notebook
from grader.model.assignment import Limits
from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.points import Points
from grader.model.records import (
    SCHEMA,
    CellResult,
    CellStatus,
    CheckResult,
    Environment,
    Grade,
    ItemResult,
    SubmissionRecord,
)
from grader.notebooks.cells import Cell
from grader.reports.class_page import render as render_class
from grader.reports.feedback_page import Told
from grader.reports.feedback_page import render as render_feedback
from grader.reports.page import render
from grader.reports.safe_words import safe_grade

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
)
HOSTILE = """\
"'></pre></title></style></textarea>--><script>document.title = "owned"; fetch("{site}/fetched")</script>
<img src="{site}/image.png" onerror="document.title = 'owned'"><svg onload="document.title = 'owned'"></svg>
<link rel="stylesheet" href="{site}/style.css"><style>body {{ background: url({site}/b.png) }}</style>
<iframe src="{site}/frame"></iframe><meta http-equiv="refresh" content="0;url={site}/refresh">
![pixel]({site}/pixel.png) [link](javascript:document.title='owned')
"""


class Site:
    """A web server on this machine that serves given pages and remembers what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/favicon.ico":
                    site.asked.append(self.path)
                page = site.pages.get(self.path)
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("chromium is missing although .ci/run installs it")
    if found is None:
        pytest.skip("needs Debian's chromium")
    return found


def dom(chromium: str, address: str, folder: Path) -> str:
    """What the browser made of a page, as HTML."""
    call = [chromium, *SWITCHES, f"--user-data-dir={folder / 'profile'}", "--dump-dom", address]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=True).stdout


def title(page: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def hostile_grade(text: str) -> Grade:
    """A grade with the text wherever a student's can be."""
    one = Points.of(1)
    check = CheckResult(
        check="test_x",
        title=text,
        item="1",
        outcome=Outcome.FAILED,
        earned=Points(0),
        possible=one,
        fault=Fault.STUDENT,
        message=text,
        detail=text,
        printed=text,
    )
    item = ItemResult(
        item="1",
        title=text,
        kind="written",
        earned=Points(0),
        possible=one,
        decided=False,
        checks=(check,),
        answer=text,
        waits_for=text,
    )
    return Grade(
        schema=SCHEMA,
        assignment="HW3",
        assignment_sha256="0" * 64,
        submission=SubmissionRecord(name="hw3.ipynb", sha256="0" * 64, kind="notebook", bytes=1),
        mode="hidden",
        seed=1,
        graded_at="2024-03-01T09:30:00+00:00",
        seconds=1.0,
        environment=Environment(grader="0", python="3", platform=text, isolation=Mode.NONE),
        limits=Limits(),
        budget={"TEXT": text},
        earned=Points(0),
        possible=one,
        decided=Points(0),
        items=(item,),
        cells=(CellResult(cell=1, status=CellStatus.RAISED, first_line=text, error=text, traceback=text),),
        notices=(text,),
        attention=(text,),
    )


def feedback_page(text: str) -> str:
    """A student's feedback with the text wherever theirs can be."""
    cell = Cell(1, "markdown", text), Cell(2, "code", text)
    part = Part("hw3.ipynb", cell, {"1": 1}, {}, {2: text})
    told = safe_grade(hostile_grade(text))
    notebooks = feedback_notebooks(told, [part], text, (text,))
    return render_feedback(one_notebook(notebooks), Told(told, text, (text,), "2026-11-28"))


def test_nothing_of_a_students_runs_or_is_fetched(chromium: str, site: Site, tmp_path: Path) -> None:
    text = HOSTILE.format(site=site.address)
    site.pages["/report.html"] = render(hostile_grade(text))
    page = dom(chromium, f"{site.address}/report.html", tmp_path)
    assert title(page) == "hw3.ipynb: HW3"
    assert "How this was graded" in page
    site.pages["/class.html"] = render_class(made(text))
    page = dom(chromium, f"{site.address}/class.html", tmp_path)
    assert title(page).startswith("Class: \"'></pre>")
    assert "What the figures mean" in page
    site.pages["/feedback.html"] = feedback_page(text)
    page = dom(chromium, f"{site.address}/feedback.html", tmp_path)
    assert title(page).startswith("\"'></pre>")
    assert "What you handed in" in page
    assert site.asked == ["/report.html", "/class.html", "/feedback.html"]


def test_the_policy_alone_stops_what_escaping_would_let_through(
    chromium: str, site: Site, tmp_path: Path
) -> None:
    """The second wall: the same text put into the page raw, where it could only be by a mistake of ours."""
    raw = HOSTILE.format(site=site.address).replace('<meta http-equiv="refresh"', "<meta")
    site.pages["/report.html"] = render(hostile_grade("x")).replace("<main>", f"<main>{raw}")
    page = dom(chromium, f"{site.address}/report.html", tmp_path)
    assert title(page) == "hw3.ipynb: HW3"
    assert site.asked == ["/report.html"]


def test_this_browser_runs_and_fetches_without_our_walls(chromium: str, site: Site, tmp_path: Path) -> None:
    """So that the tests above cannot pass because the browser does nothing at all."""
    raw = HOSTILE.format(site=site.address).replace('<meta http-equiv="refresh"', "<meta")
    site.pages["/report.html"] = (
        f"<!DOCTYPE html><html><head><title>calm</title></head><body>{raw}</body></html>"
    )
    page = dom(chromium, f"{site.address}/report.html", tmp_path)
    assert title(page) == "owned"
    assert {"/image.png", "/fetched", "/frame"} <= set(site.asked)


def test_a_phone_shows_the_whole_width(chromium: str, site: Site, tmp_path: Path) -> None:
    long = "unbroken" * 60
    site.pages["/report.html"] = render(hostile_grade(f"{long}\n\n| {long} | b |\n|---|---|\n| c | {long} |"))
    site.pages["/class.html"] = render_class(made(long))
    site.pages["/feedback.html"] = feedback_page(long)
    site.pages["/phone"] = """<!DOCTYPE html><title></title>""" + "".join(
        f"""<iframe src="{page}" width="400" height="800" onload="
            const inside = this.contentDocument.documentElement;
            document.title += ' ' + inside.clientWidth + ' ' + inside.scrollWidth"></iframe>"""
        for page in site.pages
    )
    sizes = [int(size) for size in title(dom(chromium, f"{site.address}/phone", tmp_path)).split()]
    assert len(sizes) == 6
    for inner, needed in (sizes[:2], sizes[2:4], sizes[4:]):
        assert 300 < inner <= 400
        assert needed <= inner
