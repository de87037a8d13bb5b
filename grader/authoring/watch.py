"""The author's loop: a submission whose cells ran is kept, and what is saved decides what runs again.

A file of checks: its checks, or those of its functions that changed, against the kept state. Another file
beside the checks: all checks. The manifest: all checks, and the cells if it decides how they run. The
submission: its cells, unless no code changed; from the first one on, because an earlier state is not kept.
"""

from __future__ import annotations

import ast
import itertools
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from rich.console import Console

from grader.authoring.saved_files import SavedFiles
from grader.digests import digest_of, files_below
from grader.grading import assignment_folder
from grader.grading.assignment_folder import HIDDEN_TESTS, MANIFEST, AssignmentFolder
from grader.grading.checking import Ended, judged_checks, run_checks
from grader.grading.execution import Progress
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.pipeline import Graded, grade_of
from grader.grading.pytest_run import forget
from grader.grading.state import State, plan_run, recorded_of, run_submission, state_of
from grader.model.errors import CannotGrade, CheckError
from grader.model.records import CheckResult
from grader.notebooks.submission_file import SubmissionFile
from grader.notebooks.submission_files import SubmissionFiles
from grader.reports.progress import GradingProgress
from grader.reports.rounds import Rounds

DECIDE_CELLS = ("limits", "budget", "given", "data", "notebook", "submission", "environment")
"""The keys of the manifest that decide how cells run."""


class Test(Protocol):
    """A check as pytest collected it."""

    name: str
    path: Path


Chosen = Callable[[Test], bool]


@dataclass
class Kept:
    """One submission whose cells ran, kept open between rounds.

    ``read`` reads it as it is saved now. ``label`` names it where there are several.
    """

    read: Callable[[AssignmentFolder], SubmissionFiles]
    job: GradeJob
    opener: Opener
    label: str = ""
    state: State | None = None
    ended: Ended = field(default_factory=lambda: Ended({}))
    stack: ExitStack = field(default_factory=ExitStack)

    def run_all(self, progress: Progress) -> frozenset[str]:
        """Run the cells and all checks; the ids of the checks. Raises CannotGrade, CheckError."""
        submission = self.read(self.job.folder)
        self.close()
        self.state = run_submission(self.stack, self.job, submission, self.opener, progress)
        return self.run_checks(None, progress)

    def run_checks(self, chosen: Chosen | None, progress: Progress) -> frozenset[str]:
        """Run checks against the kept state; the ids of those that ran. Raises CannotGrade."""
        if self.state is None:
            return self.run_all(progress)
        found = run_checks(self.state, progress, chosen=chosen)
        self.ended = merged(self.ended, found)
        return frozenset(found.results)

    def read_again(self, folder: AssignmentFolder) -> bool:
        """Take the submission and the assignment as they are saved now; whether the cells have to run.

        They do not if the code, the files around it and the plan of the run are the same: then only prose,
        outputs or recordings have changed. Raises CannotGrade.
        """
        self.job = replace(self.job, folder=folder)
        state = self.state
        if state is None:
            return True
        submission = self.read(folder)
        plan = plan_run(self.job, recorded_of(self.job, submission))
        if code_of(submission) != code_of(state.submission) or (plan.budget, plan.prelude) != (
            state.plan.budget,
            state.plan.prelude,
        ):
            return True
        files = submission.notebooks
        runs = [replace(run, file=file) for run, file in zip(state.runs, files, strict=True)]
        now = datetime.now(UTC)
        self.state = state_of(self.job, submission, runs, graded_at=now, started=time.monotonic())
        return False

    def graded(self) -> Graded | None:
        """The grade with all results as they are now. Nobody is asked whose fault a broken check is."""
        return None if self.state is None else grade_of(self.state, judged_checks(self.state, self.ended))

    def close(self) -> None:
        """End what the submission started."""
        self.state = None
        self.stack.close()


def merged(before: Ended, found: Ended) -> Ended:
    """The new results and, of the checks that did not run and are still there, those of before."""
    results = {**before.results, **found.results}
    if not found.errors:  # a file that cannot be read has lost its checks for the moment only
        results = {name: results[name] for name in found.collected if name in results}
    ran = {(result.item, result.check) for result in found.results.values()}

    def joined(
        old: Mapping[tuple[str, str], str], new: Mapping[tuple[str, str], str]
    ) -> dict[tuple[str, str], str]:
        return {**{name: text for name, text in old.items() if name not in ran}, **new}

    return Ended(
        results,
        tuple(results),
        joined(before.missing, found.missing),
        joined(before.if_theirs, found.if_theirs),
        found.errors,
    )


