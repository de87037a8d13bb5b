"""What checks ask of a student's object by Python's own functions, such as ``isinstance`` and ``type``.

A proxy only makes a path longer, so Python's own would call everything there and nothing a list. Files of
checks, and the author's helpers beside them, find these under Python's names.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from types import GeneratorType
from typing import Any

import pytest

from grader.grading.pytest_run import modules_of
from grader.inside.codec import OBJECT
from grader.model.errors import AuthorError, StudentError, UnsupportedValue
from grader.session.proxy import FETCH, Proxy, Student

_NOTHING = object()

PLAIN = frozenset({"builtins", "collections", "numbers", "numpy", "pandas", "types", "typing"})
"""Where the types of plain data are defined, and their abstract ones."""

THERE = """
import sys

def found(kind):
    return getattr(sys.modules.get(kind[0]), kind[1], None) if type(kind) is list else kind

def is_a(value, kind):
    names = [type(value).__module__, type(value).__qualname__]
    return names == kind or isinstance(found(kind), type) and isinstance(value, found(kind))

def is_below(value, kind):
    return isinstance(value, type) and isinstance(found(kind), type) and issubclass(value, found(kind))
"""
"""Asked on the side of a student's object, of a class there, or of one that is known by module and name."""

NO_TYPE = (
    "type(...) of a student's object is this side's stand-in, whatever the object is: ask "
    "isinstance(x, student.Net), or fetch plain data with `.value`"
)
NEXT = (
    "next(...) of what a student's iterator gives, which comes here whole, as a list: write "
    "next(iter(student.batches())), or `for batch in student.batches()`"
)
VARS = "vars(...) of a student's object stays on its side: ask hasattr(x, name), and fetch `x.name.value`"
NOT_THE_SAME = (
    "`is` compares this side's stand-ins for a student's objects: write `student.flag.value is True` of "
    'plain data, and of objects student.provide("def same(a, b): return a is b").same(x, y)'
)


class Questions:
    """A part of a pytest plugin: collected files of checks find the functions below."""

    def pytest_pycollect_makeitem(self, name: str, obj: object) -> None:
        """Refuse what looks like checks and would not be run. Raises AuthorError."""
        refuse_unittest(name, obj)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Give the author's modules the functions, unless they have their own."""
        for module in modules_of(session.config.rootpath):
            for name, function in ANSWERS.items():
                vars(module).setdefault(name, function)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Refuse an assertion that no solution meets. Raises AuthorError."""
        if op == "is" and (_is_open(left, right) or _is_open(right, left)):
            raise AuthorError(NOT_THE_SAME)
        if any(isinstance(one, type) and issubclass(one, Proxy) for one in (left, right)):
            raise AuthorError(NO_TYPE)


def _is_open(value: object, other: object) -> bool:
    """Whether `is` says nothing of what is behind a proxy: from calls, True, False and None come as such."""
    is_object = isinstance(value, Proxy) and not value._where()[1]
    return isinstance(value, Proxy) and not (is_object and any(other is one for one in (True, False, None)))


def has(value: object, name: str, /) -> bool:
    """Whether the object on the student's side has this attribute; other errors are theirs."""
    if not isinstance(value, Proxy):
        return hasattr(value, name)
    if isinstance(value, Student):
        return name in dir(Student) or value.has(name)
    if name.startswith("__"):
        return hasattr(value._plain(f"`{name}`", FETCH), name)
    try:
        value._below(("attribute", name)).value  # noqa: B018  # asking is what counts
    except UnsupportedValue:
        return True
    except StudentError as error:
        if "AttributeError" not in error.kinds:
            raise
        return False
    return True


def got(value: object, name: str, default: object = _NOTHING, /) -> Any:
    """The attribute, or the default where there is none."""
    if default is not _NOTHING and isinstance(value, Proxy) and not has(value, name):
        return default
    return getattr(value, name) if default is _NOTHING else getattr(value, name, default)


