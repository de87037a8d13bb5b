"""A student's own notebook with feedback between its cells, as nbformat writes it.

It is made anew from what was read (``notebooks``): sources, texts that were printed, checked pictures. HTML,
scripts and metadata of theirs are left out.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePosixPath

import nbformat
from nbformat import NotebookNode, v4

from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.whose_notebook import notebook_of_items
from grader.model.records import Figure
from grader.model.text import storable
from grader.notebooks.answers import Answer, find_answers
from grader.notebooks.cells import Cell
from grader.notebooks.item_cells import cells_of_items
from grader.notebooks.own_feedback import KEY, SEAL, seal_of
from grader.notebooks.saved_texts import saved_texts
from grader.notebooks.submission_file import SubmissionFile, json_tree
from grader.notebooks.submission_files import SubmissionFiles
from grader.reports.feedback_notebook import cell_markdown, heading, item_markdown
from grader.reports.safe_words import SafeCell, SafeGrade, SafeItem

_MINOR = 5  # nbformat 4.5, the first with ids
NOT_FOUND = "Not in a cell of your notebook"


@dataclass(frozen=True)
class Part:
    """One graded file: its name, its cells, where its items are, and the texts its cells had printed.

    ``lines`` are those of a script, which is shown as it is written. ``given`` are the sources of the cells
    that students were given.
    """

    name: str
    cells: Sequence[Cell]
    places: Mapping[str, int]
    answers: Mapping[str, Answer]
    texts: Mapping[int, str]
    lines: Sequence[str] = ()
    given: Collection[str] = ()


def parts_of(
    files: SubmissionFiles, home: AssignmentFolder, asked: Mapping[str, frozenset[str]]
) -> tuple[Part, ...]:
    """The graded files of a submission, each with the items that are its own."""
    assignment = home.assignment
    owners = notebook_of_items(assignment, files.notebooks, home.cells_given)
    given = frozenset(cell.source.strip() for cell in home.template_cells)
    found = []
    for notebook in files.notebooks:
        answers = find_answers(notebook.cells, assignment, template=home.template_cells)
        places = cells_of_items(notebook.cells, assignment, asked, answers)
        own = {item: place for item, place in places.items() if owners.get(item) is notebook}
        texts, lines = _texts(notebook, files), _lines(notebook, files)
        found.append(Part(notebook.name, notebook.cells, own, answers, texts, lines, given))
    return tuple(found)


def _texts(notebook: SubmissionFile, files: SubmissionFiles) -> Mapping[int, str]:
    data = files.files.get(files.place_of(notebook))
    is_json = notebook.kind == "notebook" and notebook.name.lower().endswith(".ipynb")
    return saved_texts(json_tree(data, notebook.name)) if data is not None and is_json else {}


def _lines(notebook: SubmissionFile, files: SubmissionFiles) -> Sequence[str]:
    data = files.files.get(files.place_of(notebook), b"") if notebook.kind == "script" else b""
    return storable(data.decode("utf-8", "replace").removeprefix("\ufeff")).split("\n") if data else ()


def feedback_cells(told: SafeGrade, part: Part, rest: Sequence[SafeItem]) -> Iterator[NotebookNode]:
    """The cells of one file with what is said after them; ``rest`` are the items that no file answers."""
    items, ended = defaultdict[int, list[SafeItem]](list), defaultdict[int, list[SafeCell]](list)
    for item in told.items:
        if item.item in part.places:
            items[part.places[item.item]].append(item)
    several = any(cell.file for cell in told.cells)
    for one in told.cells:
        if not several or one.file in (part.name, ""):
            ended[one.cell].append(one)
    first = 1
    for cell, after in zip_longest(part.cells, part.cells[1:]):
        is_said = cell.number in items or cell.number in ended
        if not part.lines:
            yield _own(cell, part)
        elif is_said or after is None:
            # What stands between two statements of a script belongs to the second.
            last = after.line - 1 if after is not None else len(part.lines)
            yield _statements(part.lines[first - 1 : last], first)
            first = last + 1
        yield from _said(items[cell.number], ended[cell.number], part)
    if rest:
        yield _ours(f"## {NOT_FOUND}", title=NOT_FOUND)
        yield from _said(rest, (), part)


def _statements(lines: Sequence[str], first: int) -> NotebookNode:
    """Lines of a script up to where something is said."""
    made: NotebookNode = v4.new_code_cell("\n".join(lines).rstrip(), metadata={KEY: {"line": first}})
    return made


def _own(cell: Cell, part: Part) -> NotebookNode:
    """A cell of the student's."""
    is_given = not cell.figures and cell.source.strip() in part.given
    facts = {KEY: {"number": cell.number, **({"given": True} if is_given else {})}}
    made: NotebookNode
    if cell.kind == "code":
        made = v4.new_code_cell(cell.source, metadata=facts, outputs=list(_outputs(cell, part)))
    elif cell.kind == "raw":
        made = v4.new_raw_cell(cell.source, metadata=facts)
    else:
        made = v4.new_markdown_cell(_with_pictures(cell), metadata=facts)
        if cell.figures:
            made["attachments"] = _attachments(cell.figures)
    return made


