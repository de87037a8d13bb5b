"""What the notebook asks for each written item, and which evidence an item comments on."""

from __future__ import annotations

from collections.abc import Iterable

from grader.model.assignment import Assignment, Item
from grader.notebooks.answers import segments
from grader.notebooks.cells import Cell
from grader.notebooks.headings import Heading, HeadingReader


def questions(cells: Iterable[Cell], assignment: Assignment) -> dict[str, str]:
    """The Markdown below each item's heading in the notebook that students were given; "" for none."""
    reader = HeadingReader([(item.id, item.title) for item in assignment.item])
    found: dict[str, list[str]] = {item.id: [] for item in assignment.item}
    heading = Heading()
    for cell in cells:
        if cell.kind != "markdown":
            continue
        for number, (own, lines) in enumerate(segments(cell.source, heading, reader)):
            heading = own
            if number == 0 or own.is_answer:
                continue
            for item in own.items:
                found[item].append("\n".join(lines).strip())
    return {item: "\n\n".join(filter(None, parts)) for item, parts in found.items()}


def evidence_for(assignment: Assignment, item: Item) -> Item | None:
    """The evidence item that a written one comments on: the last one before it in the same section.

    The section is the id without its last part: of ``3.4.ii`` it is ``3.4``.
    """
    section = item.id.rpartition(".")[0]
    found = None
    for other in assignment.item:
        if other.id == item.id:
            return found
        if other.kind == "evidence" and section and other.id.rpartition(".")[0] == section:
            found = other
    return None
