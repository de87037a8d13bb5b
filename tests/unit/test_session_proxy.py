"""What a check holds in its hand: plain data answers as itself, and a student's object decides nothing."""

from __future__ import annotations

import copy
import json
import math
import operator
from collections.abc import Iterator

import numpy as np
import pytest

from grader.inside import codec
from grader.inside.media_types import EVIDENCE, MAX_RECORDING, MAX_RECORDINGS, PNG
from grader.model.errors import (
    AuthorError,
    CallTimedOut,
    CheckError,
    Fault,
    SandboxDied,
    StudentError,
    UnsupportedValue,
)
from grader.model.records import CellStatus
from grader.model.values import Remote
from grader.session.in_process import LocalNotebook
from grader.session.notebook import run_cell
from grader.session.proxy import Student
from grader.session.session import Session


class Box:
    """An object of the student's whose operators would lie if they were asked."""

    def __init__(self) -> None:
        self.params = {"W": np.ones((2, 2))}

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> float:
        return 1.0

    def __len__(self) -> int:
        return 3


def run(source: str) -> None:
    exec(source, {})


@pytest.fixture
def student() -> Iterator[Student]:
    with LocalNotebook({"box": Box(), "Box": Box, "one": 1.0, "run": run}).copy(seed=1, seconds=5) as session:
        yield session.student


ASKED = {
    "bool": bool,
    "not": operator.not_,
    "==": lambda p: p == 1,
    "== from the left": lambda p: 1 == p,  # noqa: SIM300
    "!=": lambda p: p != 1,
    "== array": lambda p: p == np.ones(2),
    "array ==": lambda p: np.ones(2) == p,
    "<": lambda p: p < 1,
    ">=": lambda p: p >= 1,
    "float": float,
    "int": int,
    "complex": complex,
    "round": round,
    "index": operator.index,
    "math.sqrt": math.sqrt,
    "math.floor": math.floor,
    "len": len,
    "iter": iter,
    "list": list,
    "unpacking": lambda p: [*p],
    "in": lambda p: 1 in p,
    "reversed": reversed,
    "sum": sum,
    "max": max,
    "+": lambda p: p + 1,
    "+ from the left": lambda p: 1 + p,
    "array +": lambda p: np.ones(2) + p,
    "- from the left": lambda p: 1 - p,
    "*": lambda p: p * 2,
    "/": lambda p: p / 2,
    "@": lambda p: p @ np.eye(2),
    "array @": lambda p: np.eye(2) @ p,
    "**": lambda p: p**2,
    "//": lambda p: p // 2,
    "%": lambda p: p % 2,
    "divmod": lambda p: divmod(p, 2),
    "negative": operator.neg,
    "positive": operator.pos,
    "~": operator.invert,
    "abs": abs,
    "&": lambda p: p & 1,
    "|": lambda p: p | 1,
    "<<": lambda p: p << 1,
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.float64": np.float64,
    "np.sum": np.sum,
    "np.allclose": lambda p: np.allclose(p, 1),
    "np.exp": np.exp,
    "np.linalg.norm": np.linalg.norm,
    "assert_allclose": lambda p: np.testing.assert_allclose(p, 1),
    "assert": lambda p: [1 for _ in "x" if p],
}


def outcome_of(ask, value):
    """What comes of asking, as something that can be compared."""
    try:
        found = ask(value)
    except CheckError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever Python says to it
        return type(error)
    return [*found] if isinstance(found, Iterator) else found


PLAIN = {"array": [np.ones((2, 2)), np.full(3, -2.5)], "number": [1.0, 7], "rest": [[3, 1], (), None]}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("kind", PLAIN)
def test_plain_data_behind_a_proxy_answers_as_itself(student, ask, kind):
    for value in PLAIN[kind]:
        student.kept = value
        student.box.kept = value
        expected = outcome_of(ask, value)
        for proxy in (student.kept, student.box.kept):
            np.testing.assert_equal(outcome_of(ask, proxy), expected)


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("which", ["object", "below", "global", "notebook"])
def test_an_objects_own_operators_are_never_asked(student, ask, which):
    """Whose fault that is, the reference decides."""
    student.Box.twin = student.Box()
    proxy = {
        "object": student.Box(),
        "below": student.Box().twin,
        "global": student.box,
        "notebook": student,
    }[which]
    with pytest.raises(AuthorError, match=r"\.value") as caught:
        ask(proxy)
    assert caught.value.fault is Fault.AUTHOR


