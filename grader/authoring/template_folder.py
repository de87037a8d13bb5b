"""The students' folder on disk: compare it with what is generated, update it, and leave other files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from grader.authoring.template import METADATA_KEY
from grader.model.errors import UsageError

_LITTER = {"__pycache__", "node_modules"}


def differences(out: Path, files: Mapping[str, bytes]) -> list[str]:
    """One line for each file that is missing, stale or extra in ``out``; none if all is up to date.

    Hidden and compiled files are ignored, and so are line ends, which Git may change.
    """
    there = set(_present(out))
    lines = [f"missing: {name}" for name in files if name not in there]
    lines += [
        f"stale: {name}"
        for name, data in files.items()
        if name in there and _same_ends((out / name).read_bytes()) != _same_ends(data)
    ]
    return [*lines, *(f"extra: {name}" for name in sorted(there - set(files)))]


def write(out: Path, files: Mapping[str, bytes]) -> list[str]:
    """Bring ``out`` up to date; the names of the files that were removed as no longer generated.

    Only files that the folder's own generated notebook lists are ever removed. Raises UsageError for a folder
    that is neither empty nor generated.
    """
    earlier = _generated(out)
    if earlier is None and out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise UsageError(
            f"{out}: is not an empty folder and holds no notebook that `grade template` made; "
            "choose another with --out DIR"
        )
    removed = sorted(name for name in earlier or () if name not in files and (out / name).is_file())
    try:
        for name, data in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for name in removed:
            (out / name).unlink()
    except OSError as error:
        raise UsageError(f"{error.filename or out}: cannot be written ({error.strerror})") from None
    return removed


def _present(out: Path) -> Iterator[str]:
    for path in sorted(out.rglob("*")):
        parts = path.relative_to(out).parts
        if path.is_file() and not any(part.startswith(".") or part in _LITTER for part in parts):
            yield "/".join(parts)


def _generated(out: Path) -> set[str] | None:
    """The files of an earlier run, as its notebooks list them; None if there was no earlier run."""
    found: set[str] | None = None
    for path in sorted(out.glob("*.ipynb")) if out.is_dir() else ():
        try:
            names = json.loads(path.read_bytes())["metadata"][METADATA_KEY]["files"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(names, list):
            found = (found or set()) | {path.name} | {name for name in names if _is_inside(name)}
    return found


def _is_inside(name: object) -> bool:
    """Whether a listed name stays below the folder: the list is in a file, and files get edited."""
    if not isinstance(name, str) or not name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def _same_ends(data: bytes) -> bytes:
    return data if b"\0" in data else data.replace(b"\r\n", b"\n")
