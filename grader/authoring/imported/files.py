"""The files of an assignment that is brought over: read as data, without links, within bounds."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.model.errors import UsageError
from grader.notebooks.ipynb import joined, raw_cells

MAX_FILE, MAX_FILES = 50_000_000, 500
_SKIPPED = {"__pycache__", "submissions", "submitted", "autograded", "feedback", "release", "dist"}
_PICTURE = re.compile(r"!\[([^\]\n]{0,300})\]\(attachment:([^)\s]{1,200})\)")


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell of a notebook's JSON: its number from 1, kind, source, metadata and outputs."""

    number: int
    kind: str
    source: str
    metadata: Mapping[str, Any]
    outputs: tuple[Mapping[str, Any], ...] = ()


def cells_of(path: Path, pictures: dict[str, bytes]) -> list[RawCell]:
    """The cells of a notebook. What is pasted into them is put into ``pictures``, as a file beside it.

    Raises UsageError for what is no notebook.
    """
    try:
        tree = json.loads(_data(path).decode("utf-8-sig"))
        entries = raw_cells(tree)
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is not a notebook: its JSON cannot be read") from None
    if entries is None:
        raise UsageError(f"{path}: is not a notebook: it has no list of cells")
    return [
        _cell(number, entry, path.stem, pictures)
        for number, entry in enumerate(entries, start=1)
        if isinstance(entry, dict)
    ]


def _cell(number: int, entry: Mapping[str, Any], stem: str, pictures: dict[str, bytes]) -> RawCell:
    source = (joined(entry.get("source", entry.get("input"))) or "").replace("\r\n", "\n")
    kind = entry.get("cell_type")
    metadata, outputs = entry.get("metadata"), entry.get("outputs")
    pasted = entry.get("attachments")
    if isinstance(pasted, dict):
        source = _PICTURE.sub(lambda found: _shown(found, pasted, f"{stem}-{number}", pictures), source)
    return RawCell(
        number,
        kind if kind in ("code", "markdown") else "raw",
        source,
        metadata if isinstance(metadata, dict) else {},
        tuple(one for one in outputs if isinstance(one, dict)) if isinstance(outputs, list) else (),
    )


def _shown(found: re.Match[str], pasted: Mapping[str, Any], stem: str, pictures: dict[str, bytes]) -> str:
    """The Markdown of a pasted picture, as one that is a file of its own."""
    forms = pasted.get(found[2])
    for form, text in forms.items() if isinstance(forms, dict) else ():
        ending = str(form).partition("/")[2]
        if ending in ("png", "jpeg", "gif"):
            try:
                data = base64.b64decode(joined(text) or "", validate=False)
            except (binascii.Error, ValueError):
                continue
            name = f"{stem}-{len(pictures) + 1}.{ending}"
            pictures[name] = data
            return f"![{found[1]}]({name})"
    return f"[picture {found[2]} is missing]"


def text_of(path: Path) -> str:
    """A text file. Raises UsageError."""
    try:
        return _data(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text") from None


def _data(path: Path) -> bytes:
    try:
        if path.is_symlink() or path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path}: is a link, or larger than {MAX_FILE:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def found_below(folder: Path, pattern: str) -> list[Path]:
    """The files that match, sorted: no links, nothing hidden, nothing that a system made."""
    return sorted(path for path in folder.rglob(pattern) if _is_theirs(path, folder))


def _is_theirs(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    usual = not any(part.startswith(".") or part in _SKIPPED for part in parts)
    return usual and path.is_file() and not path.is_symlink()


def given_below(folder: Path, *, leaving_out: set[Path]) -> Iterator[tuple[str, bytes]]:
    """What lies beside the notebooks: relative paths and contents. Raises UsageError for too much."""
    paths = [path for path in found_below(folder, "*") if path not in leaving_out]
    if len(paths) > MAX_FILES:
        raise UsageError(
            f"{folder}: holds {len(paths):,} files; name the folder of one assignment ({MAX_FILES} at most)"
        )
    yield from ((path.relative_to(folder).as_posix(), _data(path)) for path in paths)
