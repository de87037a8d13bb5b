"""The table of attacks, printed when the tests are through, whichever processes they ran in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from table import Rows, page, table_as_text

collect_ignore = ["assignment", "on_grading/course", "on_grading/attacks"]  # run by the grader

ROWS = pytest.StashKey[Rows]()
PROPERTY = "attack rows"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = rows = Rows()
    config.pluginmanager.register(Collector(rows), "attack rows")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the long lanes first, so that the short tests fill the rest of the time."""
    items.sort(key=lambda item: item.path.name != "test_other_users.py")


@pytest.fixture
def attack_rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    """Where a test notes what it measured; it travels with the test's report."""
    rows = Rows()
    yield rows
    request.node.user_properties.append((PROPERTY, rows.as_json()))


class Collector:
    """Gathers the rows from the tests' reports, also from those of other processes (pytest-xdist)."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over what a test measured, when it is through."""
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    self.rows.take_over(Rows.from_json(str(value)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if place := os.environ.get("CHAINRULE_ATTACK_ROWS"):  # a file for whoever started this run
        rows.save(Path(place))
    if not rows.rows:
        return
    if page_place := os.environ.get("CHAINRULE_ATTACK_PAGE"):
        Path(page_place).write_text(page(rows), encoding="utf-8")
    terminalreporter.section("attacks: was it stopped?")
    for line in table_as_text(rows):
        terminalreporter.write_line(line)
