"""Public checks on a student's own machine: in this process, on every platform, with the messages of `grade`.

Nothing that only Linux has may be imported here, nor by what this imports.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.grading.check_plugin import CheckPlugin
from grader.grading.own_code import OwnCode
from grader.grading.pytest_run import run_checks
from grader.model.errors import UsageError
from grader.model.records import CheckResult
from grader.session.in_process import LocalNotebook

CALL_SECONDS = 30.0


def check_names(names: dict[str, Any], folder: Path, *, item: str | None, seed: int) -> list[CheckResult]:
    """Run the public checks of one item, or of all, on live names such as a running notebook's.

    Raises UsageError if the item has no public check, ManifestError if the checks cannot run.
    """
    only = () if item is None else (item,)
    plugin = CheckPlugin(
        LocalNotebook(names),
        seed=seed,
        seconds=CALL_SECONDS,
        hidden=False,
        only=only,
        code=OwnCode(live=list(names)),
    )
    run_checks(folder, plugin)
    if plugin.errors:
        raise UsageError("; ".join(plugin.errors))
    if not plugin.results:
        raise UsageError(
            f"no public check is about item {item!r}; the items are the headings' numbers, as in 3.1.1"
        )
    return plugin.results