def is_instance(value: object, kinds: Any, /) -> bool:
    """Whether plain data is of a kind, or a student's object, as its own side says."""
    return any(_is_of_kind(value, kind) for kind in _each(kinds))


def _is_of_kind(value: object, kind: Any) -> bool:
    if not isinstance(value, Proxy) and not isinstance(kind, Proxy):
        return isinstance(value, kind)
    if kind is object:
        return True
    if isinstance(value, Proxy) and not isinstance(kind, Proxy) and _is_plain_kind(kind):
        with suppress(AuthorError):
            return isinstance(value._plain("the type", FETCH), kind)
    return _says(kind if isinstance(kind, Proxy) else value, "is_a", value, kind)


def is_subclass(kind: Any, bases: Any, /) -> bool:
    """Whether a class is below another, as its own side says of a student's."""
    return any(
        _says(kind if isinstance(kind, Proxy) else base, "is_below", kind, base)
        if isinstance(kind, Proxy) or isinstance(base, Proxy)
        else issubclass(kind, base)
        for base in _each(bases)
    )


def _each(kinds: Any) -> tuple[Any, ...]:
    several = kinds if isinstance(kinds, tuple) else getattr(kinds, "__args__", ()) or (kinds,)
    return tuple(type if kind is TypeOf else kind for kind in several)


def _is_plain_kind(kind: Any) -> bool:
    """Whether plain data can be of a kind; an iterator's is gone once it is plain data."""
    return kind.__module__.partition(".")[0] in PLAIN and kind not in (Generator, Iterator, GeneratorType)


def _says(theirs: Any, question: str, value: object, kind: Any) -> bool:
    """What the side of a student's object or class says."""
    there = theirs._session.request("provide", THERE)
    value, kind = (
        [one.__module__, one.__qualname__] if isinstance(one, type) else one for one in (value, kind)
    )
    return getattr(there, question)(value, kind) is True


class TypeOf(type):
    """``type`` as files of checks find it: of a student's plain data, that data's."""

    def __new__(cls, value: Any, *rest: Any, **named: Any) -> Any:  # noqa: D102  # as type's
        if rest or named:
            return super().__new__(cls if cls is not TypeOf else type, value, *rest, **named)
        if not isinstance(value, Proxy):
            return type(value)
        try:
            return type(value._plain("the type", NO_TYPE))
        except AuthorError:
            raise AuthorError(NO_TYPE) from None

    def __class_getitem__(cls, key: Any) -> Any:
        return type[key]


def following(value: Any, /, *default: Any) -> Any:
    """``next``, of what is an iterator here."""
    if isinstance(value, Proxy) or type(value) is list:
        raise AuthorError(NEXT)
    return next(value, *default)


def variables(value: Any, /) -> Any:
    """``vars``, of what is here."""
    if isinstance(value, Proxy):
        raise AuthorError(VARS)
    return vars(value)


def can_be_called(value: object, /) -> bool:
    """Whether it is no plain data; whether a student's object can be called shows when it is."""
    if not isinstance(value, Proxy):
        return callable(value)
    try:
        value.value  # noqa: B018  # asking is what counts
    except UnsupportedValue as error:
        return OBJECT in str(error)
    return False


ANSWERS = {
    "hasattr": has,
    "getattr": got,
    "isinstance": is_instance,
    "issubclass": is_subclass,
    "callable": can_be_called,
    "type": TypeOf,
    "next": following,
    "vars": variables,
}


def refuse_unittest(name: str, value: object) -> None:
    """Raise AuthorError for a test case of unittest's: without `student` it would not be run."""
    unittest = sys.modules.get("unittest")
    if not unittest or not isinstance(value, type) or not issubclass(value, unittest.TestCase):
        return
    if not value.__module__.startswith("unittest."):  # else imported, to be derived from
        raise AuthorError(
            f"class {name} is a unittest.TestCase, which is not run: write a class without a base whose name "
            "begins with Test, with methods `def test_...(self, student)` and assert"
        )
