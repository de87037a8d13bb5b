"""`grade assign FILE STUDENT`: give a submission that nobody was matched with to a student."""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.cli import options
from grader.course.after_marks import follow
from grader.course.locations import existing_locations
from grader.gradebook.marks import find_submissions
from grader.gradebook.people import People
from grader.gradebook.rows import Owner
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError

HELP = """Give the submission FILE, which nobody was matched with, to STUDENT.

FILE is its name as `grade batch` and `grade table` show it, or # and its number. STUDENT is an id, a login,
an e-mail address or a name. From then on it is theirs: in the table, for marks, and in later batches. To take
one from another student, say why with --reason. Who, when and why are kept.

\b
Examples:
  grade assign hw3_final.ipynb s1234567
  grade assign "untitled (2).ipynb" ada@example.edu --reason "her mail of 20 November"
"""


@click.command("assign", help=HELP)
@click.argument("file")
@click.argument("student")
@click.option("--reason", default="", help="Why, for the gradebook.")
@options.author()
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    file: str, student: str, *, reason: str, author: str, assignment: Path | None, db: str | None
) -> None:
    locations = existing_locations(assignment, db, environ=os.environ)
    with Gradebook.open(locations.gradebook) as gradebook:
        found = find_submissions(gradebook, locations.title, file)
        owner = People.of(gradebook, locations.title).find(student)
        before = found[0].student
        if before not in ("", owner.id) and not reason:
            raise UsageError(f"{file} is of {before}; to take it from them, say why with --reason")
        given = (Owner(row.row, owner.id, author, reason or "assigned") for row in found)
        written = gradebook.add_owners(given)
        follow(gradebook, locations, {owner.id, before})
    options.tell(f"{found[0].name}: of {owner.shown}" + ("" if written else " (as before)"))
