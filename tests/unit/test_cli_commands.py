"""Every command is found under its own name in grader/cli."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner

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


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        (["{file}"], 1),
        (["submission", "{file}", "--seed", "x"], 1),
        (["{file}", "--public"], 0),
        (["{file}", "--help"], 0),
        (["nothing.ipynb"], 0),
        (["table", "{file}"], 0),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs warm processes")
def test_a_warm_process_starts_before_the_command_that_grades_is_imported(
    arguments: list[str], started: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is closed, however the command ends."""
    (tmp_path / "hw.ipynb").touch()
    zygote = Mock()
    monkeypatch.setattr("grader.sandbox.zygote.Zygote.start", zygote)
    CliRunner().invoke(cli, [word.format(file=tmp_path / "hw.ipynb") for word in arguments])
    assert zygote.call_count == started
    assert zygote.return_value.close.call_count >= started


def test_grading_one_submission_waits_for_no_database() -> None:
    """Loading the gradebook takes longer than everything else of the command together."""
    look = "import sys, grader.cli.submission; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", look], text=True).split()
    assert "grader.grading.grade_job" in loaded
    assert not {"sqlalchemy", "asyncio", "jinja2", "IPython", "torch"} & set(loaded)
