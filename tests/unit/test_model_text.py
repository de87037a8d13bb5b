"""Foreign text is cleaned before anyone sees it."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model.text import clean, counted, excerpt, one_line, printable, snippet, storable

NASTY = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x1b[]m0;\x07\r\n\t\x9b\u202e\u2066\u200b\ufeff\u2028\x00\x7f\\PK"),
        st.characters(categories=["Cs", "Cf", "Cc"]),
    ),
    max_size=200,
)


def is_harmless(text: str) -> bool:
    return all(each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cf", "Cs"} for each in text)


@settings(derandomize=True)
@given(NASTY, st.integers(1, 80))
def test_no_control_bidi_or_invisible_character_survives(text: str, limit: int) -> None:
    assert is_harmless(clean(text, limit))
    assert is_harmless(excerpt(text, limit=limit, lines=5))
    assert is_harmless(one_line(text, limit))


@settings(derandomize=True)
@given(NASTY, st.integers(1, 80))
def test_length_is_bounded(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit
    assert len(one_line(text, limit)) <= limit
    assert "\n" not in one_line(text, limit)
    assert len(excerpt(text, limit=limit, lines=5)) <= limit + 60  # and the line that counts what is missing


@settings(derandomize=True)
@given(NASTY)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text, 10_000)
    assert clean(once, 10_000) == once


@settings(derandomize=True)
@given(NASTY)
def test_what_comes_back_can_be_written_as_utf8(text: str) -> None:
    clean(text, 10_000).encode("utf-8")


@settings(derandomize=True)
@given(
    st.text(
        alphabet=st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u115f\u1160\u3164\uffa0")
    )
)
def test_plain_text_is_left_alone(text: str) -> None:
    assert clean(text, 10_000) == text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;196;1mred", "red"),
        ("\x1b]0;new title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]never ended", ""),
        ("one\r\ntwo", "one\ntwo"),
        (" 10%\r 50%\r100%\ndone", "100%\ndone"),
        ("100%\r", "100%"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "abcde"),
        ("a\u2028b", "a\nb"),
        ("\ud800", "\ufffd"),
        ("tab\tstays", "tab\tstays"),
        ("naïve ∂L/∂W ✓ 深度", "naïve ∂L/∂W ✓ 深度"),
    ],
)
def test_a_reader_sees_what_was_meant(written: str, seen: str) -> None:
    assert clean(written, 100) == seen


def test_a_cut_is_marked() -> None:
    assert clean("abcdef", 4) == "abc…"
    assert clean("abcd", 4) == "abcd"
    assert one_line("  a \n b\t c  ", 100) == "a b c"


def test_an_excerpt_keeps_the_beginning_and_the_end() -> None:
    text = "\n".join(f"line {number}" for number in range(1, 101))
    assert excerpt(text, limit=1_000, lines=6).split("\n") == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
        "… 94 lines left out …",
        "line 99",
        "line 100",
    ]
    assert (
        excerpt("a" * 50 + "b" * 50, limit=30, lines=5)
        == "a" * 20 + "\n… 70 characters left out …\n" + "b" * 10
    )


@pytest.mark.parametrize("unit", ["\x1b]", "\x1b[", "\x1b[1;", "\r", "a", "\u202e", "\n", "\x1bP\x1b"])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    started = time.process_time()
    clean(unit * 200_000, 1_000)
    assert time.process_time() - started < 20  # a fraction of a second; a quadratic pass takes minutes


@given(NASTY, st.integers(1, 60))
def test_a_snippet_is_bounded_and_printable(text: str, limit: int) -> None:
    line = snippet(text, limit=limit)
    assert len(line) <= limit
    assert line.isprintable()


def test_a_snippet_keeps_words_and_says_when_it_is_cut() -> None:
    assert snippet("a\x1b[31m b\u202e\nc") == "a b c"
    assert snippet("a" * 100, limit=5) == "aaaa…"
    assert snippet("a" + " " * 10_000_000 + "b", limit=5) == "a…"


def test_a_name_keeps_a_sign_for_what_cannot_be_printed() -> None:
    assert printable("a\x00b\u202e.py") == "a?b?.py"
    assert printable("abcdef", limit=4) == "abc…"


def test_what_is_stored_has_plain_newlines_and_no_half_characters() -> None:
    assert storable("a\r\nb\rc\x1b") == "a\nb\nc\x1b"
    assert storable("x\ud800") == "x\ufffd"
    assert storable("\ud83d\ude00") == "\U0001f600"


def test_one_of_a_thing_is_singular() -> None:
    assert [counted(count, "line", "lines") for count in (0, 1, 2_000)] == [
        "0 lines",
        "1 line",
        "2,000 lines",
    ]
    assert "… 1 line left out …" in excerpt("a\nb\nc", limit=100, lines=2)
