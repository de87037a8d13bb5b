"""Where the gradebook finds the files of a submission again: a lone file, or a list of a package's files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.digests import digest_of_file
from grader.files import cannot_write, replace_whole
from grader.gradebook.rows import SubmissionRow
from grader.handed_in.package import FileRef, Package

SCRIPT = ".py"
LIST = ".json"
MAX_LIST = 4 << 20  # bytes of a list of files: 200 files with long names take a tenth


def kept(package: Package, folder: Path) -> str:
    """Where to find the package later: its only file if that says everything, else a list in ``folder``.

    Raises UsageError if the list cannot be written.
    """
    first = package.first
    path = Path(first.path)
    if package.sha256 == first.sha256 and path.name == first.place and not package.notices:
        return str(path.absolute())
    place = folder / package.sha256[:2] / f"{package.sha256}{LIST}"
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_whole(place, msgspec.json.encode(package))
    except OSError as error:
        raise cannot_write(place, error.strerror) from None
    return str(place.absolute())


def kept_package(row: SubmissionRow) -> Package | None:
    """The package of a submission, if every file is where it was and the same as then."""
    package = _listed(Path(row.path)) if row.path.endswith(LIST) else _lone(row)
    if package is None or package.sha256 != content_digest(row):
        return None
    same = all(digest_of_file(Path(file.path)) == file.sha256 for file in package.files)
    return package if same and package.files else None


def content_digest(row: SubmissionRow) -> str:
    """The digest that results of a submission are stored under today.

    Gradebooks from before there were packages name a script by its bytes alone.
    """
    return _lone(row, size=0).sha256 if row.path.lower().endswith(SCRIPT) else row.sha256


def _listed(path: Path) -> Package | None:
    try:
        if path.stat().st_size > MAX_LIST:
            return None
        package = msgspec.json.decode(path.read_bytes(), type=Package)
    except (OSError, msgspec.DecodeError):
        return None
    return package if set(package.notebooks) <= {file.place for file in package.files} else None


def _lone(row: SubmissionRow, *, size: int | None = None) -> Package:
    path = Path(row.path)
    if size is None:
        size = path.stat().st_size if path.is_file() else 0
    return Package((path.name,), (FileRef(path.name, row.path, row.sha256, size),))
