"""`grade mark`: give one item of one submission points, as a person."""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.cli import options
from grader.course.after_marks import follow
from grader.course.locations import open_gradebook
from grader.gradebook.marks import GradedSubmissions, mark_of, parse_mark
from grader.model.errors import UsageError

HELP = """Give one item of one submission POINTS, as a person.

SUBMISSION is a file's name as in the class's table, a student's id, or # and the number that `grade marks
export` shows. POINTS `none` withdraws a mark. A mark replaces what the checks found; both are kept, with who,
when and why.

\b
Examples:
  grade mark ada.ipynb 3.2.3.i 1.5 --comment "says nothing about memory"
  grade mark s1234567 3.1.1 6 --reason "the hint misled"
  grade mark '#17' 3.2.3.i none
"""


@click.command("mark", help=HELP)
@click.argument("submission")
@click.argument("item")
@click.argument("points")
@click.option("--comment", default="", help="What the student reads beside the points.")
@click.option("--reason", default="marked", help="Why, for the gradebook. [default: marked]")
@options.author()
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    submission: str,
    item: str,
    points: str,
    *,
    comment: str,
    reason: str,
    author: str,
    assignment: Path | None,
    db: str | None,
) -> None:
    given = parse_mark(item, points, comment, where="POINTS")
    if given is None:
        raise UsageError("POINTS is empty; write a number, or none to withdraw a mark")
    with open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        found = GradedSubmissions(gradebook, locations.title).find(submission)
        written = gradebook.add_marks(
            [mark_of(found, given, author=author, reason=reason, bonus=locations.home.assignment.bonuses)]
        )
        follow(gradebook, locations, {found.submission.student})
        name = found.submission.name
    said = "no mark" if given.points is None else given.points.in_words
    options.tell(f"{name}: item {item}: {said}" + ("" if written else " (as before)"))
