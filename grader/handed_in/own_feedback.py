"""Which files are feedback that this program wrote: it may lie beside students' work, and is none."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import msgspec

from grader.handed_in.archives import Unusable
from grader.handed_in.trees import Entry, Listing, Place, Tree
from grader.model.errors import SubmissionError
from grader.notebooks.ipynb import is_feedback
from grader.notebooks.own_feedback import KEY
from grader.notebooks.submission_file import MAX_BYTES, json_tree

_NAMED = "feedback"
_END = 4096
"""Bytes at a notebook's end: nbformat writes the metadata after the cells."""


class FeedbackMarked:
    """The same tree, whose entries say which of them are our own feedback."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def listing(self, place: Place) -> Listing:
        """The contents of a folder."""
        listing = self._tree.listing(place)
        files = [
            msgspec.structs.replace(entry, is_feedback=True) if self._is_feedback(entry) else entry
            for entry in listing.files
        ]
        return msgspec.structs.replace(listing, files=files)

    def open(self, entry: Entry) -> AbstractContextManager[BinaryIO]:
        """A file's bytes. Raises Unusable, also while they are read."""
        return self._tree.open(entry)

    def on_disk(self, entry: Entry) -> Path | None:
        """The file's path on disk; None inside a zip."""
        return self._tree.on_disk(entry)

    def _is_feedback(self, entry: Entry) -> bool:
        # Inside a zip the end is not to be had without the rest.
        is_likely = self.on_disk(entry) is not None or _NAMED in entry.place[-1].casefold()
        if entry.suffix != ".ipynb" or not is_likely or entry.size > MAX_BYTES:
            return False
        try:
            with self.open(entry) as stream:
                return _holds_feedback(stream, entry.size, can_seek=self.on_disk(entry) is not None)
        except (Unusable, OSError):
            return False  # whatever it is, it is refused where it is read


def is_kept_feedback(path: Path, size: int) -> bool:
    """The same of a file in our own store, where those from zips are."""
    with path.open("rb") as stream:
        return _holds_feedback(stream, size, can_seek=True)


def _holds_feedback(stream: BinaryIO, size: int, *, can_seek: bool) -> bool:
    if can_seek:
        stream.seek(max(0, size - _END))
        if KEY.encode() not in stream.read(_END):
            return False
        stream.seek(0)
    try:
        return is_feedback(json_tree(stream.read(size + 1), ""))
    except SubmissionError:
        return False
