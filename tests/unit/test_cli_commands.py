"""Every command is found under its own name in grader/cli."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import click
import pytest

import grader.cli
from grader.cli.main import COMMANDS, cli

SHARED = {"main", "options"}


def test_each_module_is_the_module_of_exactly_one_command() -> None:
    modules = {module.name for module in pkgutil.iter_modules(grader.cli.__path__)}
    assert modules - SHARED == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_name_of_its_module(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.callback is not None
    assert command.callback.__module__ == f"grader.cli.{name}"


def test_grading_one_submission_waits_for_no_database() -> None:
    """Loading the gradebook takes longer than everything else of the command together."""
    look = "import sys, grader.cli.submission; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", look], text=True).split()
    assert "grader.grading.grade_job" in loaded
    assert not {"sqlalchemy", "asyncio", "jinja2", "IPython", "torch"} & set(loaded)