@dataclass(frozen=True)
class Part:
    """One submission in a round: all results before and after by the checks' ids, and which checks ran."""

    label: str
    before: Ended
    after: Ended
    ran: frozenset[str]
    graded: Graded | None


@dataclass(frozen=True)
class Round:
    """What a save led to.

    ``saved`` are the files, seen from the assignment's folder. ``problem`` says why nothing could run; all
    results are then those of before. ``cells`` is whether cells ran.
    """

    saved: tuple[str, ...]
    parts: tuple[Part, ...]
    cells: bool
    seconds: float
    problem: str = ""


class Loop:
    """Rounds of running what changed, for one or several submissions to the assignment in a folder.

    ``others`` lists the submissions' own files. Use it as a context: what was started ends with it.
    """

    def __init__(
        self, folder: Path, kept: Sequence[Kept], *, others: Callable[[], Collection[Path]] = tuple
    ) -> None:
        self._place, self._kept, self._others = folder.resolve(), tuple(kept), others
        self._folder = kept[0].job.folder
        self._pending: frozenset[Path] = frozenset()
        self._texts = {path: _text(path) for path in self._files_of_checks()}

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        for kept in self._kept:
            kept.close()

    def paths(self) -> Iterator[Path]:
        """All files that decide what the loop shows."""
        yield self._place / MANIFEST
        solved = (*self._folder.references.values(), *self._folder.reference_modules.values())
        yield from (self._place / path for path in solved)
        yield self._place / self._folder.assignment.notebook
        given = [self._place / entry for entry in self._folder.assignment.beside]
        for place in (self._place / HIDDEN_TESTS, *given):
            with suppress(OSError):
                yield from [path for _, path in files_below(place)] if place.is_dir() else [place]
        yield from self._others()

    def first(self, progress: Progress) -> Round:
        """Run everything. Raises CannotGrade, CheckError."""
        started = time.monotonic()
        parts = tuple(_part(kept, Ended({}), kept.run_all(progress)) for kept in self._kept)
        return Round((), parts, cells=True, seconds=time.monotonic() - started)

    def after(self, saved: frozenset[Path], progress: Progress) -> Round:
        """Run what these files decide, with those that could not be run since they were saved."""
        started = time.monotonic()
        changed, before = self._pending | saved, [kept.ended for kept in self._kept]
        names = tuple(sorted(self._name(path) for path in saved))
        ran: list[frozenset[str]] = []
        cells, problem = [False], ""
        try:
            cells = self._take(changed)
            chosen = self._chosen(changed)
            ran = [
                kept.run_all(progress) if again else kept.run_checks(chosen, progress)
                for kept, again in zip(self._kept, cells, strict=True)
            ]
        except (CannotGrade, CheckError) as error:
            problem, self._pending = str(error), changed
            ran = [frozenset() for _ in self._kept]
        else:
            broken = any(kept.ended.errors for kept in self._kept)
            self._pending = changed & set(self._files_of_checks()) if broken else frozenset()
            if not broken:
                self._texts = {path: _text(path) for path in self._files_of_checks()}
        parts = tuple(map(_part, self._kept, before, ran))
        return Round(names, parts, cells=any(cells), seconds=time.monotonic() - started, problem=problem)

    def _take(self, changed: Collection[Path]) -> list[bool]:
        """Read again what is not a check; whether each submission's cells have to run. Raises CannotGrade."""
        checks = self._place / HIDDEN_TESTS
        if all(path.is_relative_to(checks) for path in changed):
            return [False for _ in self._kept]
        old, self._folder = self._folder, assignment_folder.load(self._place)
        same = all(
            getattr(old.assignment, key) == getattr(self._folder.assignment, key) for key in DECIDE_CELLS
        )
        given = [self._place / entry for entry in self._folder.assignment.beside]
        laid = any(path == place or path.is_relative_to(place) for path in changed for place in given)
        return [kept.read_again(self._folder) or laid or not same for kept in self._kept]

    def _chosen(self, changed: Collection[Path]) -> Chosen | None:
        """Which checks have to run: those of the changed files, of the functions that changed; None: all."""
        checks = self._place / HIDDEN_TESTS
        files = self._files_of_checks()
        texts = {path: _text(path) for path in files}
        gone = {path for path in changed if path.is_relative_to(checks) and not path.exists()}
        theirs = {path for path in changed if path in files} | {path for path in gone if is_check_file(path)}
        used = any(
            path.stem in text for path in theirs for other, text in texts.items() if other not in theirs
        )
        if used or any(path not in theirs for path in changed):
            forget(lambda path: path.is_relative_to(checks))
            return None
        forget(lambda path: path in theirs)
        names = {path: changed_functions(self._texts.get(path, ""), texts.get(path, "")) for path in theirs}

        def chosen(test: Test) -> bool:
            wanted = names.get(test.path, frozenset())
            return wanted is None or test.name.partition("[")[0] in wanted

        return chosen

    def _files_of_checks(self) -> list[Path]:
        checks = self._place / HIDDEN_TESTS
        return [path for _, path in files_below(checks) if is_check_file(path)] if checks.is_dir() else []

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._place)) if path.is_relative_to(self._place) else path.name


