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

def make():
    return Net()
"""
HEAD = """
import unittest

import helper
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
    "callable(print) and isinstance(1, int) and hasattr([], 'append') and getattr([], 'nothing', 1) == 1",
]
OTHERS = {
    "hasattr(net, 'broken')": ("student", "ValueError"),
    "callable(student.nothing)": ("student", "not defined"),
    "isinstance(net, TestCase)": ("author", "student.provide("),
    "isinstance(net, student.Net)": ("author", "student.provide("),
    "type(net).__name__ == 'Net'": ("author", "isinstance(...)"),
    "type(net.sizes) == list": ("author", "fetch plain data with `.value`"),
    "len(net) == 2": ("author", "fetch what it holds"),
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


def test_a_test_case_of_unittest_is_not_left_out_silently(tmp_path):
    case = "\nclass Shape(TestCase):\n    def test_it(self):\n        pass\n"
    plugin = run(tmp_path, CHECK.format(asked="True") + case)
    assert not plugin.results
    assert "class Shape is a unittest.TestCase, which is not run: write a class" in plugin.errors[0]
