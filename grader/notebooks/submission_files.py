"""A submission as a value: the files that one student handed in, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.notebooks.submission_file import SubmissionFile


@dataclass(frozen=True)
class SubmissionFiles:
    """What one student handed in, read but not run.

    ``notebooks`` are the files that are graded, in the manifest's order. ``files`` are the bytes of all, by
    their place as the student laid them ("layers/conv.py"), the graded ones too; what the course gives is not
    among them. ``sha256`` covers every file with its name; ``notices`` are one line each, for people.
    """

    notebooks: tuple[SubmissionFile, ...]
    sha256: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @classmethod
    def of_file(cls, file: SubmissionFile) -> SubmissionFiles:
        """A submission of this file alone."""
        return cls((file,), file.sha256, notices=file.notices)

    @property
    def first(self) -> SubmissionFile:
        """The file that gives the submission its name."""
        return self.notebooks[0]
