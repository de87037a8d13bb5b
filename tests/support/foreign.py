"""Assignments of other systems, small and ours, as their authors would write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def cell(
    kind: str, source: str, *, outputs: list[dict[str, Any]] | None = None, **told: Any
) -> dict[str, Any]:
    """A notebook's cell; ``told`` is what nbgrader keeps in its metadata."""
    metadata = {"nbgrader": {"schema_version": 3, "locked": False, **told}} if told else {}
    made = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"outputs": outputs or [], "execution_count": None} if kind == "code" else {})


def write_notebook(path: Path, *cells: dict[str, Any]) -> Path:
    """A notebook file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": list(cells)}
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def solution(name: str, source: str) -> dict[str, Any]:
    """An autograded answer of nbgrader."""
    return cell("code", source, grade_id=name, grade=False, solution=True)


def tests(name: str, points: float, source: str) -> dict[str, Any]:
    """A cell of autograder tests of nbgrader."""
    return cell("code", source, grade_id=name, grade=True, solution=False, points=points)


def by_hand(kind: str, name: str, points: float, source: str) -> dict[str, Any]:
    """A manually graded answer of nbgrader."""
    return cell(kind, source, grade_id=name, grade=True, solution=True, points=points)


def nbgrader_assignment(folder: Path) -> Path:
    """Two notebooks with each kind of cell, given data, and tests of several kinds."""
    write_notebook(
        folder / "one.ipynb",
        cell("markdown", "# Numbers\n\n## Squares (2 points)\n\nWrite `squares`."),
        cell("code", "import numpy as np\n\nfactors = [2, 3]"),
        solution(
            "squares",
            "def squares(n):\n    ### BEGIN SOLUTION\n    if n < 1:\n        raise ValueError('small')\n"
            "    return [i**2 for i in range(1, n + 1)]\n    ### END SOLUTION",
        ),
        solution("mean", "mean = np.mean(squares(3))"),
        tests(
            "right_squares",
            1.5,
            '"""squares gives a list"""\nsome = 3\nassert squares(some) == [1, 4, 9]\n'
            "### BEGIN HIDDEN TESTS\nassert squares(4)[-1] == 16\n### END HIDDEN TESTS",
        ),
        tests(
            "refused",
            0.5,
            "try:\n    squares(0)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError",
        ),
        tests(
            "right_mean", 1, "from nose.tools import assert_almost_equal\nassert_almost_equal(mean, 14 / 3)"
        ),
        tests(
            "uses_squares",
            1,
            "kept = squares\ndel squares\ntry:\n    assert not callable(globals().get('squares'))\n"
            "finally:\n    squares = kept\nassert callable(squares) and squares(some) == [1, 4, 9]",
        ),
        tests("impossible", 1, "assert squares(2) == [1, 5]"),
        by_hand("markdown", "why", 2, "Because $n^2$."),
    )
    write_notebook(
        folder / "two.ipynb",
        cell(
            "markdown",
            "## Sums\n\nWrite about sums.\n\n### BEGIN MARK SCHEME\nnames both\n### END MARK SCHEME",
            grade_id="sums",
            grade=False,
            solution=False,
            task=True,
            points=3,
        ),
        by_hand("code", "code_by_hand", 1, "total = sum(range(3))"),
    )
    (folder / "numbers.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return folder


def raw(source: str) -> dict[str, Any]:
    """A raw cell, by which otter says where things begin."""
    return {"cell_type": "raw", "metadata": {}, "source": source}


def shown(source: str, value: str = "", printed: str = "") -> dict[str, Any]:
    """A code cell with what it showed when it was saved."""
    outputs: list[dict[str, Any]] = []
    if printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed})
    if value:
        data = {"text/plain": value}
        outputs.append({"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1})
    return cell("code", source, outputs=outputs)


def otter_assignment(folder: Path) -> Path:
    """A notebook in otter's format with each kind of question and test."""
    config = '""" # BEGIN TEST CONFIG\npoints: 0.5\nhidden: true\nfailure_message: Look at 0.\n'
    config += '""" # END TEST CONFIG\n'
    write_notebook(
        folder / "hw.ipynb",
        raw("# ASSIGNMENT CONFIG\nname: Homework\nfiles:\n    - data.csv\ngenerate:\n    seed: 42"),
        cell(
            "markdown", "```otter\n# BEGIN QUESTION\nname: q1\npoints: 2\n```\n\n**Question 1.** Square `x`."
        ),
        raw("# BEGIN SOLUTION"),
        cell(
            "code",
            "import numpy as np\n\n"
            "def square(x):\n    # BEGIN SOLUTION NO PROMPT\n    y = x * x\n    return y\n"
            '    # END SOLUTION\n    """ # BEGIN PROMPT\n    ...\n    """; # END PROMPT\n'
            "nine = square(3) # SOLUTION\nten = 10 # IGNORE",
        ),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
        shown("nine", "9"),
        shown("print(square(2))", printed="4\n"),
        shown("# HIDDEN\nnp.isclose(square(0.5), 0.25)", "True"),
        shown(config + "def test_zero(square):\n    assert square(0) == 0\n\ntest_zero(square)"),
        raw("# END TESTS"),
        raw("# END QUESTION"),
        raw("# BEGIN QUESTION\nname: q2\nall_or_nothing: true\npoints:\n    - 1\n    - 2"),
        cell("markdown", "**Question 2.** A greeting."),
        raw("# BEGIN SOLUTION"),
        cell("code", 'greeting = "hello" # SOLUTION'),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
        shown("len(greeting) > 3", "True"),
        shown("# HIDDEN\ngreeting", "'hello'"),
        raw("# END TESTS"),
        raw("# END QUESTION"),
        raw("# BEGIN QUESTION\nname: q3\nmanual: true\npoints: 4"),
        cell("markdown", "**Question 3.** Why?"),
        raw("# BEGIN SOLUTION"),
        cell("markdown", "**SOLUTION**: Because."),
        raw("# END SOLUTION"),
        raw("# END QUESTION"),
    )
    (folder / "data.csv").write_text("a\n1\n", encoding="utf-8")
    (folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    return folder / "hw.ipynb"


def otter_v0_assignment(folder: Path) -> Path:
    """The same question in otter's first format."""
    return write_notebook(
        folder / "old.ipynb",
        cell("markdown", "# Old\n\n```\nBEGIN ASSIGNMENT\nfiles: []\n```"),
        cell("markdown", "**Question 1.** Three.\n\n```\nBEGIN QUESTION\nname: q1\npoints: 2\n```"),
        cell("code", "x = 3 # SOLUTION"),
        shown("## Test ##\nx", "3"),
        shown("# HIDDEN TEST\nx > 2", "True"),
        cell(
            "markdown", "**Question 2.** Why?\n\n```\nBEGIN QUESTION\nname: q2\nmanual: true\npoints: 1\n```"
        ),
        cell("markdown", "**SOLUTION:** Because."),
        cell("markdown", "The end."),
    )


OK_TEST = """\
OK_FORMAT = True
test = {
    "name": "q1",
    "points": 1,
    "suites": [{"cases": [
        {"code": ">>> double(2)\\n4\\n>>> print(double('a'))\\naa", "hidden": False},
        {"code": ">>> import math\\n>>> math.isclose(double(0.1), 0.2)\\nTrue", "hidden": True},
    ], "type": "doctest"}],
}
"""


def ok_assignment(folder: Path) -> Path:
    """A solved notebook with tests in OK's format beside it."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "q1.py").write_text(OK_TEST, encoding="utf-8")
    (folder / "tests" / "q2.py").write_text("import os\nos.remove('x')\n", encoding="utf-8")
    write_notebook(
        folder / "lab.ipynb",
        cell("code", "import otter\ngrader = otter.Notebook()\nrate = 2"),
        cell("code", "def double(x):\n    return rate * x"),
        cell("code", 'grader.check("q1")'),
    )
    return folder


SUITE = '''"""Tests of the layers."""

import numpy as np
import pytest

from layers import scale
from layers.relu import *


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.fixture
def data():
    return np.array([-1.0, 2.0])


def test_forward(data):
    """relu of two numbers"""
    close(forward(data), [0, 2])


@pytest.mark.parametrize("value, expected", [(-1, 0), (3, 3)])
def test_numbers(value, expected):
    assert forward(value) == expected


class TestScale:
    def test_call(self):
        assert scale.Scale(3)(2) == 6

    def test_hook(self):
        assert scale.Scale(2).apply(lambda x: x + 1, 1) == 3


def test_tmp(tmp_path):
    assert forward(1) == 1
'''
RELU = '''"""The rectifier."""

import numpy as np


def forward(x):
    """max(x, 0)"""
    ### BEGIN YOUR SOLUTION
    return np.maximum(x, 0)
    ### END YOUR SOLUTION
'''
SCALE = """class Scale:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x

    def apply(self, hook, x):
        return hook(self(x))


def given():
    return 1
"""


def package_with_tests(folder: Path) -> Path:
    """A solved package, one module marked as a course does and one not, below a folder that is no package."""
    texts = {"src/layers/__init__.py": "", "src/layers/relu.py": RELU, "src/layers/scale.py": SCALE}
    for place, text in {**texts, "tests/test_layers.py": SUITE, "README.md": "Read me.\n"}.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    return folder
