"""Where a submission answers each written and evidence item: by the item's id, never by a cell's position.

Written items: the prose under the answer's heading (``#### Answer 3.2.3.i``), in its cell and in the Markdown
cells below it, up to the next heading that names an item or a section. Evidence items: the pictures and
recordings of the code cells under the item's heading, or of cells that name the item in a string
(``record("4.1.ii", ...)``). A recording names its item itself; one found under the item's own heading is
preferred to one found elsewhere. Cells may be duplicated, reordered or added, and a heading's ``#`` may be
lost or changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.model.assignment import Assignment
from grader.model.records import Figure
from grader.model.text import printable
from grader.notebooks.cells import Cell
from grader.notebooks.headings import Heading, HeadingReader
from grader.notebooks.recordings import RawRecording

PLACEHOLDER = "*Write your answer here.*"
MAX_ANSWER = 50_000
"""Longest answer that is kept whole, in characters."""

_OF_NO_ITEM = "names no item of this assignment, so it counts for none"
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_PLACEHOLDER = re.compile(r"[\s>*_]*(?:write|type) your answer here[\s.*_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one item. ``text`` is Markdown that the student wrote: untrusted.

    ``found`` is whether there is an answer: prose or a pasted picture for a written item, a figure or a
    recording for an evidence item. A recording that cannot be read counts as found; ``bad_evidence`` says in
    one line each what is wrong with it. ``cells`` are the numbers of the cells that the answer comes from.
    """

    text: str = ""
    found: bool = False
    figures: tuple[Figure, ...] = ()
    evidence: tuple[RawRecording, ...] = ()
    bad_evidence: tuple[str, ...] = ()
    cells: tuple[int, ...] = ()


@dataclass
class _Gathered:
    """What was found for one item so far.

    ``answers`` is prose under an answer's heading, ``below`` prose in the cells below the question.
    ``is_headed`` is whether an answer's heading was seen: ``below`` is then the assignment's own text, unless
    the template is known and has been taken out. ``strays`` are recordings found outside the item's section.
    """

    is_headed: bool = False
    answers: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    evidence: list[RawRecording] = field(default_factory=list)
    strays: list[RawRecording] = field(default_factory=list)
    bad_evidence: list[str] = field(default_factory=list)
    prose_cells: list[int] = field(default_factory=list)
    code_cells: list[int] = field(default_factory=list)
    picture_cells: list[int] = field(default_factory=list)
    pictures: list[Figure] = field(default_factory=list)


def find_answers(
    cells: Iterable[Cell], assignment: Assignment, *, template: Iterable[Cell] = ()
) -> dict[str, Answer]:
    """The answer of every written and evidence item, by the item's id.

    ``template`` are the cells of the untouched template, if known: their paragraphs are nobody's answer,
    wherever they turn up.
    """
    reader = HeadingReader([(item.id, item.title) for item in assignment.item])
    ids = {item.id for item in assignment.item}
    gathered = {item.id: _Gathered() for item in assignment.item if item.kind != "code"}
    # Compared without regard to blanks: an editor that rewraps lines must not turn the assignment's question
    # into the student's answer.
    prose = (cell.source for cell in template if cell.kind == "markdown")
    known = {_squeezed(part) for source in prose for part in _paragraphs(source)}
    # One pass in the order of the file. The last heading says whose a cell is; a code cell that names items
    # in strings says it better, since students move plots away from their questions.
    heading = Heading()
    for cell in cells:
        if cell.kind == "markdown":
            heading = _read_prose(cell, heading, reader, gathered, known)
        elif cell.kind == "code":
            named = [name for name in reader.quoted(cell.source) if name in gathered]
            owners = named or heading.items
            _read_evidence(cell, owners, heading.items, gathered, ids)
            _read_figures(cell, owners, gathered)
    return {
        item.id: _written(gathered[item.id], template_known=bool(known))
        if item.kind == "written"
        else _evidence(gathered[item.id])
        for item in assignment.item
        if item.id in gathered
    }


def recordings_of_nothing(cells: Iterable[Cell], assignment: Assignment) -> Iterator[str]:
    """One line for each cell with a recording of an item that the assignment does not have."""
    for cell in cells:
        named = [item for content in cell.evidence if isinstance(item := content.get("item"), str)]
        if any(assignment.find(item) is None for item in named):
            yield f"the recording in cell {cell.number} {_OF_NO_ITEM}"


