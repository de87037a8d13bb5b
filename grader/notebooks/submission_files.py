"""A submission as a value: the files that one student handed in, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from grader.notebooks.submission_file import SubmissionFile

MAX_PLACE = 1000
"""Characters of a file's place."""


@dataclass(frozen=True)
class SubmissionFiles:
    """What one student handed in, read but not run.

    ``notebooks`` are the files that are graded, in the manifest's order, and ``places`` where each lies.
    ``files`` are the bytes of all, by their place as the student laid them ("layers/conv.py"), the graded
    ones too; what the course gives is not among them. ``sha256`` covers every file with its name;
    ``notices`` are one line each, for people.
    """

    notebooks: tuple[SubmissionFile, ...]
    sha256: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @classmethod
    def of_file(cls, file: SubmissionFile) -> SubmissionFiles:
        """A submission of this file alone."""
        return cls((file,), file.sha256, notices=file.notices)

    @property
    def first(self) -> SubmissionFile:
        """The file that gives the submission its name."""
        return self.notebooks[0]

    @property
    def is_alone(self) -> bool:
        """Whether one file was handed in and nothing beside it."""
        return len(self.notebooks) == 1 and len(self.files) <= 1

    def only(self, notebook: SubmissionFile) -> SubmissionFiles:
        """The same files, of which this one is graded: each notebook runs by itself."""
        return replace(self, notebooks=(notebook,), places=(self.place_of(notebook),), notices=())

    def place_of(self, notebook: SubmissionFile) -> str:
        """Where one of the graded files lies."""
        return dict(zip(map(id, self.notebooks), self.places, strict=False)).get(id(notebook), notebook.name)

    def around(self, notebook: SubmissionFile) -> dict[str, bytes]:
        """What lies around a graded file while it runs, by places seen from its own folder.

        A file outside that folder keeps its place, as if the folder were the top. A notebook itself is not
        needed while it runs, a script may read its own text.
        """
        own = self.place_of(notebook)
        folder = "".join(f"{part}/" for part in PurePosixPath(own).parts[:-1])
        wanted = {
            place: data
            for place, data in self.files.items()
            if is_place(place) and (place != own or notebook.kind == "script")
        }
        inner = {place[len(folder) :]: data for place, data in wanted.items() if place.startswith(folder)}
        outer = {place: data for place, data in wanted.items() if not place.startswith(folder)}
        return dict(sorted({**outer, **inner}.items()))


def is_place(place: str) -> bool:
    """Whether a place stays below the folder that it is in; places come from submissions."""
    parts = place.split("/")
    return (
        0 < len(place) <= MAX_PLACE
        and not {"", ".", ".."} & set(parts)
        and "\\" not in place
        and place.isprintable()
    )
