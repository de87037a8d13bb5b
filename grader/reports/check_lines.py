"""Public checks' results as plain lines of text, for the output of a notebook cell."""

from __future__ import annotations

from collections.abc import Sequence

from grader.model.errors import Outcome
from grader.model.records import CheckResult
from grader.model.text import excerpt, one_line, plural

_LINES = 12


def check_lines(results: Sequence[CheckResult]) -> list[str]:
    """One line per check, item by item, with the reason below each that did not pass."""
    lines: list[str] = []
    for item in dict.fromkeys(result.item for result in results):
        own = [result for result in results if result.item == item]
        passed = sum(result.outcome is Outcome.PASSED for result in own)
        lines.append(
            f"{item}: {passed} of {len(own)} public {plural(len(own), 'check passes', 'checks pass')}"
        )
        for result in own:
            lines += lines_for(result)
    return lines


def lines_for(result: CheckResult) -> list[str]:
    """A check's sign and title, then its message if it did not pass."""
    if result.outcome is Outcome.PASSED:
        return [f"  ✓ {one_line(result.title, 200)}"]
    message = excerpt(result.message, limit=100 * _LINES, lines=_LINES).rstrip().split("\n")
    sign = "–" if result.outcome is Outcome.SKIPPED else "✗"
    return [f"  {sign} {one_line(result.title, 200)}", *(f"      {line}" for line in message)]
