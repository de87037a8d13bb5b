"""The homework of the comparison with other graders: it is sound, and everybody deserves their points."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support.uninstalled import importing

from grader.model import assignment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def peers() -> Iterator[Any]:
    """Imports a module of benchmarks.peers."""
    with importing("benchmarks") as load:
        yield lambda name: load(f"benchmarks.peers.{name}")


def test_everybody_deserves_their_points(peers):
    homework = peers("homework").load("numpy")
    function = peers("checks").function
    for student in peers("homework").students():
        found = {}
        for item in homework.items:
            names: dict[str, Any] = {}
            exec("import numpy as np", names)
            with contextlib.suppress(SyntaxError, FileNotFoundError):
                exec(student.answer(item), names)
            for check in item.check:
                exec(function(check), names)
                try:
                    names[f"check_{check.name}"]()
                    found[check.name] = float(check.points)
                except (AssertionError, NameError):
                    found[check.name] = 0.0
        assert found == student.deserves(homework), student.name


def test_the_homework_is_what_each_tool_reads(peers):
    homework = peers("homework").load("long")
    chainrule = peers("chainrule")
    manifest = assignment.parse(chainrule.manifest(homework))
    assert [item.id for item in manifest.item] == [item.id for item in homework.items]
    for item in homework.items:
        compile(chainrule.checks(item), item.id, "exec")
    texts = [peers("nbgrader").source(homework, None), peers("otter").source(homework)]
    for student in peers("homework").students():
        assert set(student.loses) <= set(homework.points), student.name
        texts += [
            peers("nbgrader").source(homework, student),
            chainrule.submission(homework, student),
        ]
    for text in texts:
        assert "$" not in text.decode()
        nbformat.validate(nbformat.reads(text.decode(), as_version=4))
