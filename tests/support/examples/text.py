"""Notebooks as values, for making examples: built from text with ``# %%`` marks, varied, written as JSON.

Nothing here runs student code or knows the grader.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from nbformat import NotebookNode

from .. import notebooks

COLAB = {
    "colab": {"provenance": []},
    "kernelspec": {"display_name": "Python 3", "name": "python3"},
    "language_info": {"name": "python"},
}
JUPYTER = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.11.7",
    },
}


@dataclass(frozen=True)
class TextCell:
    """One cell: its kind ("code" or "markdown"), its source, and what it printed when the student ran it."""

    kind: str
    source: str
    printed: str = ""
    error: str = ""


@dataclass(frozen=True)
class TextNotebook:
    """A notebook that makes changed copies of itself. A place is named by text of one cell alone."""

    cells: tuple[TextCell, ...]
    metadata: dict[str, Any]

    def position(self, text: str) -> int:
        """Where the one cell that holds ``text`` is."""
        found = [number for number, cell in enumerate(self.cells) if text in cell.source]
        if len(found) != 1:
            raise ValueError(f"{len(found)} cells hold {text!r}")
        return found[0]

    def edit(self, old: str, new: str) -> TextNotebook:
        """Replace a text that stands exactly once in the notebook."""
        at = self.position(old)
        cell = self.cells[at]
        if cell.source.count(old) != 1:
            raise ValueError(f"{old!r} stands {cell.source.count(old)} times in its cell")
        return self.with_cell(at, replace(cell, source=cell.source.replace(old, new)))

    def rewrite(self, text: str, source: str) -> TextNotebook:
        """Replace the whole source of the cell that holds ``text``; its old output goes."""
        at = self.position(text)
        return self.with_cell(at, TextCell(self.cells[at].kind, source.strip("\n")))

    def with_cell(self, at: int, cell: TextCell) -> TextNotebook:
        """The same with another cell at a position."""
        return replace(self, cells=(*self.cells[:at], cell, *self.cells[at + 1 :]))

    def insert(self, at: int, *sources: str, kind: str = "code", printed: str = "") -> TextNotebook:
        """New cells before position ``at``."""
        new = tuple(TextCell(kind, source.strip("\n"), printed) for source in sources)
        return replace(self, cells=(*self.cells[:at], *new, *self.cells[at:]))

    def before(self, text: str, *sources: str) -> TextNotebook:
        """New code cells before the one that holds ``text``."""
        return self.insert(self.position(text), *sources)

    def append(self, *sources: str) -> TextNotebook:
        """New code cells at the end."""
        return self.insert(len(self.cells), *sources)

    def drop(self, text: str) -> TextNotebook:
        """The same without the cell that holds ``text``."""
        at = self.position(text)
        return replace(self, cells=(*self.cells[:at], *self.cells[at + 1 :]))

    def tree(self) -> dict[str, Any]:
        """The JSON of the file, for examples that break it."""
        return notebooks.as_tree(self._made())

    def as_bytes(self) -> bytes:
        """The file as Jupyter writes it."""
        return notebooks.as_bytes(self._made())

    def _made(self) -> NotebookNode:
        cells, runs = [], 0
        for number, cell in enumerate(self.cells):
            name = hashlib.sha256(f"{number}:{cell.source}".encode()).hexdigest()[:8]
            if cell.kind == "code":
                runs += 1
                cells.append(notebooks.code(cell.source, *outputs(cell), name=name, count=runs))
            else:
                cells.append(notebooks.prose(cell.source, name=name))
        return notebooks.notebook(cells, self.metadata)


def outputs(cell: TextCell) -> list[dict[str, Any]]:
    """What Jupyter saved below a cell."""
    saved: list[dict[str, Any]] = []
    if cell.printed:
        saved.append({"name": "stdout", "output_type": "stream", "text": lines(cell.printed)})
    if cell.error:
        kind, _, message = cell.error.partition(": ")
        saved.append({"ename": kind, "evalue": message, "output_type": "error", "traceback": [cell.error]})
    return saved


def lines(text: str) -> list[str]:
    """A text as nbformat writes it: a list of lines with their ends."""
    return text.splitlines(keepends=True)


def notebook(text: str, *, metadata: dict[str, Any] = JUPYTER) -> TextNotebook:
    """A notebook from text in which ``# %%`` begins a code cell and ``# %% [markdown]`` a prose cell.

    Prose is written plainly, not as comments. A line ``# prints`` in a code cell begins what it printed.
    """
    cells = []
    for part in text.strip("\n").split("# %%")[1:]:
        head, _, body = part.partition("\n")
        source, _, printed = body.partition("# prints\n")
        kind = "markdown" if "[markdown]" in head else "code"
        cells.append(TextCell(kind, source.strip("\n"), printed.strip("\n") + "\n" if printed else ""))
    return TextNotebook(tuple(cells), metadata)


def as_json(tree: object) -> bytes:
    """Any JSON as Jupyter writes it: one blank of indent, letters as they are, a newline at the end."""
    return (json.dumps(tree, indent=1, ensure_ascii=False) + "\n").encode()
