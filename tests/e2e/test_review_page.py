"""The marking page in a real browser, marked by keyboard alone."""

from __future__ import annotations

import csv
import http.client
import os
import random
import socket
import sqlite3
import struct
import subprocess
import threading
import time
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from support.browser import Browser, Tab, browser, chromium
from support.commands import run_grade
from support.marked_class import write_class
from support.markers_at_work import Marker, Told, assert_kept
from support.notebooks import code
from support.paths import ROOT
from support.postgres import server
from support.review_page import TEXTS, Links, class_in, generated, hw3, reviewing

from grader.checks.evidence import FORMAT
from grader.gradebook.rows import Mark
from grader.gradebook.rubrics import LineVersion
from grader.gradebook.store import Gradebook
from grader.inside.media_types import EVIDENCE
from grader.model.points import Points
from grader.review.classroom import classroom

HOME = hw3()
ITEMS = [item.id for item in HOME.assignment.of_kind("written")]
STARTS = {kind: tuple(text.split("{")[0][:12] for text in texts) for kind, texts in TEXTS.items()}
READY = "document.readyState === 'complete' && document.getElementById('main') && !document.body.ariaBusy"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    chromium()
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "gradebook.sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, db: str) -> Iterator[str]:
    """A gradebook of each kind."""
    if request.param == "sqlite":
        yield db
        return
    with server() as running:
        yield running.url()


def enter(chrome: Browser, link: str, item: str = "") -> Tab:
    """The page as a marker sees it who opens the link."""
    tab = chrome.tab()
    tab.open(link)
    tab.wait(f"location.pathname === '/' && {READY}")
    if item:
        tab.press(str(ITEMS.index(item) + 1))
        tab.wait(f"document.getElementById('ruling') && {READY}")
    return tab


def step(tab: Tab, *keys: str) -> str:
    """Press keys, and wait for the screen that the last one leads to; what the page says."""
    old(tab)
    tab.press(*keys)
    arrived(tab)
    return said(tab)


def old(tab: Tab) -> None:
    tab.evaluate("document.getElementById('main').dataset.old = 'yes'")


def arrived(tab: Tab) -> None:
    """Wait for another screen than the old one."""
    tab.wait(f"!document.getElementById('main').dataset.old && {READY}")


def said(tab: Tab) -> str:
    return str(tab.evaluate("document.getElementById('status').textContent"))


def answer(tab: Tab) -> str:
    return str(
        tab.evaluate("document.querySelector('.answer-box').innerText.split('\\n').slice(1).join(' ').trim()")
    )


def points(db: str, rows: dict[str, int]) -> dict[tuple[str, str], str]:
    student = {row: name for name, row in rows.items()}
    with Gradebook.open(db) as book:
        marks = book.marks(HOME.assignment.title)
    return {(student[row], item): str(mark.points) for (row, item), mark in marks.items()}


def kind_of(text: str) -> str:
    found = [
        kind
        for kind, starts in STARTS.items()
        if text.replace("*", "").startswith(tuple(s.replace("*", "") for s in starts))
    ]
    return found[0] if found else "empty"


LINES = {"right": 2, "partly": 1, "wrong": 0, "copied": 1, "other language": 2, "empty": 0}


STUDENTS = int(os.environ.get("CHAINRULE_STUDENTS", "10"))
"""Of the class that is marked by keyboard; the figures of docs/marking.md are of 40."""


