"""Public checks on a student's own machine: in this process, on every platform, with the messages of `grade`.

Nothing that only Linux has may be imported here, nor by what this imports.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.grading.checks import run_checks
from grader.grading.plugin import CheckPlugin
from grader.inside.generators import seed_all
from grader.model.errors import UsageError
from grader.model.records import CheckResult
from grader.session.in_process import LocalNotebook
from grader.session.notebook import CellRun

CALL_SECONDS = 30.0


class OwnNotebook(LocalNotebook):
    """A notebook that runs in this process from its first cell on, as in Jupyter: in its own folder."""

    def __init__(self, module_name: str, folder: Path, *, seed: int) -> None:
        from grader.inside import habits  # noqa: PLC0415  # IPython takes 0.1 s
        from grader.inside.agent import make_shell  # noqa: PLC0415

        # One thread, as in the sandbox: small models on a few threads can take ten times as long.
        for library in ("OMP", "MKL"):
            os.environ.setdefault(f"{library}_NUM_THREADS", "1")
        shell = make_shell()
        habits.install(shell)
        shell.grading = True
        shell.user_ns["__name__"] = module_name
        seed_all(seed)
        super().__init__(shell.user_ns, shell)
        self._folder = folder

    def run_cell(self, source: str, *, seconds: float) -> CellRun:
        """See Notebook.run_cell; relative paths and imports mean the notebook's folder."""
        with working_in(self._folder):
            return super().run_cell(source, seconds=seconds)


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """The folder is the working directory and the first place to import from."""
    before, name = Path.cwd(), str(folder)
    os.chdir(folder)
    sys.path.insert(0, name)
    try:
        yield
    finally:
        os.chdir(before)
        with contextlib.suppress(ValueError):
            sys.path.remove(name)


def check_names(names: dict[str, Any], folder: Path, *, item: str | None, seed: int) -> list[CheckResult]:
    """The public checks of one item, or of all, on live names such as a running notebook's.

    Raises UsageError for an item that no public check is about, ManifestError for checks that cannot run.
    """
    only = () if item is None else (item,)
    plugin = CheckPlugin(LocalNotebook(names), seed=seed, seconds=CALL_SECONDS, hidden=False, only=only)
    run_checks(folder, plugin)
    if plugin.errors:
        raise UsageError("; ".join(plugin.errors))
    if not plugin.results:
        raise UsageError(
            f"no public check is about item {item!r}; the items are the headings' numbers, as in 3.1.1"
        )
    return plugin.results
