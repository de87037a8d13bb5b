"""The code of a submission in pieces, and its shapes without those of what the course gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from grader.course.similarity.pairs import Keys
from grader.grading.assignment_folder import AssignmentFolder
from grader.handed_in.package import FileRef, Package, read_ref
from grader.model.errors import SubmissionError
from grader.model.similarity import Piece
from grader.model.text import printable
from grader.notebooks.shapes import MAX_CODE, Names, Shape, names_in, shapes
from grader.notebooks.submission_file import from_bytes

MAX_FILE = 64_000_000
"""Bytes of a file that is read for this: a notebook with that many has outputs, and needs 1 GB of memory."""
_CODE = (".ipynb", ".py", ".md")


@dataclass(frozen=True)
class Given:
    """What the course gave: the texts of cells, the keys of shapes, and the names in them."""

    texts: frozenset[str] = frozenset()
    keys: frozenset[int] = frozenset()
    names: Names = field(default_factory=Names)

    @classmethod
    def of(cls, pieces: Iterable[str]) -> Given:
        """All that is in these pieces of code."""
        texts = list(pieces)
        names = names_in(texts)
        return cls(frozenset(map(_bare, texts)), frozenset(one.key for one in shapes(texts, names)), names)

    @classmethod
    def of_assignment(cls, folder: AssignmentFolder) -> Given:
        """The template's code cells and the Python files that lie beside it."""
        files = [path for path in folder.given_files().values() if path.suffix == ".py" and path.is_file()]
        cells = (cell.source for cell in folder.template_cells if cell.kind == "code")
        return cls.of([*cells, *(path.read_text(encoding="utf-8", errors="replace") for path in files)])

    def has(self, text: str) -> bool:
        """Whether the course gave this piece as it is."""
        return _bare(text) in self.texts

    def shapes_of(self, texts: Sequence[str]) -> Iterator[Shape]:
        """The shapes of a submission's pieces that are not the course's."""
        own = ["" if self.has(text) else text for text in texts]
        return (one for one in shapes(own, self.names) if one.key not in self.keys)


def keys_of(found: Iterable[Shape]) -> Keys:
    """The keys of shapes, each once, sorted."""
    return np.unique(np.fromiter((one.key for one in found), np.uint64))


def solved(folder: AssignmentFolder, given: Given) -> Keys:
    """The shapes of the course's own solution, which nobody needs another student for."""
    paths = (*folder.references.values(), *folder.reference_modules.values())
    code = [[cell.source for cell in folder.reference_cells(path) if cell.kind == "code"] for path in paths]
    return keys_of(given.shapes_of(["\n\n".join(sources) for sources in code]))


def pieces_of(package: Package, given: Given) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    """The code of a submission, and what cannot be compared, one line each.

    Raises InfrastructureError if a file is no longer what was graded.
    """
    found: list[Piece] = []
    notices = []
    for file in package.files:
        if not file.place.lower().endswith(_CODE):
            continue
        name = printable(file.place, limit=200)
        if file.size > MAX_FILE:
            notices.append(f"{name}: not compared: {file.size:,} bytes")
            continue
        try:
            found += _pieces_of_file(file, name, given)
        except SubmissionError as why:
            notices.append(str(why))
    if sum(len(one.text) for one in found) > MAX_CODE:
        notices.append(f"compared in part: more than {MAX_CODE:,} characters of code")
    return tuple(found), tuple(notices)


def _pieces_of_file(file: FileRef, name: str, given: Given) -> Iterator[Piece]:
    read = from_bytes(read_ref(file), name=name)
    for cell in read.cells:
        if cell.kind == "code":
            where = name if cell.line else f"{name}, cell {cell.number}"
            yield Piece(where, cell.source, cell.line or 1, given.has(cell.source))


def _bare(text: str) -> str:
    """Without what an editor changes by itself."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))
