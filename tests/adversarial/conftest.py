"""The table of attacks, printed when the tests are through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from table import Rows, as_text, page

collect_ignore = ["assignment"]  # run by the grader, with secrets of its own

ROWS = pytest.StashKey[Rows]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = Rows()


@pytest.fixture(scope="session")
def attack_rows(request: pytest.FixtureRequest) -> Rows:
    """Where a test notes what it measured."""
    return request.config.stash[ROWS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if place := os.environ.get("CHAINRULE_ATTACK_ROWS"):  # a file for whoever started this run
        rows.save(Path(place))
    if not rows.rows:
        return
    if page_place := os.environ.get("CHAINRULE_ATTACK_PAGE"):
        Path(page_place).write_text(page(rows), encoding="utf-8")
    terminalreporter.section("attacks: was it stopped?")
    for line in as_text(rows):
        terminalreporter.write_line(line)
