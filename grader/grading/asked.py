"""``hasattr``, ``getattr``, ``isinstance`` and ``callable`` in checks, of a student's object.

A proxy only makes a path longer, so Python's own would call everything there and nothing a list. Files of
checks, and the author's helpers beside them, find these under Python's names.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from grader.grading.pytest_run import modules_of
from grader.inside.codec import OBJECT
from grader.model.errors import AuthorError, StudentError, UnsupportedValue
from grader.session.proxy import FETCH, Proxy, Student

_NOTHING = object()

PLAIN = frozenset({"builtins", "collections", "numbers", "numpy", "pandas", "types", "typing"})
"""Where the types of plain data are defined, and their abstract ones."""

OVER_THERE = (
    "isinstance was asked of a student's object or with their class, which stay on their side; ask there: "
    'student.provide("def is_a(x, kind): return isinstance(x, kind)").is_a(x, student.Net)'
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
    """Whether plain data is of a kind, which no object is. Raises AuthorError for others' kinds."""
    each = kinds if isinstance(kinds, tuple) else (kinds,)
    if any(isinstance(kind, Proxy) for kind in each):
        raise AuthorError(OVER_THERE)
    if isinstance(value, kinds) or not isinstance(value, Proxy):
        return isinstance(value, kinds)
    try:
        return isinstance(value._plain("the type", FETCH), kinds)
    except AuthorError:
        if all(getattr(kind, "__module__", "types").partition(".")[0] in PLAIN for kind in each):
            return False
        raise AuthorError(OVER_THERE) from None


def can_be_called(value: object, /) -> bool:
    """Whether it is no plain data; whether a student's object can be called shows when it is."""
    if not isinstance(value, Proxy):
        return callable(value)
    try:
        value.value  # noqa: B018  # asking is what counts
    except UnsupportedValue as error:
        return OBJECT in str(error)
    return False


ANSWERS = {"hasattr": has, "getattr": got, "isinstance": is_instance, "callable": can_be_called}


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
