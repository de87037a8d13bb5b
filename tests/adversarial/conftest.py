"""The table of attacks, printed when the tests are through."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lanes import Lanes
from suite import modes_here
from table import Rows, as_text, page

from grader.model.isolation import Mode

collect_ignore = ["assignment"]  # run by the grader, with secrets of its own

ROWS = pytest.StashKey[Rows]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = Rows()


@pytest.fixture(scope="session")
def attack_rows(request: pytest.FixtureRequest) -> Rows:
    """Where a test notes what it measured."""
    return request.config.stash[ROWS]


@pytest.fixture(scope="session", autouse=True)
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes | None]:
    """The attacks by others, under way from the first test on where they are wanted and possible."""
    wanted = any(item.path.name == "test_other_users.py" for item in request.session.items)
    if not wanted or Mode.NS_ROOT not in modes_here():
        yield None
        return
    with Lanes() as started:
        yield started


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
