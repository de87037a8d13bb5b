"""The tests' one writer of notebooks, nbformat's. A test of broken or odd ones writes them by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

UNNAMED = "unnamed"
MINOR = 5
"""nbformat 4.5, the first with cell ids."""


def code(
    source: str,
    *outputs: Mapping[str, Any],
    name: str = UNNAMED,
    tags: Sequence[str] = (),
    count: int | None = None,
) -> nbformat.NotebookNode:
    """A code cell with these outputs; ``name`` is its id, ``count`` the number of its execution."""
    shown = list(map(nbformat.from_dict, outputs))
    return v4.new_code_cell(source, id=name, metadata=_metadata(tags), execution_count=count, outputs=shown)


def prose(source: str, *, name: str = UNNAMED, tags: Sequence[str] = ()) -> nbformat.NotebookNode:
    """A Markdown cell; ``name`` is its id."""
    return v4.new_markdown_cell(source, id=name, metadata=_metadata(tags))


def _metadata(tags: Sequence[str]) -> nbformat.NotebookNode:
    return nbformat.NotebookNode({"tags": list(tags)} if tags else {})


def notebook(
    cells: Iterable[nbformat.NotebookNode], metadata: Mapping[str, Any] | None = None
) -> nbformat.NotebookNode:
    """A notebook of these cells. Those without a name get one by their place: equal cells give equal bytes.

    Raises nbformat.ValidationError.
    """
    named = [
        nbformat.NotebookNode(cell, id=f"cell-{place}") if cell.id == UNNAMED else cell
        for place, cell in enumerate(cells, start=1)
    ]
    made = v4.new_notebook(cells=named, metadata=nbformat.from_dict(metadata or {}), nbformat_minor=MINOR)
    nbformat.validate(made)
    return made


def as_bytes(made: nbformat.NotebookNode) -> bytes:
    """The file as Jupyter saves it: keys in order, texts as lists of lines."""
    return (nbformat.writes(made) + "\n").encode()


def as_tree(made: nbformat.NotebookNode) -> dict[str, Any]:
    """The JSON of the file, for tests that break it."""
    tree: dict[str, Any] = json.loads(as_bytes(made))
    return tree


def write_notebook(path: Path, cells: Iterable[nbformat.NotebookNode]) -> Path:
    """Write a notebook of these cells, and return its path."""
    path.write_bytes(as_bytes(notebook(cells)))
    return path
