"""An assignment on disk: the manifest, where its checks are, and what students are given."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.digests import digest_of, digest_of_file, digest_of_texts, files_below
from grader.handed_in.graded_file import Expected
from grader.model.assignment import Assignment, parse
from grader.model.errors import ManifestError, UsageError
from grader.notebooks.cells import Cell
from grader.notebooks.names import asked_names
from grader.notebooks.questions import questions
from grader.notebooks.reference_cells import reference_cells
from grader.notebooks.solution import has_marker
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
        for entry in self.assignment.beside:
            path = (self.path / entry).resolve()
            if not path.exists():
                raise ManifestError(f"{self.path / MANIFEST}: key `given`: {entry!r} does not exist")
            files[path.name] = path
        return files

    @functools.cached_property
    def references(self) -> dict[str, str]:
        """The solved notebooks that there are: each notebook's name, and where its reference is.

        The reference of ``part2.ipynb`` is ``part2.py``, else ``part2.ipynb``, in the folder of the
        manifest's ``notebook``.
        """
        main = PurePosixPath(self.assignment.notebook)
        paths = {
            name: next(
                (str(path) for path in (script, main.with_name(name)) if (self.path / path).is_file()),
                str(script),
            )
            for name in self.assignment.notebooks
            for script in [main.with_name(f"{PurePosixPath(name).stem}.py")]
        }
        if str(main) not in paths.values():  # the students' notebook has another name
            paths[self.assignment.notebooks[0]] = str(main)
        return {name: path for name, path in paths.items() if (self.path / path).is_file()}

    @functools.cached_property
    def reference_modules(self) -> dict[str, str]:
        """The solved modules beside the reference: their places there, and where they are.

        They match a pattern of `submission.files` that names more than everything, and have a solution in
        them; students write them too.
        """
        folder = (self.path / self.assignment.notebook).parent
        patterns = [pattern for pattern in self.assignment.submission.files if pattern.strip("*/")]
        given = {path.resolve() for path in self.given_files().values()} if patterns else set()
        found = {}
        for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
            inside = path.is_file() and path.suffix == ".py" and path.resolve() not in given
            place = path.relative_to(self.path).as_posix()
            if inside and place not in self.references.values() and has_marker(_text(path)):
                found[path.relative_to(folder).as_posix()] = place
        return found

    def reference_cells(self, path: str) -> tuple[Cell, ...]:
        """The cells of a solved notebook, or a solved module as one cell. Raises TemplateError."""
        return reference_cells(_text(self.path / path), where=path)

    @functools.cached_property
    def cells_given(self) -> dict[str, tuple[Cell, ...]]:
        """The cells that students were given, by the notebooks' names.

        They keep the template's own text from counting as an answer. Made at the first use and kept: it takes
        20 ms for HW3.
        """
        return {
            name: template_cells(_text(self.path / path), where=path)
            for name, path in self.references.items()
        }

    @functools.cached_property
    def template_cells(self) -> tuple[Cell, ...]:
        """The cells of all notebooks that students were given."""
        return tuple(cell for cells in self.cells_given.values() for cell in cells)

    @functools.cached_property
    def questions(self) -> dict[str, str]:
        """What the notebooks that students were given ask for each item, in Markdown; "" for none."""
        return questions(self.template_cells, self.assignment)

    @functools.cached_property
    def asked_names(self) -> frozenset[str]:
        """The names that students are asked for, in notebooks and modules; none if there is no reference."""
        paths = (*self.references.values(), *self.reference_modules.values())
        return frozenset(name for path in paths for name in asked_names(self.reference_cells(path)))

    @functools.cached_property
    def expected(self) -> Expected:
        """What the assignment asks for, to tell the graded file from others. Raises ManifestError."""
        rules = self.assignment.submission
        solved = (*self.references.values(), *self.reference_modules.values())
        return Expected(
            self.assignment.notebooks,
            self.asked_names,
            self.given_files(),
            rules.files,
            tuple((self.path / path).resolve() for path in solved),
            tuple(self.reference_modules),
        )

    @functools.cached_property
    def digests(self) -> dict[str, str]:
        """The digests of all files that decide how checks end, by what they are, as of the first use.

        Data files have the digests that the manifest names: loading has compared them. Raises UsageError,
        ManifestError.
        """
        known = {(self.path / file.path).resolve(): file.sha256 for file in self.assignment.data.values()}
        public = [self.path / name for name in PUBLIC_TESTS if (self.path / name).is_dir()]
        solved = (*self.references.values(), *self.reference_modules.values())
        return {
            "manifest": self.sha256,
            "checks": digest_of_texts(
                _digest(folder, known) for folder in (self.checks(hidden=True), *public[:1])
            ),
            "reference": digest_of_texts(
                f"{place}={digest_of_file(self.path / place)}" for place in sorted(solved)
            ),
            "given": digest_of_texts(
                f"{name}={_digest(path, known)}" for name, path in sorted(self.given_files().items())
            ),
        }

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


def _digest(path: Path, known: Mapping[Path, str]) -> str:
    """A digest of a file or folder; those of some files are known already."""
    if not path.is_dir():
        return known.get(path.resolve()) or digest_of_file(path)
    return digest_of_texts(f"{name}={_digest(file, known)}" for name, file in files_below(path))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


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
    folder = AssignmentFolder(path.resolve(), parse(text, source=str(manifest)), digest_of(data))
    _assert_data(folder, source=str(manifest))
    return folder


def _assert_data(folder: AssignmentFolder, *, source: str) -> None:
    """Raises ManifestError unless every data file is there and has the digest that the manifest names."""
    for name, file in folder.assignment.data.items():
        where = f"{source}: data {name!r}"
        path = folder.path / file.path
        if not path.is_file():
            raise ManifestError(f"{where}: {file.path!r} is no file")
        if (found := digest_of_file(path)) != file.sha256:
            raise ManifestError(f"{where}: {file.path!r} has SHA-256 {found}, expected {file.sha256}")


def nearest(submission: Path) -> Path:
    """The first folder with a manifest: the working directory, the submission's folder, or one above it."""
    here = Path.cwd()
    around = submission.absolute().parent
    candidates = (here, around, *around.parents)
    return next((place for place in candidates if (place / MANIFEST).is_file()), here)
