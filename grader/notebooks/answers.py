"""Where a submission answers each written and evidence item: by the item's id, never by a cell's position.

Written items: the prose under the answer's heading (``#### Answer 3.2.3.i``), in its cell and in the Markdown
cells below it, up to the next heading that names an item or a section. Evidence items: the pictures and
recorded evidence of the code cells under the item's heading, or of cells that name the item as text
(``record("4.1.ii", ...)``). Evidence names its item itself; what stands under the item's own heading comes
before what was found elsewhere. Duplicated, reordered and added cells, and headings whose ``#`` was lost or
changed, are all fine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.model.assignment import Assignment
from grader.model.records import Figure
from grader.notebooks.cells import Cell
from grader.notebooks.headings import Headings, Mark
from grader.notebooks.recordings import Recording
from grader.notebooks.text import shown

PLACEHOLDER = "*Write your answer here.*"
MAX_ANSWER = 50_000
"""Characters of one answer that are kept."""

_PLACEHOLDER = re.compile(r"[\s>*_]*(?:write|type) your answer here[\s.*_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was handed in for one item. ``text`` is Markdown that the student wrote: untrusted.

    ``found`` is whether anything was handed in: prose (or a pasted picture) for a written item, a figure or
    recorded evidence for an evidence item, readable or not: ``bad_evidence`` says in one line each what is
    wrong with a recording. ``cells`` are the numbers of the cells that were looked at for it.
    """

    text: str = ""
    found: bool = False
    figures: tuple[Figure, ...] = ()
    evidence: tuple[Recording, ...] = ()
    bad_evidence: tuple[str, ...] = ()
    cells: tuple[int, ...] = ()


@dataclass
class _Gathered:
    """What belongs to one item so far: prose under its answer heading, and below its question's cell.

    ``is_headed`` tells that an answer heading was seen. Prose below the question is then the assignment's
    own, unless the template is known and says otherwise.
    """

    is_headed: bool = False
    answers: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    evidence: list[Recording] = field(default_factory=list)
    strays: list[Recording] = field(default_factory=list)
    bad_evidence: list[str] = field(default_factory=list)
    prose_cells: list[int] = field(default_factory=list)
    code_cells: list[int] = field(default_factory=list)
    picture_cells: list[int] = field(default_factory=list)
    pictures: list[Figure] = field(default_factory=list)


def find_answers(
    cells: Iterable[Cell], assignment: Assignment, *, given: Iterable[Cell] = ()
) -> dict[str, Answer]:
    """The answer of every written and evidence item, by the item's id.

    ``given`` are the cells of the untouched template, where they are known: their paragraphs are nobody's
    answer, wherever they turn up.
    """
    headings = Headings([(item.id, item.title) for item in assignment.item])
    gathered = {item.id: _Gathered() for item in assignment.item if item.kind != "code"}
    prose = (cell.source for cell in given if cell.kind == "markdown")
    known = {_squeezed(part) for source in prose for part in _paragraphs(source)}
    mark = Mark()
    for cell in cells:
        if cell.kind == "markdown":
            mark = _read_prose(cell, mark, headings, gathered, known)
        elif cell.kind == "code":
            named = [name for name in headings.quoted(cell.source) if name in gathered]
            _read_evidence(cell, named or mark.items, mark.items, gathered)
            _read_code(cell, named or mark.items, gathered)
    return {
        item.id: _written(gathered[item.id], template_known=bool(known))
        if item.kind == "written"
        else _evidence(gathered[item.id])
        for item in assignment.item
        if item.id in gathered
    }


def _read_prose(
    cell: Cell, mark: Mark, headings: Headings, gathered: dict[str, _Gathered], known: set[str]
) -> Mark:
    """Gives a Markdown cell's text to the items it belongs to; the mark that holds after it."""
    for number, (inner, lines) in enumerate(_segments(cell.source, mark, headings)):
        is_question = number > 0 and not inner.is_answer
        text = _own_text(lines, known)
        for owner in (item for item in inner.items if item in gathered):
            entry = gathered[owner]
            entry.is_headed |= inner.is_answer
            if text and not is_question:
                (entry.answers if inner.is_answer else entry.below).append(text)
                entry.prose_cells.append(cell.number)
        mark = inner
    for owner in (item for item in mark.items if item in gathered):
        gathered[owner].pictures += cell.figures
        gathered[owner].picture_cells += [cell.number] * bool(cell.figures)
    return mark


