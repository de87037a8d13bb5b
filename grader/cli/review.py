"""`grade review`: the written answers of a class on a page, marked by keyboard."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import click

from grader.cli import options
from grader.course.after_marks import follow
from grader.course.locations import existing_locations
from grader.files import read_whole
from grader.gradebook.marks import GradedSubmissions
from grader.gradebook.spreadsheets import read_table
from grader.gradebook.store import Gradebook
from grader.host import login
from grader.model.errors import UsageError
from grader.model.text import plural

HELP = """Mark the written answers of a class on a page of this machine, item by item, by keyboard.

Prints one link for each marker; --by names them. The page is for this machine only: docs/marking.md says how
to reach it from another one. Marks are in the gradebook as soon as the page says "saved".

\b
Examples:
  grade review
  grade review --item 3.4.ii
  grade review --by ada --by bob --port 8123
  grade review --by ada --by bob --everybody 5 --twice 10
  grade review --requests requests.csv
  grade review --by ada --public https://marking.example.edu --port 8123
"""
INSTALL = "pip install 'chainrule[review]'"


@click.command("review", help=HELP)
@click.option(
    "--by", "markers", metavar="NAME", multiple=True, help="A marker; repeatable. [default: your login]"
)
@click.option("--item", "items", metavar="ID", multiple=True, help="Only this item; repeatable.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="[default: any that is free]"
)
@click.option(
    "--public", metavar="URL", default="", help="The address of a reverse proxy in front of the page."
)
@click.option(
    "--requests",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Regrade requests to show: columns student, item, words.",
)
@click.option(
    "--everybody",
    metavar="N",
    type=click.IntRange(0),
    help="How many first answers of an item all markers mark, each on their own. [default: 10]",
)
@click.option(
    "--twice",
    metavar="PERCENT",
    type=click.IntRange(0, 100),
    default=0,
    help="The share of all other answers that two markers mark. [default: 0]",
)
@options.gradebook
def command(  # noqa: D103, PLR0913  # its help is HELP; an argument for each option
    *,
    markers: tuple[str, ...],
    items: tuple[str, ...],
    port: int,
    public: str,
    requests: Path | None,
    everybody: int | None,
    twice: int,
    assignment: Path | None,
    db: str | None,
) -> None:
    try:
        from grader.review import guard, serving  # noqa: PLC0415  # an extra
        from grader.review.classroom import classroom  # noqa: PLC0415
        from grader.review.following import Follower  # noqa: PLC0415
        from grader.review.opinions import EVERYBODY, Panel  # noqa: PLC0415
        from grader.review.page import Page  # noqa: PLC0415
        from grader.review.reloading import Reloader  # noqa: PLC0415
        from grader.review.requests import add_requests  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"latex2mathml", "pygments", "starlette", "uvicorn"}:
            raise
        raise UsageError(f"the marking page needs Starlette, which is not installed: {INSTALL}") from None
    locations = existing_locations(assignment, db, environ=os.environ)
    manifest = locations.home.assignment
    written = [item.id for item in manifest.of_kind("written")]
    if unknown := [item for item in items if item not in written]:
        raise UsageError(f"--item {unknown[0]}: no written item; there are {', '.join(written) or 'none'}")
    with Gradebook.open(locations.gradebook) as gradebook, gradebook.quick_saves():
        known = gradebook.newest()
        room = classroom(gradebook, manifest, only=items)
        names = [name.strip() for name in markers if name.strip()] or [login()]
        if requests is not None:
            rows = read_table(read_whole(requests), source=requests.name)
            graded = GradedSubmissions(gradebook, manifest.title)
            notes = gradebook.marker_notes(manifest.title)
            add_requests(rows, graded, room, notes, source=requests.name, author=names[0])
        bound = serving.listening(port)
        port = bound.getsockname()[1]
        keys = guard.Keys.cut(names, port=port, public=public)
        answers = sum(len(unit.answers) for units in room.units.values() for unit in units)

        def ready() -> None:
            said = f"{answers:,} {plural(answers, 'answer', 'answers')} to {len(room.items)} items"
            options.tell(f"{said}; Ctrl+C stops the page, marks are saved as they are given")
            for marker, link in serving.links(keys, port).items():
                options.tell(f"{marker}: {link}")

        def write(students: Collection[str] | None) -> None:
            follow(gradebook, locations, students)

        with closing(Follower(write, told=lambda words: options.tell(words, err=True))) as follower:
            panel = Panel(tuple(names), EVERYBODY if everybody is None else everybody, twice)
            page = Page(locations.home, gradebook, room, marked=follower.marked, panel=panel)

            def read() -> None:
                page.renew(classroom(gradebook, manifest, only=items))

            with closing(Reloader(gradebook.newest, read, known=known)):
                serving.serve(page, keys, bound, ready=ready)
