"""The report on a terminal: what was earned, what went wrong and why, what waits.

Untrusted text is cleaned, never parsed as markup, and printed in the terminal's own encoding. Without colour
or Unicode only the looks suffer.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.box import Box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model import endings
from grader.model.errors import Fault
from grader.model.records import CellResult, CellStatus, CheckResult, Grade, ItemResult
from grader.model.text import excerpt, one_line, plural
from grader.reports import summary
from grader.reports.progress import can_print
from grader.reports.summary import State

_DETAIL_LINES = 8
_BAD_CELLS = 20
_WIDEST = 110  # a table as wide as a wide screen separates what belongs together
_NARROW = 64  # below this an undecided item says "open", to leave room for its title

RULES = Box("    \n    \n ── \n    \n    \n ── \n    \n    \n")
ASCII_RULES = Box("    \n    \n -- \n    \n    \n -- \n    \n    \n", ascii=True)


class Signs(msgspec.Struct, frozen=True):
    """One character for each state, and the punctuation between facts."""

    full: str = "✓"
    partial: str = "◐"
    zero: str = "✗"
    waiting: str = "…"
    attention: str = "!"
    between: str = " · "
    ellipsis: str = "…"


ASCII_SIGNS = Signs(full="+", partial="/", zero="x", waiting=".", between=" | ", ellipsis="...")

_STYLES = {
    State.FULL: "green",
    State.PARTIAL: "yellow",
    State.ZERO: "red",
    State.WAITING: "blue",
    State.ATTENTION: "bold magenta",
}


def print_report(grade: Grade, console: Console, *, report_path: str = "") -> None:
    """Print the grade for the person who ran it. ``report_path`` is where the page was written."""
    report = _Report(grade, console)
    for part in report.parts():
        console.print(part, markup=False, highlight=False, emoji=False, width=min(console.width, _WIDEST))
    if report_path:
        where = Text.assemble(("Report: ", "dim"), report.text(report_path, limit=4_000))
        console.print(where, soft_wrap=True)  # a path broken over lines cannot be clicked or copied


class _Report:
    """The parts of one report, made for one console."""

    def __init__(self, grade: Grade, console: Console) -> None:
        self.grade = grade
        self.encoding = console.encoding
        self.unicode = can_print("✓◐✗…·─", console)
        self.signs = Signs() if self.unicode else ASCII_SIGNS
        self.narrow = console.width < _NARROW
        self.public = summary.is_public(grade)

    def parts(self) -> Iterator[RenderableType]:
        """Every part from top to bottom."""
        grade = self.grade
        if warning := summary.isolation_warning(grade):
            yield self.text(warning, "bold red", limit=600)
        yield from self.heading()
        yield Text()
        yield self.items()
        yield from self.section("What went wrong", [*self.failures()])
        yield from self.section("Not found", [*self.not_found()])
        yield from self.section("Cells that did not run through", [*self.bad_cells()])
        yield from self.section("Done differently while grading", [*map(self.bullet, summary.notes(grade))])
        yield from self.section("Notices", [*map(self.bullet, grade.notices)])
        yield from self.section("Needs attention", [*map(self.bullet, grade.attention)], "bold magenta")
        yield Text()
        yield self.text(summary.total_line(grade), "bold")

    def heading(self) -> Iterator[RenderableType]:
        """Which assignment and submission, and how it was run."""
        grade, signs = self.grade, self.signs
        what = [grade.assignment, grade.submission.name]
        verdict = summary.doctors_verdict(grade)
        isolation = grade.environment.isolation + (f" (doctor: {verdict})" if verdict else "")
        how = [f"seed {grade.seed}", f"isolation {isolation}", f"{grade.seconds:.1f} s"]
        if self.public:
            how.insert(0, "public tests only, no points")
        yield self.text(signs.between.join(one_line(part, 200) for part in what), "bold")
        yield self.text(signs.between.join(how), "dim")

    def items(self) -> Table:
        """One row per item: its state, its id and title, its points (in public mode its checks)."""
        box = RULES if self.unicode else ASCII_RULES
        table = Table(box=box, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), expand=True)
        table.header_style = table.border_style = "dim"
        table.add_column("", width=1)
        table.add_column("Item", overflow="fold", max_width=22)
        table.add_column("Title", ratio=1, overflow="fold")
        table.add_column("Checks" if self.public else "Points", justify="right", overflow="fold")
        table.add_column("", overflow="fold")
        for item in summary.shown_items(self.grade):
            state = summary.state(item, public=self.public)
            sign = Text(getattr(self.signs, state.value), _STYLES[state])
            table.add_row(sign, self.text(item.item), self.text(item.title), *self.worth(item, state))
        return table

    def worth(self, item: ItemResult, state: State) -> tuple[Text, Text]:
        """What the item earned, and out of how much."""
        if self.public:
            passed, every = summary.checks_passed((item,))
            return Text(str(passed), _STYLES[state]), Text(f"of {every}", "dim")
        undecided = "open" if self.narrow else summary.waiting_word(item)
        earned = str(item.earned) if item.decided else undecided
        return Text(earned, _STYLES[state]), Text(f"of {item.possible}", "dim")

    def failures(self) -> Iterator[RenderableType]:
        """Each item with a check that did not pass."""
        for item in summary.shown_items(self.grade):
            failed = summary.failed_checks(item)
            if not failed:
                continue
            yield Text()
            yield self.text(f"{item.item} {item.title}", "bold")
            for check, following in zip(failed, (*failed[1:], None), strict=True):
                yield self.failure(check, said_below=following is not None and _alike(check, following))

    def failure(self, check: CheckResult, *, said_below: bool = False) -> RenderableType:
        """The check's title, its points, whose fault it was, and the first lines of the reason.

        With ``said_below`` the next check failed for the same reason, which is then shown once.
        """
        theirs = check.fault in {Fault.AUTHOR, Fault.INFRASTRUCTURE}
        waits = summary.waits(check)
        sign, style = (self.signs.attention, "bold magenta") if theirs else (self.signs.zero, "red")
        if waits:
            sign, style = self.signs.waiting, "yellow"
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(width=1)
        head.add_column(ratio=1, overflow="fold")
        head.add_column(justify="right", overflow="fold")
        worth = "" if self.public else f"{'?' if theirs or waits else check.earned} of {check.possible}"
        head.add_row(Text(sign, style), self.text(check.title or check.check), Text(worth, "dim"))
        facts = [summary.outcome_of(check)]
        if check.fault is not None:
            facts.append(summary.FAULTS[check.fault])
        body = (
            []
            if said_below
            else [
                Text(self.signs.between.join(facts), "dim"),
                *self.lines(check.detail or check.message, _DETAIL_LINES),
            ]
        )
        return Padding(Group(head, Padding(Group(*body), (0, 0, 0, 2))), (0, 0, 0, 2))

    def bad_cells(self) -> Iterator[RenderableType]:
        """The first cells that raised, timed out, crashed or were skipped, and how many more did."""
        bad = [cell for cell in self.grade.cells if cell.status is not CellStatus.OK]
        yield from map(self.cell, bad[:_BAD_CELLS])
        if len(bad) > _BAD_CELLS:
            more = len(bad) - _BAD_CELLS
            yield self.bullet(f"and {more} more {plural(more, 'cell', 'cells')}; the page lists them all")

    def cell(self, cell: CellResult) -> RenderableType:
        """The cell's number, how it ended, its first line and its error."""
        head = f"{one_line(summary.place_of(cell, self.grade), 200)} {endings.CELLS[cell.status]}"
        title = Text.assemble(head, (self.signs.between, "dim"), self.text(cell.first_line, "dim"))
        error = self.lines(cell.error, 2)
        return Padding(Group(title, *(Padding(line, (0, 0, 0, 2)) for line in error)), (0, 0, 0, 2))

    def not_found(self) -> Iterator[RenderableType]:
        """One line for answers and one for evidence: the items for which nothing was handed in."""
        items = [item for item in summary.shown_items(self.grade) if not item.found]
        for what in dict.fromkeys(map(summary.looked_for, items)):
            names = ", ".join(item.item for item in items if summary.looked_for(item) == what)
            yield self.bullet(f"no {what} for {names}")

    def bullet(self, line: str) -> RenderableType:
        """One notice."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column()
        grid.add_column(overflow="fold")
        grid.add_row(Text("-", "dim"), self.text(line, limit=600))
        return Padding(grid, (0, 0, 0, 2))

    def section(
        self, title: str, parts: list[RenderableType], style: str = "bold underline"
    ) -> Iterator[RenderableType]:
        """A titled part, or nothing if it is empty."""
        if parts:
            yield Text()
            yield Text(title, style)
            yield from parts

    def text(self, foreign: str, style: str = "", *, limit: int = 200) -> Text:
        """Any text, cleaned, on one line and in characters that this terminal has."""
        return self.clean_text(one_line(foreign, limit), style)

    def lines(self, foreign: str, count: int) -> list[Text]:
        """The beginning and the end of a long text, about ``count`` lines of it."""
        rows = excerpt(foreign, limit=100 * count, lines=count).split("\n")
        return [self.clean_text(row.rstrip().expandtabs(4)) for row in rows if row.strip()]

    def clean_text(self, line: str, style: str = "") -> Text:
        """A line that is clean already; its indentation stays."""
        if not self.unicode:
            line = line.replace("…", self.signs.ellipsis)
        return Text(line.encode(self.encoding, "replace").decode(self.encoding), style)


def _alike(one: CheckResult, other: CheckResult) -> bool:
    """Whether two checks ended in the same way and for the same reason, in words."""
    return (one.outcome, one.fault, one.detail, one.message) == (
        other.outcome,
        other.fault,
        other.detail,
        other.message,
    )