def test_an_operator_of_the_students_is_called_over_there(student):
    """By the line that the message names; what it gives is judged here."""
    with pytest.raises(AuthorError, match=r"student\.provide\(") as caught:
        student.Box() + 1
    line = str(caught.value).rpartition("called over there: ")[2]
    assert eval(line, {"student": student, "a": 2, "b": 3}) == 5  # noqa: S307  # the message is ours


def test_an_attribute_is_changed_in_place(student):
    student.box.params["W"] += 1
    student.box.n = 2
    student.box.n *= 3
    assert student.box.params["W"].value.tolist() == [[2, 2], [2, 2]]
    assert student.box.n.value == 6


def test_parts_of_plain_data_are_taken_here(student):
    W = student.box.params["W"]
    student.box.shape = (4, 5, 6)
    assert student.box.shape[1:] == (5, 6)
    assert W[:, 0].tolist() == [1, 1]
    assert W[..., 0].tolist() == [1, 1]
    first, *rest = student.box.shape
    assert (first, rest) == (4, [5, 6])


def test_a_list_of_objects_is_gone_through_object_by_object(student):
    student.box.layers = [student.Box(), student.Box()]
    assert len(student.box.layers) == 2
    assert [layer.params["W"].value.sum() for layer in student.box.layers] == [4, 4]


def test_a_text_is_written_as_itself_and_an_object_as_what_it_is(student):
    student.box.name = "relu"
    assert f"{student.box.name}: {student.one:.2f}" == "relu: 1.00"
    assert str(student.Box()) == "<the student's Box object>"
    assert str(student) == "<the student's notebook>"


def test_a_copy_of_plain_data_stays_as_it_was(student):
    before = copy.deepcopy(student.box.params)
    student.box.params["W"] += 1
    assert before["W"].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("raise ValueError('n must be positive')", ValueError, "^n must"),
        ("raise ValueError('n must be positive')", StudentError, "positive$"),
        ("{}['W']", KeyError, "W"),
        ("{}['W']", LookupError, "W"),
        ("open('/nothing')", FileNotFoundError, "nothing"),
        ("open('/nothing')", OSError, "nothing"),
        ("b'\\xff'.decode()", UnicodeError, "0xff"),
        ("1 / 0", ArithmeticError, "zero"),
        ("import numpy; numpy.linalg.inv(numpy.zeros((2, 2)))", np.linalg.LinAlgError, "Singular"),
        ("import numpy; numpy.zeros(3).sum(axis=2)", ValueError, "axis 2"),
        ("import numpy; numpy.zeros(3).sum(axis=2)", IndexError, "axis 2"),
        ("class Own(TypeError): pass\nraise Own('own')", TypeError, "own"),
        ("assert False, 'no'", AssertionError, "no"),
        ("raise NotImplementedError('later')", NotImplementedError, "later"),
        ("raise MemoryError('all')", MemoryError, "all"),
        ("import json; json.loads('x')", ValueError, "Expecting"),
    ],
)
def test_an_exception_of_the_students_is_caught_as_what_it_is(student, source, error, said):
    with pytest.raises(error, match=said) as caught:
        student.run(source)
    assert isinstance(caught.value, StudentError)
    assert caught.value.fault is Fault.STUDENT


@pytest.mark.parametrize("error", ["StopIteration", "SystemExit", "KeyboardInterrupt", "GeneratorExit"])
def test_an_exception_that_ends_more_than_a_call_is_only_named(student, error):
    with pytest.raises(StudentError) as caught:
        student.run(f"raise {error}")
    assert caught.value.kind == error
    assert isinstance(caught.value, Exception)
    assert not isinstance(caught.value, StopIteration)


