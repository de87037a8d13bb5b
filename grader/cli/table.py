"""`grade table`: where the class stands, with marks, late days and the submission that counts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli import options
from grader.course.locations import open_gradebook
from grader.course.table import ClassRow, Rules, class_rows, write_class_table
from grader.gradebook.policy import BY_UNKNOWN, NOT_MARKED, UNKNOWN, moment
from grader.model.text import counted, one_line

HELP = """Show where the class stands: one row per student, with the points from checks and from people.

With --deadline each submission is on time, late by a number of days, or of unknown time, which counts as on
time. One that Canvas marks LATE without saying by how much is late by an unknown time. Students who have more
time (`grade extend`) are measured by their own deadline.

\b
Examples:
  grade table
  grade table --csv grades.csv --choose best
  grade table --choose deadline --deadline 2026-11-30T23:59+01:00
  grade table --deadline 2026-11-30T23:59+01:00 --late-percent 10 --grace 15
  grade table --deadline 2026-11-30T23:59+01:00 --late-percent 10 --unknown-late-days 2
"""
SHOWN = 500
WIDEST = 200
NAMED = 20


@click.command("table", help=HELP)
@options.csv("Write the table as CSV.")
@options.counting
@options.lateness
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    *,
    csv_path: Path | None,
    choose: str,
    deadline: str,
    late_percent: int,
    grace: int,
    unknown_late_days: int,
    assignment: Path | None,
    db: str | None,
) -> None:
    moment(deadline)
    rules = Rules(choose, deadline, late_percent, grace, unknown_late_days)
    with open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        rows = list(class_rows(gradebook, locations.title, rules))
        if csv_path is not None:
            write_class_table(gradebook, locations.title, csv_path, rules)
    console = Console()
    if not console.is_terminal:  # nobody's screen is too narrow for it
        console.width = max(console.width, WIDEST)
    show(rows, console, with_late=bool(deadline) or any(row.lateness.words == BY_UNKNOWN for row in rows))
    for line in [
        *about_times(rows, rules),
        *about_extensions(rows),
        *about_marks(rows),
        *about_mistakes(rows),
        *about_attention(rows),
    ]:
        console.print(Text(line), soft_wrap=True)


def show(rows: Sequence[ClassRow], console: Console, *, with_late: bool) -> None:
    """The class on a terminal."""
    table = Table(box=None, pad_edge=False)
    for column in ("student", "submission"):  # a name in two lines reads as two names
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    for column in ("earned", "awaiting", "of", *(("late days", "final") if with_late else ())):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows[:SHOWN]:
        table.add_row(*shown(row, with_late=with_late))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"... and {len(rows) - SHOWN:,} more; --csv FILE has all", highlight=False)
    handed_in = [row for row in rows if row.total is not None or row.waits]
    complete = sum(row.total.complete for row in handed_in if row.total is not None)
    console.print(
        f"{len(handed_in):,} of {len(rows):,} handed in; {complete:,} have every point decided",
        highlight=False,
    )


def shown(row: ClassRow, *, with_late: bool) -> list[Text]:
    """The cells of one row."""
    name = row.student.name or row.student.id or "nobody on the roster"
    if row.grade is None or row.total is None:
        what = Text(one_line(row.waits, 60)) if row.waits else Text("nothing handed in", "dim")
        return [Text(one_line(name, 60)), what, *[Text()] * (5 if with_late else 3)]
    total = row.total
    cells = [Text(one_line(name, 60)), Text(one_line(row.grade.submission.name, 60))]
    cells += [Text(str(total.earned)), Text(str(total.awaiting), "blue" if total.awaiting else "dim")]
    cells.append(Text(str(total.possible)))
    if with_late:
        cells += [Text(late_shown(row)), Text(str(row.final), "bold")]
    return cells


def late_shown(row: ClassRow) -> str:
    """The days that count, and the words where they are not the whole truth."""
    words, days = row.lateness.words, str(row.lateness.days)
    return {BY_UNKNOWN: f"{days} ({BY_UNKNOWN})", UNKNOWN: UNKNOWN}.get(words, days)


def about_times(rows: Sequence[ClassRow], rules: Rules) -> Iterator[str]:
    """What has to be known about times that are not: how many, and how they count."""
    by = {
        words: [row for row in rows if row.grade is not None and row.lateness.words == words]
        for words in (BY_UNKNOWN, NOT_MARKED, UNKNOWN)
    }
    if rules.deadline and any(by.values()):
        parts = (
            (BY_UNKNOWN, "late by their platform's word"),
            (NOT_MARKED, "not marked late by it"),
            (UNKNOWN, "counted as on time"),
        )
        said = ", ".join(f"{len(by[words]):,} {what}" for words, what in parts if by[words])
        yield f"the time of {sum(map(len, by.values())):,} submissions is unknown: {said}"
    for row in by[BY_UNKNOWN][:NAMED]:
        days = counted(rules.unknown_days, "day", "days")
        how = "extended, so not counted" if row.extended_until else f"counted as {days}"
        name = row.student.name or row.student.id or "nobody's"
        yield f"{one_line(name, 60)}: {BY_UNKNOWN}, {how}"
    if len(by[BY_UNKNOWN]) > NAMED:
        yield f"... and {len(by[BY_UNKNOWN]) - NAMED:,} more; --csv FILE has all"


def about_extensions(rows: Sequence[ClassRow]) -> Iterator[str]:
    """One line for each student who has more time."""
    extended = [row for row in rows if row.extended_until]
    for row in extended[:NAMED]:
        yield f"{one_line(row.student.name or row.student.id, 60)}: extended to {row.extended_until}"
    if len(extended) > NAMED:
        yield f"... and {len(extended) - NAMED:,} more are extended; `grade extend` lists them"


def about_marks(rows: Sequence[ClassRow]) -> Iterator[str]:
    """Marks that were given to other submissions of the same students: which count, and which do not."""
    carried = [(row, mark) for row in rows for mark in row.carried.values()]
    for row, mark in carried[:NAMED]:
        name = one_line(row.student.name or row.student.id, 60)
        yield f"{name}: item {mark.item}: the mark for the same answer in #{mark.submission} is carried over"
    if len(carried) > NAMED:
        yield f"... and {len(carried) - NAMED:,} more marks are carried over"
    left = [(row, mark) for row in rows for mark in row.elsewhere.values()]
    for row, mark in left[:NAMED]:
        name = one_line(row.student.name or row.student.id, 60)
        points = "none" if mark.points is None else mark.points.in_words
        where = f"another answer, in #{mark.submission}"
        yield f"{name}: item {mark.item}: an earlier mark ({points}) is for {where}"
    if len(left) > NAMED:
        yield f"... and {len(left) - NAMED:,} more earlier marks are for other answers"


def about_mistakes(rows: Sequence[ClassRow]) -> Iterator[str]:
    """The kinds of mistakes in the submissions that count, the commonest first."""
    made = Counter(
        (item.item, mistake)
        for row in rows
        if row.grade is not None
        for item in row.grade.items
        for mistake in item.mistakes
    )
    for (item, mistake), count in made.most_common(NAMED):
        yield f"item {item}: {counted(count, 'submission', 'submissions')}: {one_line(mistake, 120)}"
    if len(made) > NAMED:
        yield f"... and {len(made) - NAMED:,} kinds of mistakes more"


def about_attention(rows: Sequence[ClassRow]) -> Iterator[str]:
    """One line for each submission that a person has to look at."""
    needy = [one for row in rows for one in row.attention]
    for name, why in needy[:NAMED]:
        yield f"{one_line(name, 60)} needs attention: {one_line(why, 300)}"
    if len(needy) > NAMED:
        yield f"... and {len(needy) - NAMED:,} more need attention; --csv FILE has all"