def _segments(source: str, mark: Mark, headings: Headings) -> Iterator[tuple[Mark, list[str]]]:
    """The cell's text cut at its marks; the first segment, maybe empty, belongs to what came before."""
    lines: list[str] = []
    fenced, after_blank = False, True
    for line in _without_comments(source).split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        found = None if fenced else headings.read(line, after_blank=after_blank)
        if found is not None:
            yield mark, lines
            mark, lines = found, [found.rest] if found.rest else []
        else:
            lines.append(line)
        after_blank = not line.strip()
    yield mark, lines


def _read_evidence(
    cell: Cell, owners: Sequence[str], section: Sequence[str], gathered: dict[str, _Gathered]
) -> None:
    """What the cell recorded goes to the items that it names; the cell's own items are told of the rest."""
    for content in cell.evidence:
        named = content.get("item")
        for owner in (named,) if isinstance(named, str) else owners:
            if owner in gathered:
                entry = gathered[owner]
                (entry.evidence if owner in section else entry.strays).append(Recording(cell.number, content))
        if isinstance(named, str):
            others = [item for item in dict.fromkeys((*owners, *section)) if item != named]
            _refuse(others, f"the recording in cell {cell.number} is of item {shown(named)!r}", gathered)
    for reason in cell.bad_evidence:
        _refuse(owners, f"the recording in cell {cell.number} cannot be read: {reason}", gathered)


def _refuse(items: Iterable[str], line: str, gathered: dict[str, _Gathered]) -> None:
    for item in items:
        if item in gathered:
            gathered[item].bad_evidence.append(line)


def _read_code(cell: Cell, owners: Sequence[str], gathered: dict[str, _Gathered]) -> None:
    """A cell's pictures go to its owners (the items its source names, else the one it stands under).

    They go to the items that it recorded, too.
    """
    recorded = {item for evidence in cell.evidence if isinstance(item := evidence.get("item"), str)}
    for owner in dict.fromkeys((*owners, *sorted(recorded))):
        if owner in gathered:
            gathered[owner].figures += cell.figures
            gathered[owner].code_cells.append(cell.number)


def _written(entry: _Gathered, *, template_known: bool) -> Answer:
    parts = _distinct(entry.answers)
    if template_known or not entry.is_headed:
        parts = parts or _distinct(entry.below)
    text = "\n\n".join(parts)
    if len(text) > MAX_ANSWER:
        text = f"{text[:MAX_ANSWER]}\n\n[cut here: longer than {MAX_ANSWER:,} characters]"
    figures = _unlike([*entry.pictures, *entry.figures])
    cells = sorted({*(entry.prose_cells if text else ()), *entry.picture_cells, *entry.code_cells})
    return Answer(text, bool(text or entry.pictures), figures, cells=tuple(cells))


def _evidence(entry: _Gathered) -> Answer:
    figures = _unlike([*entry.figures, *entry.pictures])
    text = "\n\n".join(_distinct([*entry.answers, *entry.below]))[:MAX_ANSWER]
    recordings = _different(entry.evidence or entry.strays)
    problems = tuple(dict.fromkeys(entry.bad_evidence))
    cells = tuple(sorted({*entry.code_cells, *entry.picture_cells}))
    return Answer(text, bool(figures or recordings or problems), figures, recordings, problems, cells)


def _different(recordings: Iterable[Recording]) -> tuple[Recording, ...]:
    """The recordings in order, each once however often its cell was copied."""
    seen: list[Recording] = []
    for recording in recordings:
        if all(recording.content != other.content for other in seen):
            seen.append(recording)
    return tuple(seen)


def _own_text(lines: list[str], known: set[str]) -> str:
    """What the student wrote in these lines: no placeholder, nothing that the template says already."""
    text = "\n".join(line for line in lines if not _PLACEHOLDER.fullmatch(line))
    if known:
        text = "\n\n".join(part for part in _paragraphs(text) if _squeezed(part) not in known)
    return text.strip()


def _without_comments(text: str) -> str:
    """Markdown without HTML comments, which nobody sees; one that is never closed stays."""
    pieces, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        pieces.append(text[at:start])
        at = end + len("-->")
    return "".join([*pieces, text[at:]])


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()]


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _distinct(texts: Sequence[str]) -> list[str]:
    """The texts in order, each once however its blanks differ; a duplicated cell says nothing new."""
    return list({_squeezed(text): text for text in reversed(texts) if text.strip()}.values())[::-1]


def _unlike(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """The figures in order, each picture once."""
    seen: dict[bytes, Figure] = {}
    for figure in figures:
        seen.setdefault(figure.png, figure)
    return tuple(seen.values())