def test_a_class_is_marked_by_keyboard_alone(
    chrome: Browser, db: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The 9 written items, answers of every kind: all marked, each with its points."""
    answers = generated(ITEMS, STUDENTS)
    rows = class_in(db, HOME, answers)
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"])
        tab.evaluate(
            "for (const kind of ['mousedown', 'click', 'pointerdown', 'touchstart']) addEventListener(kind, "
            "(event) => { if (event.isTrusted && event.detail) window.mice = (window.mice ?? 0) + 1 }, true)"
        )
        began, units = time.monotonic(), 0
        for number, item in enumerate(ITEMS, start=1):
            step(tab, str(number))
            while tab.evaluate("document.getElementById('main').dataset.page") == "unit":
                wanted = min(LINES[kind_of(answer(tab))], len(HOME.assignment.find(item).rubric))
                step(tab, *"12"[:wanted], "Enter")
                units += 1
            step(tab, "0")
        seconds = time.monotonic() - began
        assert "Every answer has its mark." in tab.text()
        assert not tab.evaluate("window.mice")
        keys = sum(tab.pressed.values())
    found = points(db, rows)
    expected = {}
    for student, own in answers.items():
        for item in ITEMS:
            lines = HOME.assignment.find(item).rubric
            expected[student, item] = str(min(LINES[kind_of(own.get(item, ""))], len(lines)))
    assert found == expected
    with (Path(db).parent / "grades.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert {(row["id"], item): row[item] for row in table for item in ITEMS} == expected
    assert {row["awaiting"] for row in table} == {"0"}  # with code and evidence: all 46 points are decided
    with capsys.disabled():
        print(f"\n{9 * STUDENTS} answers in {units} screens, {keys} keys, {seconds:.0f} s of the machine")  # noqa: T201
    assert keys < 2 * units + 3 * len(ITEMS) + sum(map(len, ITEMS)) + units


def test_lines_comment_and_adjustment_reach_the_student(chrome: Browser, db: str) -> None:
    class_in(db, HOME, {"ada": {"3.3.ii": "It rises."}, "bob": {"3.3.ii": "It goes up."}})
    with reviewing(db, "eve", options=["--item", "3.3.ii"]) as links:
        tab = chrome.tab()
        tab.open(links["eve"])
        tab.wait(READY)
        step(tab, "1")
        tab.press("1", "x")
        tab.type("0.5")
        tab.press("Tab")
        tab.type("half of it")
        assert tab.evaluate("document.getElementById('points').textContent") == "1.5"
        tab.press("Escape", "c")
        tab.type("See 3.3")
        assert step(tab, "Enter") == "saved 1 answer"
        tab.press("1", "c", "ArrowDown")  # the comment that was used before
        assert step(tab, "Enter") == "saved 1 answer"
        assert "Every answer has its mark" in tab.text()
    with Gradebook.open(db) as book:
        marks = book.marks(HOME.assignment.title).values()
    assert {(str(mark.points), mark.author, mark.comment) for mark in marks} == {
        ("1.5", "eve", "+1: The training accuracy keeps rising.\n+0.5: half of it\nSee 3.3"),
        ("1", "eve", "+1: The training accuracy keeps rising.\nSee 3.3"),
    }


def test_an_adjustment_without_a_reason_is_not_saved_and_stays_on_the_page(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "It rises."}})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        tab.press("2", "x")
        tab.type("1")
        assert step(tab, "Enter") == "not saved"
        assert "needs a reason" in tab.text()
        assert tab.evaluate("[...document.querySelectorAll('[name=line]')].map((box) => box.checked)") == [
            False,
            True,
        ]
    assert points(db, rows) == {}


def test_undo_back_and_forward(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "One."}, "bob": {"3.3.ii": "Two."}})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        first = answer(tab)
        step(tab, "1", "Enter")
        second = answer(tab)
        assert first != second
        step(tab, "ArrowLeft")
        assert answer(tab) == first
        assert "marked 1 by ada" in tab.text()
        step(tab, "ArrowRight")
        assert answer(tab) == second
        assert step(tab, "u") == "undone"
        assert answer(tab) == first
        assert points(db, rows) == {}
        assert step(tab, "u") == "nothing of yours to undo"


def test_a_conflict_shows_both_and_loses_neither(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "One."}})
    with reviewing(db, "ada", "bob", options=["--everybody", "0"]) as links:
        ada, bob = (
            enter(chrome, links[name], "3.3.ii") if name == "ada" else None for name in ("ada", "bob")
        )
        bob = chrome.tab()
        bob.open(links["bob"])
        bob.wait(READY)
        here = ada.evaluate("location.pathname + location.search")
        bob.open(links["bob"].split("/enter")[0] + here)
        bob.wait(READY)
        assert "ada is looking at this answer now" in bob.text()
        step(ada, "1", "Enter")
        assert step(bob, "1", "2", "Enter") == "not saved"
        assert "ada marked it meanwhile" in bob.text()
        assert "Theirs: 1 point" in bob.text()
        assert bob.evaluate("document.getElementById('points').textContent") == "2"
        assert points(db, rows) == {("ada", "3.3.ii"): "1"}
        assert step(bob, "Enter") == "saved 1 answer"
        assert points(db, rows) == {("ada", "3.3.ii"): "2"}
    with Gradebook.open(db) as book:
        assert [mark.author for mark in book.mark_history(rows["ada"], "3.3.ii")] == ["ada", "bob"]


def test_what_all_markers_mark_shows_no_other_mark_until_they_differ(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "One."}})
    with reviewing(db, "eva", "bob", options=["--item", "3.3.ii"]) as links:
        eva = enter(chrome, links["eva"])
        step(eva, "1")
        assert "Several markers mark this answer" in eva.text()
        step(eva, "1", "Enter")
        step(eva, "0")
        bob = enter(chrome, links["bob"])
        step(bob, "1")
        assert "eva" not in bob.evaluate("document.querySelector('.left').outerHTML")
        assert bob.evaluate("document.getElementById('points').textContent") == "0"
        assert step(bob, "1", "2", "Enter") == "kept as your opinion"
        assert "Markers differ here" in bob.text()
        assert "eva: 1 point" in bob.text()
        assert "1 of 1\tThe training accuracy" in bob.text()
        assert "0 of 1\t" in bob.text()
        assert points(db, rows) == {("ada", "3.3.ii"): "1"}
        assert step(bob, "2", "Enter") == "saved 1 answer"
        assert "Every answer has its mark" in bob.text()
    assert points(db, rows) == {("ada", "3.3.ii"): "2"}


def test_a_mark_from_the_command_line_while_the_page_is_open_is_a_conflict(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "One."}})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        with Gradebook.open(db) as book:
            book.add_marks([Mark(rows["ada"], "3.3.ii", Points.of(2), "I know", "eve")])
        assert step(tab, "Enter") == "not saved"
        step(tab, "k")
        assert "marked 2 by eve" in tab.text()
    assert points(db, rows) == {("ada", "3.3.ii"): "2"}


def test_a_repriced_line_is_previewed_and_scores_anew(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "One."}, "bob": {"3.3.ii": "Two."}})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        step(tab, "1", "Enter")
        tab.press("1", "l", "ArrowDown", "Tab")
        tab.type("0.5")  # Tab has selected what was there
        tab.press("Enter")
        tab.wait("document.getElementById('preview').innerText.includes('1 of 1')")
        assert "1 → 0.5" in tab.text()
        assert list(points(db, rows).values()) == ["1"]
        assert step(tab, "Enter") == "the line is kept; 1 mark changed"
        assert list(points(db, rows).values()) == ["0.5"]
        assert tab.evaluate("document.getElementById('points').textContent") == "0.5"  # still ticked here


def test_flags_names_and_later(chrome: Browser, db: str) -> None:
    class_in(
        db, HOME, {"ada": {"3.3.ii": "One."}, "bob": {"3.3.ii": "Two."}}, names={"ada": "Ada Ω", "bob": "بوب"}
    )
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        first = answer(tab)
        assert "Ada" not in tab.evaluate("document.documentElement.outerHTML")
        step(tab, "n")
        assert any(name in tab.text() for name in ("Ada Ω", "بوب"))
        step(tab, "n")
        tab.press("f")
        tab.type("sure?")
        assert step(tab, "Enter") == "flagged"
        assert "ada asks for a look: sure?" in tab.text()
        assert step(tab, "f") == "settled"
        step(tab, "h")
        assert answer(tab) != first


def test_a_group_without_a_member_that_was_unticked(chrome: Browser, db: str) -> None:
    rows = class_in(db, HOME, {name: {"3.3.ii": "The same."} for name in ("ada", "bob", "cyd")})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        tab.press("1", "m", " ", "Escape")
        assert step(tab, "Enter") == "saved 2 answers"
        assert len(points(db, rows)) == 2
        assert "3 answers with the same words" in tab.text()
        assert step(tab, "Enter") == "saved 1 answer"
    assert sorted(points(db, rows).values()) == ["0", "1", "1"]


def test_suggested_lines_are_ticked_by_a_key_and_never_by_themselves(chrome: Browser, db: str) -> None:
    answers = {
        f"s{k:03}": {"3.3.ii": f"Training keeps rising, {k}." if k % 2 else f"Both of them fall, {k}."}
        for k in range(104)
    }
    attack = "<img src=x onerror='owned = 1'><svg onload='owned = 1'>"
    for k in range(1, 104, 2):
        answers[f"s{k:03}"]["3.3.ii"] += attack
    class_in(db, HOME, answers)
    boxes = "[...document.querySelectorAll('[name=line]')].map((box) => box.checked)"
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        for _ in range(14):
            step(tab, *(["1"] if "rising" in answer(tab) else []), "Enter")
        suggested = "Boolean(document.querySelector('.line.suggested'))"
        while "rising" not in answer(tab):  # which answer is asked for depends on when a forecast is ready
            assert not tab.evaluate(suggested)
            step(tab, "h")
        until = time.monotonic() + 60
        while not tab.evaluate(suggested):  # loaded again until there is one
            assert time.monotonic() < until
            step(tab, "k")
        assert tab.evaluate(boxes) == [False, False]
        assert "of the answers or fewer would be wrong" in tab.text()
        tab.press("s")
        assert tab.evaluate(boxes) == [True, False]
        assert tab.evaluate("document.getElementById('points').textContent") == "1"
        step(tab, "g")
        number = tab.evaluate("document.querySelectorAll('[name=member]').length")
        whole = tab.text()
        assert f"{number} answers that would get these lines" in whole
        assert whole.count("Training keeps rising") == number
        assert "of them or fewer would be wrong" in whole
        assert (
            tab.evaluate("typeof owned + document.querySelectorAll('main img, main svg').length")
            == "undefined0"
        )
        tab.press("m", " ", "Escape")
        assert step(tab, "Enter") == f"saved {number - 1} answers"
        assert step(tab, "u") == "undone"
        step(tab, "0")
        assert "% or fewer would be wrong" in tab.text()


def test_a_regrade_request_is_beside_its_answer_until_it_has_a_reply(
    chrome: Browser, db: str, tmp_path: Path
) -> None:
    rows = class_in(db, HOME, {"ada": {"3.3.ii": "One."}, "bob": {"3.3.ii": "Two."}})
    with Gradebook.open(db) as book:
        book.add_marks([Mark(row, "3.3.ii", Points.of(1), "", "eve") for row in rows.values()])
    table = tmp_path / "requests.csv"
    table.write_text("student,item,words\nbob,3.3.ii,I did say <both>\n")
    with reviewing(db, "ada", options=["--requests", str(table)]) as links:
        tab = enter(chrome, links["ada"])
        step(tab, "4")
        assert "asks for another look (then 1 point): I did say <both>" in tab.text()
        assert answer(tab) == "Two."
        tab.press("1")
        step(tab, "2", "Enter")
        tab.press("r")
        tab.type("So you did.")
        assert step(tab, "Enter") == "replied to 1 request"
        assert "ada replied: So you did. (now 2 points)" in tab.text()
        step(tab, "0")
        step(tab, "4")
        assert "Every answer has its mark" in tab.text()
    with Gradebook.open(db) as book:
        [kept] = book.marker_notes(HOME.assignment.title).requests("3.3.ii")
    assert (kept.before, kept.after, kept.submission) == (Points.of(1), Points.of(2), rows["bob"])


def test_wrong_requests_are_named_and_none_is_taken(db: str, tmp_path: Path) -> None:
    class_in(db, HOME, {"ada": {"3.3.ii": "One."}})
    table = tmp_path / "requests.csv"
    table.write_text("student,item,words\nada,3.3.ii,why?\nada,9,why?\nzed,3.3.ii,why?\nada,3.3.ii,\n")
    done = grade("review", "--requests", table, db=db)
    assert done.returncode == 2
    for line, words in (
        (3, "item '9' is not marked here"),
        (4, "no graded submission 'zed'"),
        (5, "no words"),
    ):
        assert f"requests.csv, line {line}: {words}" in done.stderr
    with Gradebook.open(db) as book:
        assert book.marker_notes(HOME.assignment.title).requests("3.3.ii") == []


def grade(*arguments: object, db: str) -> subprocess.CompletedProcess[str]:
    return run_grade(*arguments, "--assignment", ROOT, "--db", db, cwd=Path.cwd())


def test_the_rubric_is_exported_as_it_has_become(db: str, tmp_path: Path) -> None:
    class_in(db, HOME, {"ada": {"3.3.ii": "One."}})
    with Gradebook.open(db) as book:
        marking = book.marking(HOME.assignment.title)
        marking.begin_rubric("3.3.ii", [(Points.of(1), 'It "rises".'), (Points.of(1), "Test: no.")])
        line = LineVersion(2, Points.of("0.5"), "Test: no trend. α", author="ada")
        newest = marking.versions("3.3.ii")[-1].row
        marking.change_line("3.3.ii", line, Points.of(2), seen=newest, action="x")
    assert grade("rubric", "export", tmp_path / "out.toml", db=db).returncode == 0
    text = (tmp_path / "out.toml").read_text()
    part = text.partition("# 3.3.ii ")[2].partition("\n# 3.3.iii")[0]
    assert "add up to 1.5, the item has 2" in part
    rubric = tomllib.loads(part.partition("\n")[2])["rubric"]
    assert rubric == [{"points": 1, "text": 'It "rises".'}, {"points": 0.5, "text": "Test: no trend. α"}]
    assert grade("rubric", "export", db=db).stdout == text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--item", "3.1.1"], "--item 3.1.1: no written item; there are 3.2.3.i, "),
        (["--db", "/nowhere/g.sqlite"], "no gradebook here yet"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(db: str, options: list[str], words: str) -> None:
    class_in(db, HOME, {"ada": {}})
    done = grade("review", *options, db=options[1] if "--db" in options else db)
    assert (done.returncode, words in done.stderr, done.stderr.count("\n")) == (2, True, 1)


def test_a_taken_port_is_named(db: str) -> None:
    class_in(db, HOME, {"ada": {}})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = grade("review", "--port", taken.getsockname()[1], db=db)
    assert done.returncode == 2
    assert "Address already in use; --port names another" in done.stderr


def work(links: Links, names: Sequence[str], units: Sequence[str], marks: int) -> list[Marker]:
    """Markers at work at once, each for so many marks; what goes wrong is raised."""
    markers = [Marker(name, links[name]) for name in names]

    def marking(one: Marker) -> Marker:
        with closing(one):
            for _ in range(marks):
                one.mark("3.3.ii", units)
        return one

    with ThreadPoolExecutor(len(markers)) as pool:
        return list(pool.map(marking, markers))


def units_of_class(book: Gradebook) -> list[str]:
    return [unit.id for unit in classroom(book, HOME.assignment).units["3.3.ii"]]


MARKS = int(os.environ.get("CHAINRULE_MARKS", "25"))
"""Of each marker at random on the same answers; 500 were run once."""
KILLS = int(os.environ.get("CHAINRULE_KILLS", "2"))


def test_two_markers_at_random_on_the_same_answers_lose_nothing(url: str) -> None:
    class_in(url, HOME, {f"s{number}": {"3.3.ii": f"Answer {number}."} for number in range(6)})
    with Gradebook.open(url) as book:
        units = units_of_class(book)
        with reviewing(url, "ada", "bob", options=["--everybody", "0"]) as links:
            ada, bob = work(links, ("ada", "bob"), units, MARKS)
        assert len(ada.told) == len(bob.told) == MARKS
        assert_kept(
            [*ada.told, *bob.told], book.all_marks(HOME.assignment.title), book.marks(HOME.assignment.title)
        )


BROWSER_MARKS = int(os.environ.get("CHAINRULE_BROWSER_MARKS", "8"))
"""Of each of two browsers; 500 were run once."""


def test_two_browsers_at_random_on_the_same_answers_lose_nothing(
    chrome: Browser, db: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both press Enter before either is answered; whoever gets a conflict saves again."""
    class_in(db, HOME, {f"s{number}": {"3.3.ii": f"Answer {number}."} for number in range(3)})
    choose, told, conflicts = random.Random(1), [], 0  # noqa: S311  # a choice of answers, no secret
    with Gradebook.open(db) as book, reviewing(db, "ada", "bob", options=["--everybody", "0"]) as links:
        units = units_of_class(book)
        tabs = {name: enter(chrome, links[name], "3.3.ii") for name in ("ada", "bob")}
        for number in range(BROWSER_MARKS):
            for name, tab in tabs.items():
                old(tab)
                tab.evaluate(f"go('/mark?item=3.3.ii&unit={choose.choice(units)}')")
                arrived(tab)
                tab.press(*choose.choice(("", "1", "2", "12")), "c")
                tab.evaluate("document.activeElement.select()")
                tab.type(f"{name} {number}")
                tab.press("Escape")
            rows = {name: tab.evaluate("Object.keys(decision().seen)") for name, tab in tabs.items()}
            for tab in tabs.values():
                old(tab)
            for tab in tabs.values():
                tab.press("Enter")
            for name, tab in tabs.items():
                arrived(tab)
                while said(tab) == "not saved":
                    conflicts += 1
                    step(tab, "Enter")
                assert said(tab) == "saved 1 answer"
                told += [Told(int(row), "3.3.ii", name, f"{name} {number}") for row in rows[name]]
        assert_kept(told, book.all_marks(HOME.assignment.title), book.marks(HOME.assignment.title))
    assert conflicts
    with capsys.disabled():
        print(f"\n{len(told)} marks from two browsers, {conflicts} conflicts")  # noqa: T201


def kill_while_saving(process: subprocess.Popen[str], marker: Marker, seconds: float) -> None:
    """End a page these seconds after it showed a first mark as saved."""
    deadline = time.monotonic() + 60
    while not marker.told and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()


def test_what_was_shown_as_saved_survives_a_kill_at_any_moment(url: str) -> None:
    rows = class_in(url, HOME, {f"s{number}": {"3.3.ii": f"Answer {number}."} for number in range(8)})
    told: list[Told] = []
    with Gradebook.open(url) as book:
        units = units_of_class(book)
        for round_ in range(KILLS):
            with reviewing(url, "ada") as links:
                ada = Marker("ada", links["ada"], seed=round_)
                threading.Thread(
                    target=kill_while_saving, args=(links.process, ada, 0.02 * (1 + round_))
                ).start()
                with closing(ada):
                    assert isinstance(
                        ada.mark_until_it_fails("3.3.ii", units), OSError | http.client.HTTPException
                    )
                told += ada.told
            assert_kept(told, book.all_marks(HOME.assignment.title), book.marks(HOME.assignment.title))
    assert told
    assert len(rows) == 8


def test_the_page_says_that_nobody_answers(chrome: Browser, db: str) -> None:
    class_in(db, HOME, {"ada": {"3.3.ii": "One."}})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.3.ii")
        links.process.kill()
        links.process.wait()
        tab.press("1", "Enter")
        tab.wait("document.getElementById('status').textContent.includes('no answer from `grade review`')")
    assert sqlite3.connect(db).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_was_shown_as_saved_survives_the_end_of_the_database() -> None:
    with server() as running:
        url = running.url()
        class_in(url, HOME, {f"s{number}": {"3.3.ii": f"Answer {number}."} for number in range(8)})
        with Gradebook.open(url) as book:
            units = units_of_class(book)
        with reviewing(url, "ada") as links, closing(Marker("ada", links["ada"])) as ada:
            threading.Timer(0.5, running.kill).start()
            assert "gradebook" in str(
                ada.mark_until_it_fails("3.3.ii", units)
            )  # said on the page, which goes on
            running.start_again()
            ada.mark("3.3.ii", units)
        with Gradebook.open(url) as book:
            assert_kept(ada.told, book.all_marks(HOME.assignment.title), book.marks(HOME.assignment.title))


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes((x * 255 // width) for x in range(width)) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def with_plots(folder: Path, item: str, number: int) -> Path:
    import base64  # noqa: PLC0415

    shown = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"image/png": base64.b64encode(png(640, 360 + k)).decode()},
        }
        for k in range(number)
    ]
    runs = {alpha: {"loss": [3.0, 2.0, 1.5]} for alpha in ("0.5", "<b>0.9")}
    texts = {"format": FORMAT, "item": item, "run": "1", "recorded_at": "now"}
    evidence = {**texts, "data": {"runs": runs}, "parameters": {}, "code": {}, "machine": {}}
    kept = {"output_type": "display_data", "metadata": {}, "data": {EVIDENCE: evidence}}
    cells = [code(f"record('{item}')", *shown, kept)]
    return write_class(folder, {"ada": {"3.4.ii": "About 0.9, as the curves say."}}, cells)["ada"]


