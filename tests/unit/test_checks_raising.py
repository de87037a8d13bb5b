"""What the task asks to be raised is raised, by class or by a class above it; anything else is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader import assert_raises
from grader.model.errors import AuthorError, CallTimedOut, CheckFailed, MissingName, StudentError
from grader.session.in_process import LocalNotebook
from grader.session.proxy import Student


class TooSmall(ValueError):
    """A class that a student wrote."""


def root(n: float, *, exact: bool = False) -> float:
    if n < 0:
        raise TooSmall(f"{n} is negative")
    if exact:
        raise TypeError("exact")
    return n**0.5


def later() -> None:
    raise NotImplementedError


def leave() -> None:
    raise SystemExit(3)


@pytest.fixture
def student() -> Iterator[Student]:
    names = {"root": root, "later": later, "leave": leave, "TooSmall": TooSmall}
    with LocalNotebook(names).copy(seed=1, seconds=1) as session:
        yield session.student


@pytest.mark.parametrize("error", [ValueError, Exception, (KeyError, ValueError), "its own"])
def test_the_class_or_one_above_it(student, error):
    caught = assert_raises(student.TooSmall if error == "its own" else error, student.root, -1)
    assert (caught.kind, str(caught)) == ("TooSmall", "-1 is negative")


def test_named_arguments_reach_the_function(student):
    assert assert_raises(TypeError, student.root, 1, exact=True).kind == "TypeError"


def test_nothing_raised_is_the_students_failure(student):
    with pytest.raises(CheckFailed, match=r"nothing was raised, expected KeyError or TooSmall\."):
        assert_raises((KeyError, student.TooSmall), student.root, 4)


def test_another_exception_is_the_students_and_named_as_such(student):
    with pytest.raises(StudentError) as caught:
        assert_raises(ValueError, student.root, 1, exact=True)
    assert caught.value.kind == "TypeError"


@pytest.mark.parametrize("error", [Exception, RuntimeError])
def test_a_stub_counts_only_where_it_is_named(student, error):
    with pytest.raises(NotImplementedError):
        assert_raises(error, student.later)
    assert_raises(NotImplementedError, student.later)


def test_leaving_is_an_exception_too(student):
    assert_raises(SystemExit, student.leave)


@pytest.mark.parametrize("error", [Exception, NameError])
def test_a_missing_name_is_no_exception_of_its_code(student, error):
    with pytest.raises(MissingName):
        assert_raises(error, student.nothing, 1)


def test_a_time_out_is_no_exception_of_its_code():
    def endless() -> None:
        while True:
            pass

    with (
        LocalNotebook({"f": endless}).copy(seed=1, seconds=0.1) as session,
        pytest.raises(CallTimedOut),
    ):
        assert_raises(BaseException, session.student.f)


@pytest.mark.parametrize("error", ["ValueError", None, ValueError("x"), int])
def test_what_is_no_class_of_exceptions_is_the_authors(student, error):
    with pytest.raises(AuthorError, match=r"assert_raises\(ValueError, student.f, -1\)"):
        assert_raises(error, student.root, -1)
