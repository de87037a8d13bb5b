"""Whatever a student wrote stays words in JUnit, in tables for spreadsheets and on a terminal."""

from __future__ import annotations

import csv
import io
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from support.report_samples import HOSTILE, everywhere, mixed

from grader.cli import regrade, table
from grader.course.regrade import Change
from grader.course.table import ClassRow
from grader.gradebook.rows import GradeRow, Refusal, Student, SubmissionRow
from grader.gradebook.spreadsheets import write_table
from grader.gradebook.totals import total_of
from grader.model.points import ZERO, Points
from grader.reports import junit
from grader.reports.elsewhere import FORMATS
from grader.reports.progress import BatchProgress, Ended, EndedAs

PIECES = st.sampled_from(
    [
        *("[red]", "[/]", "[/red]", "[link=https://evil.example]", "[bold", "\\[", ":boom:", "[@click=x]"),
        *(
            "\x1b[2J",
            "\x1b]0;t\x07",
            "\x9b31m",
            "\x1b]8;;x\x1b\\",
            "\x00",
            "\x07",
            "\x7f",
            "\r",
            "\n",
            "\r\n",
            "\t",
        ),
        *("=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", ",", ";", '"', '""', "'", "\x0b"),
        *(
            "\u202e",
            "\u2066",
            "\u200b",
            "\ufeff",
            "\u2028",
            "\u2029",
            "\x85",
            "\ud800",
            "\ufffe",
            "\U000e0041",
        ),
        *("<b>", "</testsuite>", "]]>", "&amp;", "&#27;", "<!--", "--"),
    ]
)
WORDS = st.one_of(
    st.lists(st.one_of(PIECES, st.text(max_size=8)), min_size=1, max_size=12).map("".join), st.just(HOSTILE)
)


def is_harmless(text: str) -> bool:
    """Whether nothing in it but newlines controls a terminal or the order of reading."""
    return all(
        letter == "\n" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        for letter in text
    )


def document(word: str) -> str:
    return "".join(junit.suites([(word, everywhere(word))], [(word, word)]))


@settings(max_examples=60)
@given(WORDS)
def test_no_word_in_junit_is_more_than_a_word(word: str) -> None:
    """The XML holds what it holds for harmless words, and a reader gets no control character out of it."""
    shapes = []
    for each in ("word", word):
        root = ElementTree.fromstring(document(each).encode())  # noqa: S314  # our own
        shapes.append([(node.tag, sorted(node.attrib)) for node in root.iter()])
    assert shapes[0] == shapes[1]
    values = (value for node in root.iter() for value in node.attrib.values())
    assert all(is_harmless(value.replace("\t", " ")) for value in values)


@settings(max_examples=60)
@given(WORDS)
def test_no_word_in_a_jobs_summary_is_more_than_a_word(word: str) -> None:
    """GitHub's Markdown: as many headings, rows and blocks as for harmless words, no link, no HTML."""
    shapes = []
    for each in ("word", word):
        tokens = (
            MarkdownIt("commonmark")
            .enable(["table", "strikethrough"])
            .parse(FORMATS["github"].graded(everywhere(each)))
        )
        inline = {inner.type for token in tokens for inner in token.children or ()}
        assert inline <= {"text", "text_special", "strong_open", "strong_close"}
        shapes.append([token.type for token in tokens])
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("word", ['"/><testsuite name="', "\x1b", "&"])
def test_a_careless_junit_would_be_seen(word: str) -> None:
    careless = f'<testsuites><testsuite name="{word}"/></testsuites>'
    try:
        found = ElementTree.fromstring(careless)  # noqa: S314
    except ElementTree.ParseError:
        return
    assert len(found) != 1


@settings(max_examples=200)
@given(st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_word_in_a_table_is_more_than_a_word(rows: list[list[str]]) -> None:
    """As many rows and cells as were written, none a formula; also to a reader that splits at line ends."""
    text = "".join(write_table(["a", "b", "c"], rows))
    assert len(text.splitlines()) == 1 + len(rows)
    read = list(csv.reader(io.StringIO(text)))
    assert [len(row) for row in read] == [3] * (1 + len(rows))
    for cell in (cell for row in read for cell in row):
        assert is_harmless(cell)
        assert not cell.startswith(("=", "+", "-", "@", " ")) or cell.replace("-", "", 1).isdecimal()


def submission(word: str) -> SubmissionRow:
    return SubmissionRow(1, word, word, word, word, word, word, word)


def graded(word: str) -> GradeRow:
    return GradeRow(submission(word), word, "[]", ZERO, ZERO, ZERO, word, word, word, attention=word)


def show_class(word: str, console: Console) -> None:
    student = Student(word, word, word, word)
    rows = [
        ClassRow(student, graded(word), total_of((), {}), extended_until="2026-11-30"),
        ClassRow(student, None, None, ungraded=word),
        ClassRow(student, None, None, refused=(Refusal(word, word),)),
    ]
    table.show(rows, console, with_late=True)
    for line in (*table.about_extensions(rows), *table.about_attention(rows)):
        console.print(table.Text(line))


def show_changes(word: str, console: Console) -> None:
    change = Change(graded(word), word, Points.of(1), Points.of(2), (word, word))
    regrade.show([change], [word], [Ended(word, EndedAs.REFUSED, why=word)], console)


def show_batch(word: str, console: Console) -> None:
    with BatchProgress(console, total=2, clock=lambda: 0.0) as progress:
        progress.ended(Ended(word, EndedAs.GRADED, Points.of(1), Points.of(2), Points.of(3)))
        progress.ended(Ended(word, EndedAs.REFUSED, why=word))


@pytest.mark.parametrize("show", [show_class, show_changes, show_batch])
@settings(max_examples=60)
@given(word=WORDS)
def test_no_word_on_a_terminal_is_more_than_a_word(show, word: str) -> None:
    """Nothing is obeyed: neither by the terminal nor by the library that draws tables."""
    screen = io.StringIO()
    show(word, Console(file=screen, width=200, color_system=None, legacy_windows=False))
    assert is_harmless(screen.getvalue())


@pytest.mark.parametrize("show", [show_class, show_changes, show_batch])
def test_markup_is_shown_as_it_is(show) -> None:
    screen = io.StringIO()
    show("[red]ada[/red]", Console(file=screen, width=200, color_system=None, legacy_windows=False))
    assert "[red]ada[/red]" in screen.getvalue()
    careless = io.StringIO()
    Console(file=careless, width=200, color_system=None).print("[red]ada[/red]")
    assert "[red]" not in careless.getvalue()  # the control


def test_a_harmless_grade_has_a_suite() -> None:
    assert "<testsuite " in "".join(junit.suites([("hw3", mixed())], []))
