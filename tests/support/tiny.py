"""A whole assignment in a few lines, with a submission, for tests of commands."""

from __future__ import annotations

import json
from pathlib import Path

MANIFEST = """
title = "Tiny"
points = 5
given = ["given/helper.py"]

[[item]]
id = "1"
title = "Doubling"
points = 3

[[item]]
id = "2"
title = "Why"
points = 2
rubric = [{ points = 2, text = "names the reason" }]

[limits]
cell_seconds = 5
check_seconds = 2

[budget]
STEPS = 2
"""

HIDDEN = '''
"""1 Doubling."""
from grader import assert_close, item, points

pytestmark = item("1")


@points(2, hint="try an array of negative numbers")
def test_double(student, rng):
    """double(x) is twice x"""
    x = rng.normal(size=(3, 2))
    assert_close(student.double(x), 2 * x, name="double(x)")


@points(1)
def test_steps(student):
    """the budget is kept"""
    assert student.taken.value == 2, f"took {student.taken.value} steps"
'''

PUBLIC = '''
"""1 Doubling."""
from grader import assert_close, item

pytestmark = item("1")


def test_two(student):
    """double(2) is 4"""
    assert_close(student.double(2.0), 4.0, name="double(2)")
'''

RIGHT = [
    ("code", "from helper import twice\nSTEPS = 1000"),
    ("code", "taken = 0\nfor _ in range(STEPS):\n    taken += 1"),
    ("code", "def double(x):\n    return twice(x)"),
    ("markdown", "#### Answer 2\n\nBecause it is so."),
]


def make_assignment(folder: Path) -> Path:
    """Write the assignment into ``folder``; gives the folder."""
    for name, text in {
        "assignment.toml": MANIFEST,
        "hidden_tests/test_1.py": HIDDEN,
        "public_tests/test_1.py": PUBLIC,
        "given/helper.py": "def twice(x):\n    return x + x\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def make_notebook(path: Path, cells: list[tuple[str, str]]) -> Path:
    """Write a notebook of (kind, source) cells; gives its path."""
    written = [{"cell_type": kind, "source": source, "metadata": {}} for kind, source in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": written}))
    return path
