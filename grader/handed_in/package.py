"""The files of one submission, and where their bytes are: what a batch plans with and a worker reads."""

from __future__ import annotations

import msgspec

from grader.digests import digest_of_texts

NOTEBOOK = ".ipynb"


class FileRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: ``place`` as the student laid it ("layers/conv.py"), ``path`` where its bytes are now."""

    place: str
    path: str
    sha256: str
    size: int


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files that one student handed in.

    ``notebooks`` are the places of the graded files, in the manifest's order; ``files`` are all of them,
    sorted by place. ``notices`` are one line each, for people.
    """

    notebooks: tuple[str, ...]
    files: tuple[FileRef, ...]
    notices: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Covers everything that decides how the bytes are read: each file with its place.

        A notebook handed in alone has its own digest: what was graded before there were packages stays known.
        """
        if len(self.files) == 1 and self.files[0].place.lower().endswith(NOTEBOOK):
            return self.files[0].sha256
        parts = [part for file in self.files for part in (file.place, file.sha256)]
        return digest_of_texts(["package", *self.notebooks, *parts])
