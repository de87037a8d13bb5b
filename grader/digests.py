"""SHA-256 digests of files, folders and texts: the one place that says what makes two of them the same.

Results in gradebooks and calibrations beside checks are kept under these digests, so none may change: tests
pin their values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

CACHES = frozenset({"__pycache__", ".pytest_cache", ".ipynb_checkpoints"})
"""Folders that Python, pytest and Jupyter leave behind: nobody wrote what is in them."""


def digest_of(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_of_texts(texts: Iterable[str]) -> str:
    """One digest of several texts; ["ab", "c"] and ["a", "bc"] have different ones."""
    whole = hashlib.sha256()
    for text in texts:
        data = text.encode()
        # Each text is preceded by its length: where one ends and the next begins is part of the digest.
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes; empty if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def digests_below(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder, by its path inside."""
    return {name: digest_of_file(path) for name, path in files_below(folder)}


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """Every file below a folder with its path inside, in order; what is in ``CACHES`` is left out."""
    found = ((path.relative_to(folder), path) for path in sorted(folder.rglob("*")) if path.is_file())
    return [(inner.as_posix(), path) for inner, path in found if not CACHES.intersection(inner.parts)]
