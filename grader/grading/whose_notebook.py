"""Which notebook of a submission an item belongs to, when an assignment has several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from grader.model.assignment import Assignment, Item
from grader.notebooks.cells import Cell
from grader.notebooks.headings import HeadingReader
from grader.notebooks.submission_file import SubmissionFile


def notebooks_by_name(
    names: Sequence[str], notebooks: Sequence[SubmissionFile]
) -> dict[str, SubmissionFile | None]:
    """The file handed in for each of the manifest's notebooks; None for one that was not."""
    if len(names) == 1 or len(names) == len(notebooks):
        return dict(zip(names, notebooks, strict=False))
    left = list(notebooks)
    found: dict[str, SubmissionFile | None] = {}
    for name in sorted(names, key=len, reverse=True):  # "part1b" before "part1", which is in its name
        stem = _stem(name)
        fits = [file for file in left if _stem(file.name) == stem]
        fits = fits or [file for file in left if stem in _stem(file.name)]
        found[name] = fits[0] if fits else None
        left = [file for file in left if file is not found[name]]
    return {name: found[name] for name in names}


def notebook_of_items(
    assignment: Assignment, notebooks: Sequence[SubmissionFile], templates: Mapping[str, Sequence[Cell]]
) -> dict[str, SubmissionFile | None]:
    """Each item's file: the one that the manifest names, else the one with the item's heading.

    The heading is looked for in what was handed in, then in ``templates``, the cells that students were given
    by the notebooks' names. Without any it is the first notebook. None if the file was not handed in.
    """
    by_name = notebooks_by_name(assignment.notebooks, notebooks)
    if len(assignment.notebooks) == 1:
        return {item.id: notebooks[0] for item in assignment.item}
    headed = {id(file): _headed(file.cells, assignment) for file in notebooks}
    in_templates = {name: _headed(cells, assignment) for name, cells in templates.items()}

    def owner(item: Item) -> SubmissionFile | None:
        if item.notebook:
            return by_name.get(item.notebook)
        own = next((file for file in notebooks if item.id in headed[id(file)]), None)
        if own is not None:
            return own
        name = next(
            (name for name, items in in_templates.items() if item.id in items), assignment.notebooks[0]
        )
        return by_name.get(name)

    return {item.id: owner(item) for item in assignment.item}


def _headed(cells: Sequence[Cell], assignment: Assignment) -> set[str]:
    """The items that have a heading among these cells."""
    reader = HeadingReader([(item.id, item.title) for item in assignment.item])
    lines = (line for cell in cells if cell.kind == "markdown" for line in cell.source.split("\n"))
    return {item for line in lines if (heading := reader.read(line)) is not None for item in heading.items}


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.casefold()