def test_an_attribute_error_behind_value_is_raised_and_not_taken_for_a_path(student):
    with pytest.raises(AttributeError, match="nothing"):
        _ = student.box.nothing.value
    with pytest.raises(AttributeError):
        len(student.box.nothing)


@pytest.mark.parametrize(
    "bases", [None, 5, [5, None], ["object"] * 99, ["eval", "print"], ["__import__"], [[]]]
)
def test_whatever_the_bases_of_an_error_are_said_to_be(bases):
    student = Session(Scripted(codec.ERROR, error(kind="Own", bases=bases)), seconds=1).student
    with pytest.raises(StudentError) as caught:
        student.f()
    assert isinstance(caught.value, StudentError)
    assert not isinstance(caught.value, ValueError | OSError)


def test_a_proxy_names_itself_by_its_path(student):
    assert repr(student.box.params["W"]) == "<the student's box.params['W']>"
    assert repr(student["box"]) == "<the student's ['box']>"
    assert repr(student.Box().params) == "<the student's Box object.params>"
    assert repr(student) == "<the student's notebook>"


def test_a_function_is_called_what_the_check_called_it(student):
    assert student.run.__name__ == "run"
    assert student.box.params.__name__ == "params"
    assert not hasattr(student.Box(), "__name__")


def test_a_proxy_is_a_remote_value_and_can_be_kept_in_sets(student):
    proxy = student.Box()
    assert isinstance(proxy, Remote)
    assert len({proxy, student.Box()}) == 2


@pytest.mark.parametrize("name", ["__wrapped__", "_repr_pretty_", "_repr_html_", "_ipython_display_"])
def test_names_that_libraries_ask_of_each_object_are_no_paths(student, name):
    assert not hasattr(student.box, name)
    assert not hasattr(student, name)


@pytest.mark.parametrize(
    "argument",
    [object(), {frozenset()}, range(2**62), np.array([object()]), slice(1)],
    ids=lambda value: type(value).__name__,
)
def test_an_argument_that_cannot_cross_is_the_authors(student, argument):
    with pytest.raises(AuthorError, match="pass numbers, strings, lists, dicts, arrays or proxies"):
        student.Box(argument)
    with pytest.raises(AuthorError):
        student.box.params["W"] = argument
    with pytest.raises(AuthorError):
        student.put([argument])


# -- answers of a transport that says anything ---------------------------------------------------------


class Scripted:
    """A transport that answers with one prepared frame."""

    def __init__(self, kind: int, node: object) -> None:
        self.answer = kind, json.dumps(node).encode(), b""

    def exchange(self, *_: object, **__: object) -> tuple[int, bytes, bytes]:
        return self.answer


def dictionary(**entries: object) -> dict[str, object]:
    return {"$": "dict", "of": [[key, value] for key, value in entries.items()]}


def error(**changed: object) -> dict[str, object]:
    fields: dict[str, object] = {"kind": "K", "message": "m", "traceback": "t", "unsupported": ""}
    return dictionary(**(fields | changed))


@pytest.mark.parametrize(
    ("kind", "node", "expected"),
    [
        (codec.ERROR, error(), StudentError),
        (codec.ERROR, error(unsupported="a set"), UnsupportedValue),
        (codec.ERROR, error(kind=1), SandboxDied),
        (codec.ERROR, error(message=None), SandboxDied),
        (codec.ERROR, [], SandboxDied),
        (codec.ERROR, dictionary(kind="x"), SandboxDied),
        (codec.REPLY, {"$": "ref", "id": "0", "type": "x"}, SandboxDied),
        (codec.REPLY, {"$": "ref", "id": True, "type": "x"}, SandboxDied),
        (codec.REPLY, {"$": "ref", "id": 2**62, "type": "x"}, SandboxDied),
        (codec.REPLY, {"$": "ref", "id": 1}, SandboxDied),
        (codec.REPLY, {"$": "nothing"}, SandboxDied),
        (codec.REPLY, dictionary(a={"$": "ref", "id": 1, "type": 5}), SandboxDied),
        (codec.REPLY, {"$": "dict", "of": [[{"$": "ref", "id": 1, "type": "x"}, 1]]}, SandboxDied),
    ],
)
def test_whatever_comes_back_is_at_most_the_students_failure(kind, node, expected):
    with pytest.raises(expected) as caught:
        Session(Scripted(kind, node), seconds=1).student.name()
    assert isinstance(caught.value, expected)
    assert caught.value.fault is Fault.STUDENT