def test_forty_plots_and_the_evidence_beside_an_answer(chrome: Browser, db: str, tmp_path: Path) -> None:
    path = with_plots(tmp_path, "3.4.i", 40)
    class_in(db, HOME, {"ada": {"3.4.ii": "About 0.9, as the curves say."}}, paths={"ada": path})
    with reviewing(db, "ada") as links:
        tab = enter(chrome, links["ada"], "3.4.ii")
        tab.wait("document.querySelectorAll('#plots img').length === 40")
        tab.wait("document.querySelector('#plots img').naturalWidth === 640")
        assert "3.4.i Loss curves" in tab.text().replace("\n", " ")
        assert "Loss curves is as asked for" in tab.text()
        assert tab.evaluate("document.querySelectorAll('#plots polyline').length") == 2
        assert "<b>0.9 ends at 1.5" in tab.text()
        if shots := os.environ.get("CHAINRULE_SCREENSHOTS"):
            tab.picture(Path(shots) / "plots.png")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(chrome: Browser, db: str, width: int) -> None:
    long = (
        "unbroken" * 80
        + "\n\n| "
        + "cell " * 60
        + " | b |\n|---|---|\n| c | d |\n\n$$ "
        + "x + " * 200
        + "y $$\n\nنعم."
    )
    class_in(db, HOME, {"ada": {"3.3.ii": long}})
    with reviewing(db, "ada") as links:
        tab = chrome.tab()
        tab.look(width=width)
        tab.open(links["ada"])
        tab.wait(f"location.pathname === '/' && {READY}")
        for keys in ((), ("4",)):
            if keys:
                step(tab, *keys)
            inner, needed = tab.evaluate(
                "[document.documentElement.clientWidth, document.documentElement.scrollWidth]"
            )
            assert needed <= inner
        indented = (
            "(() => { const last = [...document.querySelectorAll('.answer p')].at(-1);"
            " const words = document.createRange(); words.selectNodeContents(last);"
            " return words.getBoundingClientRect().left - last.getBoundingClientRect().left })()"
        )
        assert tab.evaluate(indented) > 100  # a paragraph runs as its own language does
