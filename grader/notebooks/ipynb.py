"""The cells of a notebook's JSON, read tolerantly: nbformat 4, and its older versions 2 and 3.

This reader is our own because the nbformat library refuses what costs a student nothing (missing ids,
metadata or outputs). Here a cell that makes no sense is left out with a notice, and everything else is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.inside.media_types import EVIDENCE
from grader.model.errors import SubmissionError
from grader.model.records import Figure
from grader.model.text import counted, printable, storable
from grader.notebooks.cells import MAX_CELL, Cell, cells_were
from grader.notebooks.figures import BadFigure, figure_from_base64
from grader.notebooks.own_feedback import is_sealed
from grader.notebooks.recordings import BadRecording, read_recording

_PYTHON = re.compile(r"[1-9]\.\d{1,2}")
MAX_CELLS = 10_000
MAX_SOURCE = 8_000_000
"""Characters of source in all cells together."""
MAX_FIGURES = 40
MAX_EVIDENCE = 60
MAX_TAGS = 20
MAX_TAG = 100
MAX_ID = 64

_KINDS = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown", "html": "raw"}
_INLINE_PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]*)")
_INLINE_PICTURE = re.compile(r"data:image/[a-z+.-]{1,20};base64,[A-Za-z0-9+/=]*")


@dataclass
class _Reader:
    """Totals and problems of the whole file, gathered while its cells are read one by one."""

    figures: int = 0
    evidence: int = 0
    source: int = 0
    feedback: int = 0
    left_out: list[int] = field(default_factory=list)
    too_long: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    surplus: int = 0


def notebook_cells(tree: object, *, name: str) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The cells of a parsed notebook, and a notice for each thing that was left out.

    Raises SubmissionError if ``tree`` is not a notebook, or has more cells or source than any homework.
    """
    entries = raw_cells(tree)
    if entries is None or not isinstance(tree, dict):
        raise SubmissionError(
            f"{name}: JSON, but not a notebook: it has no list of cells; hand in the .ipynb file itself"
        )
    if len(entries) > MAX_CELLS:
        raise SubmissionError(f"{name}: has {len(entries):,} cells; at most {MAX_CELLS:,} can be graded")
    reader = _Reader()
    cells = tuple(_cells(entries, reader))
    if reader.source > MAX_SOURCE:
        raise SubmissionError(
            f"{name}: its cells hold {reader.source:,} characters of source; "
            f"at most {MAX_SOURCE:,} can be graded: keep data in files of their own"
        )
    return cells, tuple(_notices(tree, entries, reader))


def raw_cells(tree: object) -> list[object] | None:
    """The raw cells: nbformat 4 keeps them in ``cells``, 2 and 3 in ``worksheets``."""
    if not isinstance(tree, dict):
        return None
    cells = tree.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = tree.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [
        cell
        for sheet in sheets
        if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
        for cell in sheet["cells"]
    ]


def is_feedback(tree: object) -> bool:
    """Whether a notebook's JSON is feedback just as this program wrote it."""
    cells = raw_cells(tree) or []
    sources = [joined(cell.get("source")) or "" for cell in cells if isinstance(cell, dict)]
    return isinstance(tree, dict) and is_sealed(tree.get("metadata"), sources)


def _cells(entries: list[object], reader: _Reader) -> Iterator[Cell]:
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            reader.left_out.append(number)
            continue
        name = entry.get("cell_type")
        kind = _KINDS.get(name) if isinstance(name, str) else None
        source = joined(entry.get("source", entry.get("input")))
        if kind is None or source is None:
            reader.left_out.append(number)
            continue
        if is_sealed(entry.get("metadata"), [source]):
            reader.feedback += 1
            continue
        source, pictures = _without_pictures(source) if kind == "markdown" else (source, [])
        if len(source) > MAX_CELL:
            reader.too_long.append(number)
            continue
        reader.source += len(source)
        yield _cell(number, kind, entry, source, pictures, reader)


def _cell(
    number: int,
    kind: str,
    entry: dict[str, Any],
    source: str,
    pictures: list[str],
    reader: _Reader,
) -> Cell:
    if entry["cell_type"] == "heading":
        level = entry.get("level")
        source = f"{'#' * (level if type(level) is int and level in range(1, 7) else 1)} {source}"
    bundles = list(_bundles(entry))
    evidence, bad_evidence = _evidence(bundles, number, reader) if kind == "code" else ((), ())
    pngs = [*pictures, *(png for bundle in bundles if (png := _png_of(bundle)) is not None)]
    metadata = entry.get("metadata")
    name = entry.get("id")
    return Cell(
        number=number,
        kind=kind,
        source=storable(source),
        tags=_tags(metadata),
        id=storable(name) if isinstance(name, str) and len(name) <= MAX_ID else "",
        figures=tuple(_figures(pngs, number, reader)),
        evidence=evidence,
        bad_evidence=bad_evidence,
    )


