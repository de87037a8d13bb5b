"""An assignment as one piece of bytes, for workers that do not share a disk with it."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from grader.digests import files_below
from grader.grading.assignment_folder import HIDDEN_TESTS, MANIFEST, AssignmentFolder
from grader.model.errors import UsageError

MAX_BYTES = 64 << 20


def pack(home: AssignmentFolder, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The files of an assignment that grading needs, as a tar file; the same files give the same bytes.

    They are the manifest, the hidden checks, the solved notebook and what students are given: no reports, no
    version control, no caches. Raises UsageError if they are more than ``max_bytes``.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in sorted(dict(needed(home)).items()):
            content = path.read_bytes()
            if packed.tell() + len(content) > max_bytes:
                raise UsageError(
                    f"{home.path}: what grading needs of it is more than {max_bytes >> 20} MB ({name} is the "
                    "last straw), too much to send to a cluster; give students less, or grade without --dask"
                )
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if os.access(path, os.X_OK) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def unpack(packed: bytes, place: Path) -> None:
    """Write the files below ``place``. Raises OSError, and tarfile.TarError if one would land elsewhere.

    Whoever can reach ``place`` may read them: student code has to.
    """
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(place, filter="data")
    for path in (place, *place.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)  # whatever the umask of the process that unpacks


def needed(home: AssignmentFolder) -> Iterator[tuple[str, Path]]:
    """Each file that a grade depends on, with its path inside the assignment. Links are followed."""
    yield MANIFEST, home.path / MANIFEST
    for place in (*home.references.values(), *home.reference_modules.values()):
        yield place, home.path / place
    yield from below(HIDDEN_TESTS, home.checks(hidden=True))
    for entry, (name, path) in zip(home.assignment.beside, home.given_files().items(), strict=True):
        if name != Path(entry).name:
            raise UsageError(f"{home.path}: `given`: {entry} is a link to {name}; name the file itself")
        yield from below(entry, path)


def below(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """A file, or each file of a folder, with its path if ``path`` is called ``name``."""
    if path.is_file():
        yield name, path
        return
    for inner, file in files_below(path):
        yield f"{name}/{inner}", file
