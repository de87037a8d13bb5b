"""That the lines of processes behind the walls are noted: else the coverage report would not be true."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.boxes import ECHO, Inside
from support.measured import new_lines, noted, start_zygote
from support.paths import TESTS

from grader.model.isolation import Mode
from grader.sandbox import confinement, supervisor, warm
from grader.sandbox.modes import usual_mode
from grader.sandbox.spec import BoxSpec
from grader.sandbox.walls import landlock, seccomp

pytestmark = pytest.mark.sandbox


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return new_lines(tmp_path)


def run_in(lines: Path, mode: Mode, source: str) -> None:
    with (
        start_zygote(entry=ECHO, import_path=[TESTS], into=lines) as zygote,
        zygote.spawn(BoxSpec(mode=mode)) as box,
    ):
        inside = Inside(box)
        inside.send(source)
        inside.reply()


def share(lines: Path, function: Callable[..., Any]) -> float:
    """How much of a function ran, by its statements."""
    source, first = inspect.getsourcelines(function)
    tree = ast.parse(inspect.cleandoc("\n" + "".join(source)))
    docstring = ast.get_docstring(tree.body[0]) is not None  # type: ignore[arg-type]
    statements = [node.lineno + first - 1 for node in ast.walk(tree) if isinstance(node, ast.stmt)][1:]
    ran = set(noted(lines)[inspect.getsourcefile(function) or ""])
    return len(ran & set(statements[docstring:])) / len(statements[docstring:])


@pytest.mark.parametrize(
    "function", [confinement._confine, landlock.restrict, seccomp.install, supervisor._Supervisor._tell_end]
)
def test_what_runs_behind_the_walls_is_noted(lines: Path, function: Callable[..., Any]) -> None:
    """Until the last line, although nothing can be written there, and the process is killed."""
    assert share(lines, function) == 0
    run_in(lines, usual_mode(), "import ctypes; ctypes.string_at(0)")
    assert share(lines, function) > 0.8


def test_what_did_not_run_is_not_noted(lines: Path) -> None:
    """A sandbox without walls builds none."""
    run_in(lines, Mode.NONE, "answer = 1")
    assert share(lines, seccomp.install) == 0
    assert share(lines, confinement._give_up_privileges) == 0
    assert 0 < share(lines, confinement._confine) < 1


def test_the_functions_that_led_to_the_start_are_noted_too(lines: Path) -> None:
    """``main`` was running when the entry was imported."""
    run_in(lines, Mode.NONE, "answer = 1")
    assert 0.5 < share(lines, warm.main) < 1
