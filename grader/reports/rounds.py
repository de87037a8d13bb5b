"""What a terminal shows of each round of `--watch`: what was saved, what became better or worse.

Plain lines, each written at once, so that a pipe has them as early as a terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader.model import endings
from grader.model.errors import Fault, Outcome
from grader.model.points import ZERO, total
from grader.model.records import CellResult, CellStatus, CheckResult, Grade
from grader.model.text import counted, excerpt, one_line, plural
from grader.reports.progress import can_print, duration
from grader.reports.terminal import print_report

Results = Mapping[str, CheckResult]
"""Results by the checks' ids."""

_LINES = 8
_FILES = 3
_BAD_CELLS = 5
_WIDEST = 110
UNTOUCHED = "untouched template"


class Rounds:
    """Prints rounds to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        unicode = can_print("↑↓✗✓+-!·→", console)
        self._up, self._down, self._bad = ("↑", "↓", "✗") if unicode else ("^", "v", "x")
        self._to, self._between = ("→", " · ") if unicode else ("->", " | ")

    def title(self, text: str) -> None:
        """The first line."""
        self._print(one_line(text, 200), "bold")

    def report(self, grade: Grade) -> None:
        """The whole grade, as it stands at the beginning."""
        print_report(grade, self._console)

    def begin(self, files: int) -> None:
        """Say what is waited for."""
        said = f"Watching {counted(files, 'file', 'files')}: save a check, the manifest or the notebook."
        self._print(f"{said} Ctrl-C ends.", "dim")
        self.flush()

    def end(self) -> None:
        """Say that it is over."""
        self._print("stopped", "dim")
        self.flush()

    def flush(self) -> None:
        """Hand everything to whoever reads."""
        self._console.file.flush()

    def saved(self, names: Sequence[str], now: datetime, *, ran: int, cells: bool, seconds: float) -> None:
        """The round's headline."""
        files = ", ".join(names[:_FILES]) + (f" and {len(names) - _FILES} more" if names[_FILES:] else "")
        what = f"{'all cells and ' if cells else ''}{counted(ran, 'check', 'checks')}"
        line = Text.assemble(("\n" + now.strftime("%H:%M:%S"), "dim"), "  ", self._text(files, "bold"), "  ")
        self._console.print(line + self._text(f"{what} in {took(seconds)}", "dim"), soft_wrap=True)

    def problem(self, why: str) -> None:
        """Say that nothing could run, and why."""
        self._print(f"  ! {one_line(why, 600)}", "bold magenta")
        self._print("    nothing ran; the results are those of before", "dim")

    def changes(
        self, before: Results, after: Results, *, ran: Collection[str], errors: Sequence[str]
    ) -> None:
        """What became better, worse, came or went, and what still does not pass."""
        for error in errors:
            self._print(f"  ! {one_line(error, 600)}", "bold magenta")
        for name, result in after.items():
            earlier = before.get(name)
            if earlier is None or good(earlier) != good(result):
                self._changed(earlier, result)
            elif name in ran and not good(result):
                self._print(f"  {self._bad} still   {called(result)}: {ending(result)}", "red")
                self._detail(result)
        for name, result in before.items():
            if name not in after:
                self._print(f"  - gone    {called(result)}", "yellow")

    def _changed(self, earlier: CheckResult | None, result: CheckResult) -> None:
        is_good = good(result)
        if earlier is None:
            sign, word, said = "+" if is_good else self._bad, "new", ending(result)
        else:
            sign, word = (self._up, "better") if is_good else (self._down, "worse")
            said = f"{ending(earlier)} {self._to} {ending(result)}"
        self._print(f"  {sign} {word:7} {called(result)}: {said}", "green" if is_good else "red")
        if not is_good:
            self._detail(result)

    def failing(self, results: Results) -> None:
        """The checks that do not pass, with their reasons: how it stands at the beginning."""
        for result in results.values():
            if not good(result):
                self._print(f"  {self._bad} {called(result)}: {ending(result)}", "red")
                self._detail(result)

    def gifts(self, results: Results) -> None:
        """The checks worth points that the untouched template passes."""
        for result in results.values():
            if good(result) and result.possible > ZERO:
                self._print(
                    f"  ! the {UNTOUCHED} passes {called(result)}: points for nothing", "bold magenta"
                )

    def cells(self, cells: Sequence[CellResult]) -> None:
        """The first cells that did not run through."""
        for cell in [cell for cell in cells if cell.status is not CellStatus.OK][:_BAD_CELLS]:
            place = f"line {cell.line}" if cell.line else f"cell {cell.cell}"
            said = f"{place} {endings.CELLS[cell.status]}: {one_line(cell.error, 200)}"
            self._print(f"  {self._bad} {said}", "red")

    def stands(self, results: Results, before: Results | None = None, *, unread: bool = False) -> None:
        """How many checks pass and what they are worth, with what it was before if that has changed.

        ``unread`` is whether a file of checks cannot be read: its results are those of before.
        """
        passed, points = counts(results)
        line = f"  {passed} of {len(results)} {plural(len(results), 'check passes', 'checks pass')}"
        line += (
            f"{self._between}{points} of {total(one.possible for one in results.values())} points by checks"
        )
        if before is not None and counts(before) != (passed, points):
            then, worth = counts(before)
            line += f" (before: {then} checks, {worth} points)"
        line += ", those of the broken file as before" if unread else ""
        self._print(line, "bold green" if passed == len(results) and not unread else "bold")

    def _detail(self, result: CheckResult) -> None:
        told = result.detail or result.message
        for line in excerpt(told, limit=100 * _LINES, lines=_LINES).split("\n"):
            if line.strip():
                self._console.print(
                    Padding(self._text(line.rstrip().expandtabs(4)), (0, 0, 0, 14)),
                    width=min(self._console.width, _WIDEST),
                )

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(self._text(line, style), soft_wrap=True)

    def _text(self, line: str, style: str = "") -> Text:
        encoding = self._console.encoding
        return Text(line.encode(encoding, "replace").decode(encoding), style)


def good(result: CheckResult) -> bool:
    """Whether there is nothing to mend: it passed, or its author skips it."""
    return result.outcome in (Outcome.PASSED, Outcome.SKIPPED)


def counts(results: Results) -> tuple[int, object]:
    """How many passed, and the points that they earned."""
    passed = sum(result.outcome is Outcome.PASSED for result in results.values())
    return passed, total(result.earned for result in results.values())


def called(result: CheckResult) -> str:
    """A check's item and name."""
    return one_line(f"{result.item}  {result.check}", 200)


def ending(result: CheckResult) -> str:
    """How a check ended, in words."""
    said = "passed" if result.outcome is Outcome.PASSED else endings.OUTCOMES[result.outcome]
    return f"{said} (the check itself)" if result.fault is Fault.AUTHOR else said


def took(seconds: float) -> str:
    """A time with two digits below a second."""
    return f"{seconds:.2f} s" if seconds < 1 else duration(seconds)
