"""Python's questions about a student's object in checks: right answers, or the author's mistake in words."""

from __future__ import annotations

import pytest

from grader.grading.check_plugin import CheckPlugin
from grader.grading.pytest_run import run_checks
from grader.session.in_process import LocalNotebook

SUBMISSION = """
class Net:
    def __init__(self):
        self.sizes = [1, 2]

    @property
    def broken(self):
        raise ValueError("no")

class Deep(Net):
    "twice as deep"

def make():
    return Net()

def shape(x):
    return x.shape

import collections, enum
import numpy as np

Color = enum.Enum("Color", "RED")
Point = collections.namedtuple("Point", "x y")
x, flag, number = np.arange(3.0), True, 5

def batches():
    yield 1
    yield 2

def points():
    return Point(1, 2)

def says(text):
    return text
"""
HEAD = """
import inspect
import json
import types
import unittest
from collections.abc import Iterable

import helper
import numpy as np
from unittest import TestCase
from grader import item

pytestmark = item("1")
"""
CHECK = '''

def test_it(student):
    """it"""
    net = student.make()
    assert {asked}
'''
TRUE = [
    "hasattr(student, 'Net') and not hasattr(student, 'Nothing') and hasattr(student, 'put')",
    "hasattr(net, 'sizes') and not hasattr(net, 'nothing') and hasattr(net, 'forward') is False",
    "hasattr(net.sizes, '__len__') and not hasattr(net.sizes, 'shape')",
    "helper.has(net, 'sizes') and not helper.has(net, 'nothing')",
    "getattr(net, 'sizes', None) == [1, 2] and getattr(net, 'nothing', 3) == 3",
    "isinstance(net.sizes, list) and isinstance(net.sizes, (dict, list)) and not isinstance(net.sizes, dict)",
    "not isinstance(net, (list, tuple)) and not isinstance(net, int | float) and isinstance(net, object)",
    "callable(student.make) and callable(student.Net) and not callable(net.sizes)",
    "isinstance(net, student.Net) and not isinstance(net, student.Deep)",
    "isinstance(student.Deep(), (int, student.Net))",
    "isinstance(student.shape, types.FunctionType) and not isinstance(net, types.FunctionType)",
    "isinstance(net.sizes, Iterable) and not isinstance(net, Iterable)",
    "issubclass(student.Deep, student.Net) and not issubclass(student.Net, (student.Deep, int))",
    "type(net.sizes) is list and type(student.x) == np.ndarray and type(student.number).__name__ == 'int'",
    "type('A', (), {})().__class__.__name__ == 'A' and next(iter([1])) == 1 and vars(helper)",
    "student.x.dtype == float and student.x.dtype == np.float64 and net.dtype is not None",
    "student.number in {5} and {5: 1}[student.number] and {student.number} == {5}",
    "student.Deep.__doc__ == 'twice as deep' and not student.make.__doc__ and helper.has(student.x, 'T')",
    "student.Color.RED.value == 1 and next(iter(student.batches())) == 1",
    "callable(print) and isinstance(1, int) and hasattr([], 'append') and getattr([], 'nothing', 1) == 1",
]
OTHERS = {
    "hasattr(net, 'broken')": ("student", "ValueError"),
    "callable(student.nothing)": ("student", "not defined"),
    "isinstance(net, TestCase)": ("student", "isinstance"),
    "type(net).__name__ == 'Net'": ("author", "isinstance(x, student.Net)"),
    "net.__class__.__name__ == 'Net'": ("author", "isinstance(x, student.Net)"),
    "student.flag is True": ("author", "`student.flag.value is True`"),
    "student.make() is True": ("student", "is True"),
    "net.sizes is net.sizes": ("author", "a is b"),
    "inspect.isclass(student.Net)": ("author", "ask over there"),
    "isinstance(student.batches(), types.GeneratorType)": ("author", "an iterator as a list"),
    "len(inspect.signature(student.make).parameters) == 0": ("author", "student.provide("),
    "'sizes' in dir(net)": ("author", "hasattr(x, name)"),
    "vars(net)['sizes']": ("author", "hasattr(x, name)"),
    "next(student.batches()) == 1": ("author", "next(iter(student.batches()))"),
    "student.points().x == 1": ("author", "unpack it"),
    "json.dumps(net.sizes)": ("author", "pass `student.x.value`"),
    "len(net) == 2": ("author", "def entries(x)"),
    "[one for one in net]": ("author", "fetch what it holds"),
}


def run(folder, text):
    names = {"__name__": "submission"}
    exec(SUBMISSION, names)
    (folder / "test_a.py").write_text(HEAD + text)
    (folder / "helper.py").write_text("def has(value, name):\n    return hasattr(value, name)\n")
    plugin = CheckPlugin(LocalNotebook(names), seed=1, seconds=5, hidden=True)
    run_checks(folder, plugin)
    return plugin


@pytest.mark.parametrize("asked", TRUE)
def test_it_is_the_students_object_that_is_asked(tmp_path, asked):
    [result] = run(tmp_path, CHECK.format(asked=asked)).results
    assert result.outcome.value == "passed", result.detail


@pytest.mark.parametrize("asked", OTHERS)
def test_what_has_no_answer_is_said(tmp_path, asked):
    fault, words = OTHERS[asked]
    [result] = run(tmp_path, CHECK.format(asked=asked)).results
    assert result.fault == fault
    assert words in result.detail


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("'Proxy' is <class 'grader.session.proxy.Proxy'>", "assert student.says(TEXT) == 1"),
        ("unsupported operand type(s) for +: 'int' and 'Proxy'", "assert student.says(TEXT) == 1"),
        ("DID NOT WARN 'Proxy'", "pytest.fail(student.says(TEXT))"),
    ],
)
def test_what_a_student_writes_does_not_say_whose_fault_it_is(tmp_path, text, check):
    """Without a reference the author's faults cost nothing, so a text must not make one."""
    body = f"import pytest\n\n\nTEXT = {text!r}\n\n\ndef test_it(student):\n    {check}\n"
    [result] = run(tmp_path, body).results
    assert (result.fault, result.outcome) == ("student", "failed")


def test_a_test_case_of_unittest_is_not_left_out_silently(tmp_path):
    case = "\nclass Shape(TestCase):\n    def test_it(self):\n        pass\n"
    plugin = run(tmp_path, CHECK.format(asked="True") + case)
    assert not plugin.results
    assert "class Shape is a unittest.TestCase, which is not run: write a class" in plugin.errors[0]
