"""An assignment on disk: the manifest, where its checks are, and what students are given."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from grader.digests import digest_of
from grader.model.assignment import Assignment, parse
from grader.model.errors import ManifestError, UsageError
from grader.notebooks.cells import Cell
from grader.notebooks.template_cells import template_cells

MANIFEST = "assignment.toml"
HIDDEN_TESTS = "hidden_tests"
PUBLIC_TESTS = ("public_tests", "reference/public_tests")


@dataclass(frozen=True)
class AssignmentFolder:
    """A folder that holds an assignment. ``sha256`` is that of its manifest's bytes."""

    path: Path
    assignment: Assignment
    sha256: str

    def given_files(self) -> dict[str, Path]:
        """The files and folders that students are given, by their names in the working directory.

        Raises ManifestError if one of them does not exist.
        """
        files = {}
        for entry in self.assignment.given:
            path = (self.path / entry).resolve()
            if not path.exists():
                raise ManifestError(f"{self.path / MANIFEST}: key `given`: {entry!r} does not exist")
            files[path.name] = path
        return files

    @functools.cached_property
    def template_cells(self) -> tuple[Cell, ...]:
        """The cells that students were given, so that the template's own text never counts as an answer.

        Made at the first use and kept: it takes 20 ms for HW3.
        """
        reference = self.path / self.assignment.notebook
        if not reference.is_file():
            return ()
        return template_cells(reference.read_text(encoding="utf-8"), where=self.assignment.notebook)

    def checks(self, *, hidden: bool) -> Path:
        """The folder of hidden or public checks. Raises UsageError if there is none."""
        names = (HIDDEN_TESTS,) if hidden else PUBLIC_TESTS
        found = next((self.path / name for name in names if (self.path / name).is_dir()), None)
        if found is None:
            kind = "hidden" if hidden else "public"
            wanted = " or ".join(f"{name}/" for name in names)
            advice = "; students run the public checks with --public" if hidden else ""
            raise UsageError(f"{self.path} has no {kind} checks (a folder {wanted}){advice}")
        return found.resolve()


def load(path: Path) -> AssignmentFolder:
    """Load the assignment in a folder. Raises UsageError if there is none, ManifestError if it is wrong."""
    manifest = path / MANIFEST
    try:
        data = manifest.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"no assignment here: {manifest} does not exist; "
            "name the assignment's folder with --assignment DIR"
        ) from None
    except OSError as error:
        raise UsageError(f"{manifest} cannot be read: {error.strerror}") from None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ManifestError(f"{manifest}: not UTF-8 text") from None
    return AssignmentFolder(path.resolve(), parse(text, source=str(manifest)), digest_of(data))


def nearest(submission: Path) -> Path:
    """The first folder with a manifest: the working directory, the submission's folder, or one above it."""
    here = Path.cwd()
    around = submission.absolute().parent
    candidates = (here, around, *around.parents)
    return next((place for place in candidates if (place / MANIFEST).is_file()), here)
