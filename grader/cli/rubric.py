"""`grade rubric export`: the rubric lines as they have become while marking, for the manifest."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from grader.cli import options
from grader.course.locations import open_gradebook
from grader.files import write_whole
from grader.gradebook.rubrics import LineVersion
from grader.model.assignment import Item
from grader.model.points import total

HELP = """Rubric lines: what they have become on the marking page.

\b
Examples:
  grade rubric export                print each written item's lines as assignment.toml has them
  grade rubric export rubric.toml    ... into a file
"""


@click.group("rubric", help=HELP)
def command() -> None:  # noqa: D103  # its help is HELP
    pass


@command.command("export")
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@options.gradebook
def export_rubric(path: Path | None, *, assignment: Path | None, db: str | None) -> None:
    """Write the lines of every written item in the form of the manifest, to be put there by hand."""
    with open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        marking = gradebook.marking(locations.title)
        items = locations.home.assignment.of_kind("written")
        text = "\n".join("\n".join(item_lines(item, marking.rubric(item.id))) + "\n" for item in items)
    if path is None:
        options.tell(text.rstrip())
        return
    write_whole(path, text.encode())
    options.tell(f"{path}: the rubric of {len(items)} items")


def item_lines(item: Item, lines: Sequence[LineVersion]) -> Iterator[str]:
    """An item's rubric as TOML. Lines that add up to something else get a comment that says so."""
    shown = [(line.points, line.text) for line in lines] or [(line.points, line.text) for line in item.rubric]
    found = total(points for points, _ in shown)
    yield f"# {item.id} {item.title}" + ("" if lines else " (nobody has marked it on the page)")
    if shown and found != item.points:
        yield (
            f"# These lines add up to {found}, the item has {item.points}: "
            "assignment.toml takes them once they add up."
        )
    yield "rubric = ["
    for points, text in shown:
        yield f"  {{ points = {points}, text = {json.dumps(text, ensure_ascii=False)} }},"
    yield "]"