def _read_prose(
    cell: Cell, heading: Heading, reader: HeadingReader, gathered: dict[str, _Gathered], known: set[str]
) -> Heading:
    """Give a Markdown cell's text to its items; the heading that the next cell stands under."""
    for number, (own, lines) in enumerate(segments(cell.source, heading, reader)):
        # The rest of a cell that asks the question is the assignment's text. Students who keep no answer's
        # heading write below it, in a cell of their own: that is the first segment of a later cell.
        is_question = number > 0 and not own.is_answer
        text = _own_text(lines, known)
        for owner in (item for item in own.items if item in gathered):
            entry = gathered[owner]
            entry.is_headed |= own.is_answer
            if text and not is_question:
                (entry.answers if own.is_answer else entry.below).append(text)
                entry.prose_cells.append(cell.number)
        heading = own
    # A picture's place in the text is lost when it is taken out, so it goes to the cell's last heading.
    for owner in (item for item in heading.items if item in gathered):
        gathered[owner].pictures += cell.figures
        gathered[owner].picture_cells += [cell.number] * bool(cell.figures)
    return heading


def segments(source: str, heading: Heading, reader: HeadingReader) -> Iterator[tuple[Heading, list[str]]]:
    """The cell's text cut at its headings; the first segment, maybe empty, belongs to ``heading``."""
    lines: list[str] = []
    fenced, after_blank = False, True
    for line in _without_comments(source).split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced  # a comment in a block of code looks like a heading
        found = None if fenced else reader.read(line, after_blank=after_blank)
        if found is not None:
            yield heading, lines
            heading, lines = found, [found.rest] if found.rest else []
        else:
            lines.append(line)
        after_blank = not line.strip()
    yield heading, lines


def _read_evidence(
    cell: Cell,
    owners: Sequence[str],
    section: Sequence[str],
    gathered: dict[str, _Gathered],
    known: Collection[str],
) -> None:
    """Give each recording of a cell to the item that it names, else to the cell's owners.

    An item that the cell belongs to, but that the recording does not name, gets a line that says so: most
    often a student copied the cell and forgot to change the id. ``known`` are the assignment's items: a name
    that is none of them is not repeated.
    """
    for content in cell.evidence:
        named = content.get("item")
        for owner in (named,) if isinstance(named, str) else owners:
            if owner in gathered:
                entry = gathered[owner]
                (entry.evidence if owner in section else entry.strays).append(
                    RawRecording(cell.number, content)
                )
        if isinstance(named, str):
            others = [item for item in dict.fromkeys((*owners, *section)) if item != named]
            whose = f"is of item {printable(named)!r}" if named in known else _OF_NO_ITEM
            _refuse(others, f"the recording in cell {cell.number} {whose}", gathered)
    for reason in cell.bad_evidence:
        _refuse(owners, f"the recording in cell {cell.number} cannot be read: {reason}", gathered)


def _refuse(items: Iterable[str], line: str, gathered: dict[str, _Gathered]) -> None:
    for item in items:
        if item in gathered:
            gathered[item].bad_evidence.append(line)


def _read_figures(cell: Cell, owners: Sequence[str], gathered: dict[str, _Gathered]) -> None:
    """Give a code cell's figures to its owners and to the items that its recordings name."""
    recorded = {item for evidence in cell.evidence if isinstance(item := evidence.get("item"), str)}
    for owner in dict.fromkeys((*owners, *sorted(recorded))):
        if owner in gathered:
            gathered[owner].figures += cell.figures
            gathered[owner].code_cells.append(cell.number)


def _written(entry: _Gathered, *, template_known: bool) -> Answer:
    parts = _distinct(entry.answers)
    # Prose below the question counts only if it must be the student's: the assignment's own paragraphs were
    # taken out, or the student deleted the answer's heading and wrote where it had been.
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


def _different(recordings: Iterable[RawRecording]) -> tuple[RawRecording, ...]:
    """The recordings in order without repeats; a copied cell records nothing new."""
    seen: list[RawRecording] = []
    for recording in recordings:
        if all(recording.content != other.content for other in seen):
            seen.append(recording)
    return tuple(seen)


def _own_text(lines: list[str], known: set[str]) -> str:
    """What the student wrote in these lines, without placeholders and the template's own paragraphs."""
    text = "\n".join(line for line in lines if not _PLACEHOLDER.fullmatch(line))
    if known:
        text = "\n\n".join(part for part in _paragraphs(text) if _squeezed(part) not in known)
    return text.strip()


def _without_comments(text: str) -> str:
    """Markdown without HTML comments, which a reader does not see; one that is never closed stays."""
    pieces, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        pieces.append(text[at:start])
        at = end + len("-->")
    return "".join([*pieces, text[at:]])


def _paragraphs(text: str) -> list[str]:
    return [part for part in _BLANK_LINE.split(text) if part.strip()]


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _distinct(texts: Sequence[str]) -> list[str]:
    """The texts in order without repeats, ignoring blanks; a duplicated cell says nothing new."""
    return list({_squeezed(text): text for text in reversed(texts) if text.strip()}.values())[::-1]


def _unlike(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """The figures in order without repeats."""
    seen: dict[bytes, Figure] = {}
    for figure in figures:
        seen.setdefault(figure.png, figure)
    return tuple(seen.values())
