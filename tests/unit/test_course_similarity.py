"""Copies are found however they are disguised; people who worked apart, and what everybody has, are not."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from support.assignments import Item, manifest, write_files
from support.copied_code import TRANSFORMATIONS, all_at_once
from support.invented_code import given, homework
from support.notebooks import code, write_notebook

from grader.cli.similar import command
from grader.course.locations import Locations
from grader.course.similarity import classwide
from grader.course.similarity.classwide import similar_code
from grader.course.similarity.code import Given, keys_of
from grader.course.similarity.pages import write_pages
from grader.course.similarity.pairs import Class, Compared
from grader.digests import digest_of_file
from grader.gradebook.rows import NewSubmission, Student
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.model.similarity import SimilarCode, Similarity
from grader.notebooks.shapes import MAX_CODE, shapes
from grader.reports.similar_page import render_class

PEOPLE = 40
BOUND = "a = b = c = d = x = y = w = 0"


@pytest.fixture(scope="module")
def course() -> Given:
    return Given.of(given())


@pytest.fixture(scope="module")
def apart(course: Given) -> list:
    return [keys_of(course.shapes_of(homework(author))) for author in range(PEOPLE)]


def compared(shapes_of: list, owners: list[int] | None = None) -> Compared:
    return Class(shapes_of, owners or list(range(len(shapes_of)))).compared()


def keys(text: str) -> set[int]:
    return {one.key for one in shapes([BOUND, text]) if one.piece}


def test_people_who_worked_apart_are_no_pair(apart: list) -> None:
    assert compared(apart).pairs == ()


@pytest.mark.parametrize("name", [*TRANSFORMATIONS, "all at once"])
def test_a_disguised_copy_is_a_pair(name: str, apart: list, course: Given) -> None:
    change = TRANSFORMATIONS.get(name, all_at_once)
    copy = change([*given(), *homework(3)], random.Random(name))  # noqa: S311
    (found,) = compared([*apart, keys_of(course.shapes_of(copy))]).pairs
    assert (found.a, found.b) == (3, PEOPLE)


def test_one_saying_in_two_ways_is_one_shape() -> None:
    for one, other in [
        ("a += b(c, d)", "x = x + y(w, a)"),
        ("np.sum(x * y, axis=0)", "(a * b).sum(0)"),
        ("np.dot(x + 1, w + 2)", "(x + 1) @ (w + 2)"),
        ("if a + b > c + d: pass", "if c + d < a + b: pass"),
        ("def f(x: int) -> int:\n    '''Text.'''\n    return x * x + 1", "# text\nlambda: y * y + 1.0"),
        ("[x * x + 1 for x in range(y + 1)]", "for a in range(b + 1):\n    a * a + 1"),
    ]:
        assert len(keys(one) & keys(other)) == len(keys(other)) > 0, (one, other)
    assert not keys("a = b @ b + c") & keys("a = b @ d + c")


def test_what_the_course_gave_counts_for_nothing(course: Given) -> None:
    assert not len(keys_of(course.shapes_of(given())))
    changed = [text.replace("(x, w, b", "(x, w, b, more=1") for text in given()]
    assert not len(keys_of(course.shapes_of(changed)))


def test_oneself_and_what_half_the_class_has_are_no_pair(apart: list) -> None:
    assert compared([*apart, apart[0]], [*range(PEOPLE), 0]).pairs == ()
    shared = apart[0]
    assert compared([shared] * 30 + apart[1:10]).pairs == ()


def test_a_few_lines_are_too_little(course: Given, apart: list) -> None:
    short = keys_of(course.shapes_of(["y = np.tanh(x * 3 + 1)\nz = y - y.mean() * 17"]))
    assert len(short) > 3
    assert compared([*apart, short, short]).pairs == ()


def test_hostile_code_is_read_within_bounds() -> None:
    deep = "x = " + "(" * 500 + "1" + ")" * 500
    chain = "y = " + "+".join(["a"] * 50_000)
    ladder = "if a: pass\n" + "elif b + c > 1: pass\n" * 2_000
    assert sys.getrecursionlimit() < 2_000
    for text in (deep, chain, ladder, "x = \0", "\ud800 = 1", "def f(:", "9" * 5_000, f"x = 0x{'f' * 900}"):
        list(shapes([text]))
    assert list(shapes(["#" * MAX_CODE, "x = f(a) + g(b)"])) == []


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Similarity, tuple[SimilarCode, ...], Path]:
    """A class of twelve: Ann copied from Bob in her second notebook, and one file is gone."""
    folder = tmp_path_factory.mktemp("class")
    reference = "".join(f"# %%\n{text}\n\n" for text in given())
    files = {"assignment.toml": manifest(Item("1", "All"), notebook="reference/hw.py")}
    write_files(folder, {**files, "reference/hw.py": reference})
    works = {f"s{number}": homework(number) for number in range(10)}
    works |= {"bob": homework(20), "ann": homework(21)}
    books = [(student, "1", cells) for student, cells in works.items()]
    books.append(("ann", "<b>2", all_at_once(homework(20), random.Random(0))))  # noqa: S311
    locations = Locations(assignment_folder.load(folder), folder, str(folder / "gradebook.sqlite"))
    with Gradebook.open(locations.gradebook) as gradebook:
        gradebook.add_students([Student("ann", "Ann <i>A</i>"), Student("bob", "Bob")])
        rows = []
        for student, number, cells in books:
            path = write_notebook(folder / f"{student}{number[-1]}.ipynb", map(code, [*given(), *cells]))
            rows.append(
                NewSubmission("Tiny", f"{student} {number}", digest_of_file(path), student, str(path))
            )
        gradebook.add_submissions(rows)
        (folder / "s91.ipynb").unlink()
        record, codes = similar_code(gradebook, locations)
    return record, codes, folder


def test_a_class_is_compared_from_its_gradebook(listed: Any) -> None:
    record, codes, _ = listed
    (pair,) = record.pairs
    assert {pair.left.student, pair.right.student} == {"ann", "bob"}
    assert {pair.left.submission, pair.right.submission} == {"ann <b>2", "bob 1"}
    assert (record.compared, record.students, record.groups) == (13, 12, ())
    assert record.notices == ("s9 1: not compared: its files are no longer where they were graded",)
    assert msgspec.json.decode(msgspec.json.encode(record), type=Similarity) == record
    (code_of_pair,) = codes
    assert code_of_pair.pair == pair
    assert len(pair.passages) > 5


def test_processes_read_the_same(listed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    record, codes, folder = listed
    monkeypatch.setattr(classwide, "_PARALLEL", 2)
    monkeypatch.setattr(classwide, "processors", lambda: 2)
    locations = Locations(assignment_folder.load(folder), folder, str(folder / "gradebook.sqlite"))
    counts: list[tuple[int, int]] = []
    with Gradebook.open(locations.gradebook) as gradebook:
        found = similar_code(gradebook, locations, told=lambda *count: counts.append(count))
    assert found == (record, codes)
    assert counts == [(number, 13) for number in range(1, 14)]


def test_passages_hold_what_both_say(listed: Any) -> None:
    (found,) = listed[1]
    sides = [
        [(code[one.piece].where, one) for one in shapes([piece.text for piece in code])]
        for code in (found.left, found.right)
    ]
    for passage in found.pair.passages:
        said = [
            {one.key for where, one in side if where == span.where and span.first <= one.first <= span.last}
            for side, span in zip(sides, (passage.left, passage.right), strict=True)
        ]
        assert said[0] & said[1], passage


def test_pages_show_both_sides_and_no_markup_of_students(listed: Any) -> None:
    record, codes, folder = listed
    (folder / "similar").mkdir()
    (folder / "similar" / "pair-7.html").write_text("of an earlier run")
    index = write_pages(record, codes, folder / "similar")
    assert sorted(path.name for path in index.parent.iterdir()) == ["index.html", "pair-1.html"]
    for path in index.parent.iterdir():
        text = path.read_text()
        assert "&lt;i&gt;A" in text
        assert not re.search("<i>A|<b>2", text)
        assert not re.search("cheat|plagiar|guilty|suspect|dishonest", text, re.IGNORECASE)
    page = (index.parent / "pair-1.html").read_text()
    assert page.count('class="passage"') == len(record.pairs[0].passages)


def test_a_long_list_is_cut_on_the_page(listed: Any) -> None:
    many = msgspec.structs.replace(listed[0], pairs=listed[0].pairs * 700)
    page = render_class(many, ["pair-1.html"])
    assert page.count("<td><b>") == 500
    assert "and 200 pairs more" in page


def test_the_command_lists_pairs_and_prints_the_record(listed: Any) -> None:
    where = ["--db", str(listed[2] / "gradebook.sqlite"), "--assignment", str(listed[2])]
    told = CliRunner().invoke(command, [*where, "--out", str(listed[2] / "pages")])
    assert told.exit_code == 0, told.output
    assert "1 pair with 30 % or more in common" in told.output
    assert "Bob" in told.output
    printed = CliRunner().invoke(command, [*where, "--json"])
    assert msgspec.json.decode(printed.stdout, type=Similarity) == listed[0]
