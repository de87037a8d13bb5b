"""`grade extend`: give a student more time than the class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from grader.cli import options
from grader.course.locations import new_or_existing_gradebook
from grader.files import read_whole
from grader.gradebook.people import People
from grader.gradebook.rows import Extension
from grader.gradebook.spreadsheets import TimeGiven, read_times
from grader.gradebook.store import Gradebook
from grader.gradebook.times import time_in_utc, zone_named
from grader.model.errors import UsageError

HELP = """Give STUDENT until TIME to hand in; without arguments, list who has more time.

STUDENT is an id, a login, an e-mail address or a name. A TIME such as 2026-12-02T23:59+01:00 replaces the
deadline that `grade table` measures by, unless it is earlier; `none` withdraws an extension. The last one
counts; all are kept, with who, when and why. --csv reads a table with the columns id (or login, email, name),
until and, where you like, reason: all rows or, if one is wrong, none.

\b
Examples:
  grade extend s1234567 2026-12-02T23:59+01:00 --reason "ill"
  grade extend ada@example.edu 2026-12-02T23:59 --zone Europe/Berlin
  grade extend "Ada Lovelace" none
  grade extend --csv extensions.csv
  grade extend
"""
WITHDRAWN = ("none", "withdraw", "-")
COLUMNS = ("until", "time", "deadline")
SHOWN = 5


@click.command("extend", help=HELP)
@click.argument("student", required=False)
@click.argument("time", required=False)
@click.option("--csv", "csv_path", metavar="FILE", type=click.Path(path_type=Path), help="Read a table.")
@click.option("--reason", default="extended", help="Why, for the gradebook. [default: extended]")
@click.option(
    "--zone", metavar="NAME", default="", help="Zone of times that name none: Europe/Berlin. [default: UTC]"
)
@options.author()
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    student: str | None,
    time: str | None,
    *,
    csv_path: Path | None,
    reason: str,
    zone: str,
    author: str,
    assignment: Path | None,
    db: str | None,
) -> None:
    if (student is None) != (time is None) or (student is not None and csv_path is not None):
        raise UsageError("extend takes STUDENT and TIME, or --csv FILE, or nothing to list extensions")
    given: list[TimeGiven] = []
    if csv_path is not None:
        data = read_whole(csv_path, option="--csv")
        given = read_times(data, source=csv_path.name, columns=COLUMNS)
    elif student is not None and time is not None:
        given = [TimeGiven(student, time, reason, "")]
    with new_or_existing_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        if csv_path is None and student is None:
            lines = list(listed(gradebook, locations.title))
        else:
            people = People.of(gradebook, locations.title)
            found = extensions_of(given, people, zone=zone, author=author, reason=reason)
            written = gradebook.add_extensions(locations.title, found)
            lines = [*map(said, found[:SHOWN]), f"{written:,} written, {len(found) - written:,} as before"]
    options.tell("\n".join(lines))


def extensions_of(
    given: Sequence[TimeGiven], people: People, *, zone: str, author: str, reason: str
) -> list[Extension]:
    """The extensions of a table's rows. Raises UsageError that lists the wrong rows, if there is any."""
    own_zone, found, wrong = zone_named(zone or "UTC"), dict[str, Extension](), list[str]()
    for row in given:
        try:
            until = "" if row.time.lower() in WITHDRAWN else time_in_utc(row.time, zone=own_zone)
            one = Extension(people.find(row.who).id, until, author, row.reason or reason)
        except UsageError as error:
            wrong.append(f"{row.where}: {error}" if row.where else str(error))
            continue
        if found.setdefault(one.student, one).until != until:
            wrong.append(f"{row.where}: {row.who} has another time in an earlier row")
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise UsageError(f"nothing was written. {'; '.join(wrong[:SHOWN])}{more}")
    return list(found.values())


def said(one: Extension) -> str:
    """An extension in a line."""
    return f"{one.student}: until {one.until}" if one.until else f"{one.student}: no extension"


def listed(gradebook: Gradebook, assignment: str) -> Iterator[str]:
    """One line for each extension that counts."""
    known = gradebook.extensions(assignment)
    for student, one in sorted(known.items()):
        yield f"{student}: until {one.until} ({one.reason}; {one.author}, {one.at})"
    if not known:
        yield "nobody has an extension"