def test_texts_of_an_error_are_bounded():
    with pytest.raises(StudentError) as caught:
        Session(
            Scripted(codec.ERROR, error(kind="k" * 9999, message="m" * 9999, traceback="t" * 9999)), seconds=1
        ).student.f()
    assert (len(caught.value.kind), len(caught.value.message), len(caught.value.traceback)) == (
        100,
        2000,
        4000,
    )


@pytest.mark.parametrize("verb", ["put", "provide"])
def test_a_verb_that_must_give_an_object_is_not_fooled(verb):
    student = Session(Scripted(codec.REPLY, 5), seconds=1).student
    with pytest.raises(SandboxDied, match=verb):
        getattr(student, verb)("x = 1")


def test_has_is_true_only_for_true():
    assert Session(Scripted(codec.REPLY, 1), seconds=1).student.has("x") is False


@pytest.mark.parametrize("node", [5, None, [], dictionary(ok=1), dictionary(ok=False, kind=3, message=[])])
def test_a_cells_result_may_be_anything(node):
    run = run_cell(Session(Scripted(codec.REPLY, node), seconds=1), "1", seconds=1)
    assert run.status in (CellStatus.OK, CellStatus.RAISED)
    assert isinstance(run.error, str)


@pytest.mark.parametrize("node", [None, ["stdout"], ["screen", "x"], ["stdout", 5], "stdout", [1, "x"]])
def test_a_malformed_stream_is_no_output(node):
    session = Session(Scripted(codec.REPLY, None), seconds=1)
    with pytest.raises(codec.WireError):
        session._on_output(codec.STREAM, json.dumps(node).encode(), b"")


def test_output_is_bounded_whatever_comes():
    session = Session(Scripted(codec.REPLY, None), seconds=1)
    for _ in range(200):
        session._on_output(codec.STREAM, json.dumps(["stdout", "x" * 10_000]).encode(), b"")
        session._on_output(codec.STREAM, json.dumps(["stderr", ""]).encode(), b"")
        session._on_output(
            codec.DISPLAY,
            json.dumps(dictionary(**{PNG: {"$": "bytes", "length": 1}})).encode(),
            b"\xff",
        )
        session._on_output(
            codec.DISPLAY,
            json.dumps(dictionary(**{EVIDENCE: {"$": "bytes", "length": 2}})).encode(),
            b"\xff{",
        )
        session._on_output(codec.DISPLAY, json.dumps(dictionary(**{EVIDENCE: "text"})).encode(), b"")
        session._on_output(codec.DISPLAY, b"[]", b"")
    assert len(session.written) < 600_000
    assert session.written.endswith("[output truncated]\n")
    assert len(session.pictures) == 50
    assert session.evidence == [b"\xff{"] * MAX_RECORDINGS
    session.forget_output()
    assert (session.written, session.pictures, session.evidence) == ("", [], [])
    large = json.dumps(dictionary(**{EVIDENCE: {"$": "bytes", "length": MAX_RECORDING + 1}})).encode()
    session._on_output(codec.DISPLAY, large, b" " * (MAX_RECORDING + 1))
    assert session.evidence == []


def test_errors_of_the_transport_pass_through():
    class Late(Scripted):
        def exchange(self, *_: object, **__: object):
            raise CallTimedOut("late")

    with pytest.raises(CallTimedOut):
        Session(Late(codec.REPLY, None), seconds=1).student.f()
