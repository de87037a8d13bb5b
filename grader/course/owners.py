"""Which files of checks decide which item: pytest collects them and runs none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.grading.check_plugin import MARKERS, check_of
from grader.grading.pytest_run import run_checks


class Collector:
    """A pytest plugin that notes the file of every check by item, and leaves nothing to run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: dict[str, set[str]] = defaultdict(set)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the markers."""
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note each check's file; run none."""
        for test in items:
            self.files[check_of(test).item].add(test.path.relative_to(self._folder).as_posix())
        items.clear()


def owners_of(checks: Path) -> Mapping[str, frozenset[str]]:
    """The files of checks by item, as paths below the folder. A file that cannot be imported owns nothing."""
    collector = Collector(checks)
    run_checks(checks, collector)
    return {item: frozenset(files) for item, files in collector.files.items()}
