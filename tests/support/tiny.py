"""A whole assignment in a few lines, with a submission, for tests of commands."""

from __future__ import annotations

from pathlib import Path

from .assignments import Item, manifest, write_files
from .notebooks import code, prose

MANIFEST = manifest(
    Item("1", "Doubling", points=3),
    Item("2", "Why", points=2, rubric="names the reason"),
    given=["given/helper.py"],
    limits={"cell_seconds": 5, "check_seconds": 2},
    budget={"STEPS": 2},
)

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
    code("from helper import twice\nSTEPS = 1000"),
    code("taken = 0\nfor _ in range(STEPS):\n    taken += 1"),
    code("def double(x):\n    return twice(x)"),
    prose("#### Answer 2\n\nBecause it is so."),
]


def make_tiny(folder: Path) -> Path:
    """Write the assignment into ``folder``, and return the folder."""
    return write_files(
        folder,
        {
            "assignment.toml": MANIFEST,
            "hidden_tests/test_1.py": HIDDEN,
            "public_tests/test_1.py": PUBLIC,
            "given/helper.py": "def twice(x):\n    return x + x\n",
        },
    )