def follow(
    folder: Path, kept: Sequence[Kept], *, others: Callable[[], Collection[Path]] = tuple, rounds: int = 0
) -> None:
    """Run everything, then what each save decides, and show it, until Ctrl-C or after so many ``rounds``.

    Raises CannotGrade or CheckError if not even the first run is possible.
    """
    sys.dont_write_bytecode = True  # Python knows a compiled file by whole seconds: saves are faster
    live = Console(stderr=True)
    screen = Rounds(Console())
    assignment = kept[0].job.folder.assignment
    title = f"{assignment.title}: {assignment.notebook}"
    with suppress(KeyboardInterrupt), Loop(folder, kept, others=others) as loop:
        saved = SavedFiles(loop.paths)
        with GradingProgress(live) as progress:
            first = loop.first(progress)
        _show(first, screen, title)
        screen.begin(len(tuple(loop.paths())))
        for number in itertools.count(1):
            changed = saved.wait()
            with GradingProgress(live) as progress:
                found = loop.after(changed, progress)
            _show(found, screen, title)
            screen.flush()
            if number == rounds:
                return
    screen.end()


def _show(found: Round, screen: Rounds, title: str) -> None:
    own = found.parts[0]
    before, after = _judged(own, own.before), _judged(own, own.after)
    if not found.saved:
        if own.label:
            screen.title(title)
        elif own.graded is not None:
            screen.report(own.graded.grade)
        if own.label and own.graded is not None:
            screen.cells(own.graded.grade.cells)
            screen.failing(after)
    else:
        now = datetime.now().astimezone()
        screen.saved(found.saved, now, ran=len(own.ran), cells=found.cells, seconds=found.seconds)
        if not found.problem and found.cells and own.graded is not None:
            screen.cells(own.graded.grade.cells)
    if found.problem:
        screen.problem(found.problem)
        return
    if found.saved:
        screen.changes(before, after, ran=own.ran, errors=own.after.errors)
    for other in found.parts[1:]:
        screen.gifts(other.after.results)
    screen.stands(after, before if found.saved else None, unread=bool(own.after.errors))


def _judged(part: Part, ended: Ended) -> dict[str, CheckResult]:
    """The results, on a reference without those of evidence that it has not recorded."""
    items = part.graded.grade.items if part.graded is not None and part.label else ()
    unjudged = {item.item for item in items if item.kind == "evidence" and not item.found}
    return {name: result for name, result in ended.results.items() if result.item not in unjudged}


def _part(kept: Kept, before: Ended, ran: frozenset[str]) -> Part:
    return Part(kept.label, before, kept.ended, ran, kept.graded())


def is_check_file(path: Path) -> bool:
    """Whether pytest looks for checks in a file of this name."""
    return path.suffix == ".py" and (path.name.startswith("test_") or path.stem.endswith("_test"))


def code_of(submission: SubmissionFiles) -> object:
    """All of a submission that its run depends on: the code in order, and the files around it."""
    graded = {submission.place_of(file) for file in submission.notebooks}
    cells = [
        (file.name, file.kind, [(cell.source, cell.tags, cell.number, cell.line) for cell in file.cells])
        for file in (_code(file) for file in submission.notebooks)
    ]
    return cells, {place: digest_of(data) for place, data in submission.files.items() if place not in graded}


def _code(file: SubmissionFile) -> SubmissionFile:
    return replace(file, cells=tuple(cell for cell in file.cells if cell.kind == "code"))


def changed_functions(before: str, after: str) -> frozenset[str] | None:
    """The names of the checks that differ between two texts of a file; None if all may."""
    try:
        (old, old_rest), (new, new_rest) = _parts(before), _parts(after)
    except (SyntaxError, ValueError):
        return None
    if old_rest != new_rest:
        return None
    return frozenset(name for name, text in new.items() if old.get(name) != text)


def _parts(text: str) -> tuple[dict[str, str], list[str]]:
    """The check functions of a file by name, without line numbers, and everything else in it."""
    tests: dict[str, str] = {}
    rest: list[str] = []
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in tree.body:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name.startswith("test")
            and node.name not in tests
            and node.name not in used  # nothing else in the file calls it
        ):
            tests[node.name] = ast.dump(node)
        else:
            rest.append(ast.dump(node))
    return tests, rest


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