def _tags(metadata: object) -> tuple[str, ...]:
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    if not isinstance(tags, list):
        return ()
    return tuple(storable(tag) for tag in tags[:MAX_TAGS] if isinstance(tag, str) and len(tag) <= MAX_TAG)


def _bundles(entry: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The MIME bundles of a cell's outputs and attachments. nbformat 3 has no ``data`` level."""
    outputs = entry.get("outputs")
    if isinstance(outputs, list):
        for output in outputs:
            if isinstance(output, dict):
                data = output.get("data")
                yield data if isinstance(data, dict) else output
    attachments = entry.get("attachments")
    if isinstance(attachments, dict):
        yield from (bundle for bundle in attachments.values() if isinstance(bundle, dict))


def _png_of(bundle: Mapping[str, Any]) -> str | None:
    return joined(bundle.get("image/png", bundle.get("png")))


def _figures(pngs: Iterable[str], number: int, reader: _Reader) -> Iterator[Figure]:
    for png in pngs:
        if reader.figures >= MAX_FIGURES:
            reader.surplus += 1
            continue
        try:
            figure = figure_from_base64(png, cell=number)
        except BadFigure as problem:
            reader.refused.append(f"a figure of cell {number} was left out: {problem}")
            continue
        reader.figures += 1
        yield figure


def _evidence(
    bundles: Iterable[Mapping[str, Any]], number: int, reader: _Reader
) -> tuple[tuple[Mapping[str, Any], ...], tuple[str, ...]]:
    """The cell's recordings, and why others could not be read."""
    found: list[Mapping[str, Any]] = []
    refused: list[str] = []
    for bundle in bundles:
        if EVIDENCE not in bundle:
            continue
        reader.evidence += 1
        try:
            found.append(_one_of_few(bundle[EVIDENCE], reader.evidence))
        except BadRecording as problem:
            refused.append(str(problem))
    reader.refused += [f"evidence in cell {number} was left out: {reason}" for reason in refused]
    return tuple(found), tuple(refused)


def _one_of_few(value: object, count: int) -> dict[str, Any]:
    """The ``count``-th recording of the file. Raises BadRecording."""
    if count > MAX_EVIDENCE:
        raise BadRecording(f"it comes after the first {MAX_EVIDENCE} of the file")
    return read_recording(joined(value) if isinstance(value, list) else value)


def _without_pictures(source: str) -> tuple[str, list[str]]:
    """The source without pictures, and the PNGs among them: Colab pastes pictures into the text itself."""
    if "data:image/" not in source:
        return source, []
    return _INLINE_PICTURE.sub("picture", source), _INLINE_PNG.findall(source)


def joined(value: object) -> str | None:
    """Text as nbformat stores it, one string or a list of lines; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return None


def _notices(tree: dict[str, Any], entries: list[object], reader: _Reader) -> Iterator[str]:
    if not entries:
        yield "the notebook has no cells"
    language = _language(tree.get("metadata"))
    if language and "python" not in language.lower():
        named = printable(language)
        yield f"the notebook names the language {named}, not Python; its cells are run as Python"
    if reader.feedback:
        yield f"{counted(reader.feedback, 'cell', 'cells')} of our own feedback left out"
    if reader.left_out:
        yield f"{cells_were(reader.left_out)} left out: not a cell with a kind and text"
    if reader.too_long:
        yield f"{cells_were(reader.too_long)} left out: more than {MAX_CELL:,} characters of source"
    yield from reader.refused[:MAX_FIGURES]
    if len(reader.refused) > MAX_FIGURES:
        yield f"{len(reader.refused) - MAX_FIGURES} more figures or evidence objects were left out"
    if reader.surplus:
        yield f"{reader.surplus} figures after the first {MAX_FIGURES} were left out"


def _language(metadata: object) -> str:
    """The language that the metadata name, "" if they name none."""
    if not isinstance(metadata, dict):
        return ""
    for table, key in (("kernelspec", "language"), ("language_info", "name")):
        entry = metadata.get(table)
        if isinstance(entry, dict) and isinstance(entry.get(key), str) and entry[key].strip():
            return str(entry[key])
    return ""


def python_of(tree: object) -> str:
    """The version of Python that a notebook was saved with ("3.13"), "" if it does not say."""
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = info.get("version") if isinstance(info, dict) and info.get("name") == "python" else None
    found = _PYTHON.match(version) if isinstance(version, str) else None
    return found[0] if found else ""