def _with_pictures(cell: Cell) -> str:
    """A text with the pictures that were pasted into it below: their places in it are lost."""
    return "\n\n".join(
        [cell.source, *(f"![picture](attachment:{at}.png)" for at in range(len(cell.figures)))]
    )


def _attachments(figures: Sequence[Figure]) -> dict[str, dict[str, str]]:
    return {f"{at}.png": {"image/png": _base64(figure)} for at, figure in enumerate(figures)}


def _outputs(cell: Cell, part: Part) -> Iterator[NotebookNode]:
    if text := part.texts.get(cell.number):
        yield v4.new_output("stream", name="stdout", text=text)
    for figure in cell.figures:
        yield v4.new_output("display_data", data={"image/png": _base64(figure)})


def _said(items: Sequence[SafeItem], cells: Sequence[SafeCell], part: Part) -> Iterator[NotebookNode]:
    if not items and not cells:
        return
    pictures = [figure for item in items for figure in _apart(item, part)]
    texts = [*map(cell_markdown, cells), *map(item_markdown, items)]
    texts += [f"![your plot](attachment:{at}.png)" for at in range(len(pictures))]
    # A quotation, so that it is told apart from the student's own text.
    lines = "\n\n".join(texts).split("\n")
    cell = _ours(
        "\n".join(f"> {line}".rstrip() for line in lines),
        cells=[[cell.file, cell.cell] for cell in cells],
        items=[item.item for item in items],
        pictures=[[f"{at}.png", one.cell] for at, one in enumerate(pictures)],
    )
    if pictures:
        cell["attachments"] = _attachments(pictures)
    yield cell


def _ours(source: str, **facts: object) -> NotebookNode:
    """A cell of ours, which ``reports.feedback_page`` knows by its facts and our own reader by its seal."""
    made: NotebookNode = v4.new_markdown_cell(source, metadata={KEY: {**facts, SEAL: seal_of([source])}})
    return made


def _apart(item: SafeItem, part: Part) -> tuple[Figure, ...]:
    """The plots that were judged and do not stand directly above."""
    answer = part.answers.get(item.item)
    place = part.places.get(item.item)
    return tuple(figure for figure in answer.figures if figure.cell != place) if answer else ()


def _base64(figure: Figure) -> str:
    return base64.b64encode(figure.png).decode("ascii")


def feedback_notebooks(
    told: SafeGrade, parts: Sequence[Part], whose: str, changes: Sequence[str]
) -> dict[str, NotebookNode]:
    """A notebook for each graded file, by its name; the first says what is said of everything."""
    placed = {item for part in parts for item in part.places}
    rest = [item for item in told.items if item.item not in placed]
    found: dict[str, NotebookNode] = {}
    for part in parts or (Part("", (), {}, {}, {}),):
        is_last = not parts or part is parts[-1]
        cells = list(feedback_cells(told, part, rest if is_last else ()))
        if not found:
            cells.insert(0, _ours(heading(told, whose, changes)))
        found[part.name] = _notebook(cells)
    return found


def one_notebook(notebooks: Mapping[str, NotebookNode]) -> NotebookNode:
    """All of them as one, for a page."""
    cells = []
    for name, notebook in notebooks.items():
        if len(notebooks) > 1:
            cells.append(_ours(name, title=name))
        cells += notebook.cells
    return _notebook(cells)


def _notebook(cells: list[NotebookNode]) -> NotebookNode:
    for number, cell in enumerate(cells):
        cell["id"] = f"feedback-{number}"  # nbformat draws a random one: the same feedback is the same bytes
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        KEY: {SEAL: seal_of(cell["source"] for cell in cells)},
    }
    made: NotebookNode = v4.new_notebook(cells=cells, metadata=metadata, nbformat_minor=_MINOR)
    return made


def written(notebook: NotebookNode) -> bytes:
    """The notebook's file. Raises nbformat.ValidationError."""
    text: str = nbformat.writes(notebook, version=4)
    return text.encode() + b"\n"


def stem(name: str) -> str:
    """The name of a file without folders and ending."""
    return PurePosixPath(name).stem or "submission"
