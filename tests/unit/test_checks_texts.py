"""Texts and sets: what is equal, what is not, and what a message says."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from grader import assert_same_set, assert_text
from grader.model.errors import AuthorError, CheckFailed
from grader.session.in_process import LocalNotebook


def test_a_text_is_equal_as_it_is():
    assert_text("a b\n", "a b\n")
    assert_text("A  b\n", "a b", case=False, whitespace=False)


@pytest.mark.parametrize(
    ("have", "want", "options", "said"),
    [
        ("abd", "abc", {}, "differs from character 3 on.*got 'abd', expected 'abc'"),
        ("one\ntwo", "one\ntoo", {}, "line 2, character 2"),
        ("abc", "abcd", {}, r"got 'abc' \(its end\), expected 'abcd'"),
        ("a b", "a  b", {}, "character 3"),
        ("A", "a", {"whitespace": False}, "'A', expected 'a'"),
        ("a b", "ab", {"whitespace": False, "case": False}, "character 2"),
        (None, "a", {}, "is None, expected a text.*return"),
        (5, "5", {}, "of type int, expected a text"),
        (["a"], "a", {}, "of type list"),
    ],
)
def test_a_text_that_differs_is_shown_where_it_does(have, want, options, said):
    with pytest.raises(CheckFailed, match=f"(?s){said}"):
        assert_text(have, want, **options)


def test_a_long_text_is_shown_around_the_difference_alone():
    with pytest.raises(CheckFailed) as caught:
        assert_text("x" * 10**6 + "\x1b[31m" + "y" * 10**6, "x" * 10**6 + "z" + "y" * 10**6)
    assert f"character {10**6 + 1:d}" in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\x1b" not in str(caught.value)


def test_the_expected_text_is_a_text():
    with pytest.raises(AuthorError, match="not a text"):
        assert_text("a", 5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("have", "want", "counts"),
    [
        ({1, 2}, [2, 1], False),
        ([1, 2, 2], {1, 2}, False),
        ((2, 1, 2), [1, 2, 2], True),
        (np.array([3, 1]), {1, 3}, False),
        (np.array([[1, 2], [3, 4]]), [(3, 4), (1, 2)], True),
        ([0.1 + 0.2, 1], [0.3, 1], True),
        ([0.1 + 0.2, 0.3], [0.3], False),
        ({1e-17, 1.0}, {0.0, 1.0}, True),
        ([[0.1 + 0.2, "a"]], {(0.3, "a")}, False),
        (["b", "a"], ("a", "b"), True),
        ([math.nan, 1], [1, math.nan], True),
        ([True, None, "x"], {None, "x", 1}, False),
        ({2**70, 1.5}, [1.5, 2**70], True),
        ({frozenset({1})}, [{1}], False),
        (set(), [], True),
        (range(3), [2, 1, 0], True),
    ],
)
def test_the_same_members(have, want, counts):
    assert_same_set(have, want, counts=counts)


@pytest.mark.parametrize(
    ("have", "want", "counts", "said"),
    [
        ({1, 2}, {1, 3}, False, "lacks 3 and has 2 too much; 2 members were expected"),
        ([1, 2, 2], [1, 2], True, "has 2 too much"),
        ([1], [1, 1], True, "lacks 1"),
        ([0.3, 0.3], [0.3, 0.4], True, "lacks 0.4 and has 0.3"),
        ({"1"}, {1}, False, "lacks 1 and has '1' too much"),
        ({1.0001}, {1.0}, False, "lacks 1.0"),
        ({10**400}, {1e300}, False, "too much"),
        (None, {1}, False, "is None, expected a set or a list"),
        ("ab", ["a", "b"], False, "of type str"),
        ({"a": 1}, ["a"], False, "of type dict"),
        (np.array(5), [5], False, "a single number"),
        ([{"a": 1}], [1], False, "members that cannot be compared"),
        (set(range(100)), set(), False, "and 95 more too much"),
    ],
)
def test_other_members_are_named(have, want, counts, said):
    with pytest.raises(CheckFailed, match=said):
        assert_same_set(have, want, counts=counts)


@pytest.mark.parametrize("want", ["ab", [{"a": 1}]])
def test_what_is_expected_can_be_compared(want):
    with pytest.raises(AuthorError):
        assert_same_set({1}, want)


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("shape", [(100_000,), (20_000, 2)])
def test_many_members_take_little_time(counts, shape):
    values = np.random.default_rng(1).normal(size=shape)
    began = time.process_time()
    if len(shape) == 1:
        assert_same_set(values * (1 + 1e-12), values[::-1], counts=counts)
    else:  # pairs that differ by rounding are looked for within a bound
        with pytest.raises(CheckFailed):
            assert_same_set(values * (1 + 1e-12), values[::-1], counts=counts)
    assert time.process_time() - began < 20


def test_proxies_are_fetched():
    names = {"kept": type("Kept", (), {"text": "a", "members": [1, 2]})}
    with LocalNotebook(names).copy(seed=1, seconds=5) as session:
        assert_text(session.student.kept.text, "a")
        assert_same_set(session.student.kept.members, {2, 1})
        with pytest.raises(AuthorError):
            assert_same_set([1], session.student.kept.members)
