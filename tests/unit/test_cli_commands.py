"""Every command is found under its own name in grader/cli."""

from __future__ import annotations

import pkgutil

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
