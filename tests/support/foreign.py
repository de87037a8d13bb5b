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
