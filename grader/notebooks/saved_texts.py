"""The texts that a notebook's cells have saved as output: what was printed, values, errors. No HTML, no SVG.

They are for showing a student their own file again; the pictures beside them are the cells' figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.model.text import excerpt
from grader.notebooks.ipynb import joined, raw_cells

MOST, LINES = 12_000, 200
"""Characters and lines of one cell's output that are kept."""
MOST_OUTPUTS = 200
"""Outputs of one cell that are looked at."""


def saved_texts(tree: object) -> dict[int, str]:
    """The text that each code cell of a parsed notebook has below it, by the cell's number; none for none."""
    found = {}
    for number, entry in enumerate(raw_cells(tree) or (), start=1):
        outputs = entry.get("outputs") if isinstance(entry, dict) else None
        if isinstance(outputs, list):
            parts = [part for output in outputs[:MOST_OUTPUTS] for part in _texts_of(output)]
            if text := excerpt("".join(parts), limit=MOST, lines=LINES):
                found[number] = text
    return found


def _texts_of(output: object) -> Iterator[str]:
    if not isinstance(output, dict):
        return
    kind = output.get("output_type")
    if kind == "stream":
        yield joined(output.get("text")) or ""
    elif kind in {"error", "pyerr"}:
        yield _error(output)
    else:
        data = output.get("data")
        bundle: Mapping[str, Any] = data if isinstance(data, dict) else output
        is_picture = "image/png" in bundle or "png" in bundle
        text = joined(bundle.get("text/plain", bundle.get("text")))
        if text and not is_picture:  # beside a picture it is "<Figure size 640x480 with 1 Axes>"
            yield f"{text}\n"


def _error(output: Mapping[str, Any]) -> str:
    name, value = output.get("ename"), output.get("evalue")
    return f"{name}: {value}\n" if isinstance(name, str) and isinstance(value, str) else ""
