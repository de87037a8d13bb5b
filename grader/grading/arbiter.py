"""The reference is the arbiter of whose fault it is that a check went wrong.

A check that the reference does not pass costs nobody a point, nor does what it has no time for on this
machine. A check that breaks on a student's value and not on the reference's costs the student its points: it
is the author's fault only if the reference fails too. A check that is skipped here and that the reference
passes was skipped for the student's answer: it earns nothing. One that is skipped on the reference too waits
for a person.

What is known of the checks already is used (``kept_checks``). The reference is run only for what is not: once
for a new version of an assignment, and where there is doubt about one submission.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from grader.digests import digest_of_texts
from grader.grading import kept_checks
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.kept_checks import WRONG
from grader.grading.outcomes import NOT_CARRIED_OUT, put_down_to_the_machine
from grader.model.checked import SCHEMA, Checked, Name, NotPassed, ReferenceRun
from grader.model.endings import NOTHING_RECORDED
from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.records import CellResult, CellStatus, CheckResult, Grade
from grader.model.text import one_line
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles

NOT_SKIPPED = "the reference does not skip this check: it is skipped for what the submission lacks"

SLOW_HERE = "the reference runs out of time here as well: the limits are too short for this machine"

PASSES = "the reference passes this check: a value of the submission's breaks it"

NOT_PASSED = "the reference does not pass this check either"

_OUT_OF_TIME = (CellStatus.TIMED_OUT, CellStatus.SKIPPED)
MAX_DETAIL = 2000

RunReference = Callable[[Collection[str]], ReferenceRun | None]
"""Grades the reference for some items, all if there are none; None if it cannot."""


def reference_files(folder: AssignmentFolder) -> SubmissionFiles | None:
    """The reference as if it were handed in, with its solved modules; None if there is none."""
    notebooks = tuple(read(folder.path / path) for path in folder.references.values())
    if not notebooks:
        return None
    paths = [*folder.references.values(), *folder.reference_modules.values()]
    names = [file.name for file in notebooks]
    places = [*names, *folder.reference_modules]
    files = {place: (folder.path / path).read_bytes() for place, path in zip(places, paths, strict=True)}
    return SubmissionFiles(
        notebooks, digest_of_texts(file.sha256 for file in notebooks), files, places=tuple(names)
    )


def reference_run(
    grade: Grade, results: Sequence[CheckResult], errors: Sequence[str], *, seed: int
) -> ReferenceRun:
    """What a grade of the reference says of the checks; ``errors`` are lines about the author's files."""
    public = grade.mode == "public"
    silent = {item.item for item in grade.items if item.kind == "evidence" and (public or not item.found)}
    # A check of code may ask for a recording as well, which a reference in percent format cannot hold.
    judged = [one for one in results if one.item not in silent and not _lacks_recording(one)]
    unjudged = silent.union(one.item for one in results if _lacks_recording(one))
    without = [
        item.item for item in grade.items if item.kind == "code" and not item.checks and not item.decided
    ]
    return ReferenceRun(
        mode=grade.environment.isolation,
        seed=seed,
        public=public,
        passed=tuple((one.item, one.check) for one in judged if one.outcome is Outcome.PASSED),
        not_passed=tuple(
            NotPassed(one.item, one.check, one.outcome, one.fault, one.detail[:MAX_DETAIL])
            for one in judged
            if one.outcome is not Outcome.PASSED
        ),
        unjudged=tuple(item.item for item in grade.items if item.item in unjudged),
        problems=(
            *errors,
            *map(_cell_line, (cell for cell in grade.cells if cell.status is not CellStatus.OK)),
            *(f"item {item}: no check" for item in without),
        ),
        seconds=grade.seconds,
        out_of_time=any(cell.status in _OUT_OF_TIME for cell in grade.cells),
    )


def _lacks_recording(result: CheckResult) -> bool:
    return result.outcome is Outcome.FAILED and result.detail.startswith(NOTHING_RECORDED)


def _cell_line(cell: CellResult) -> str:
    place = f"line {cell.line}" if cell.line else f"cell {cell.cell}"
    return one_line(f"{place} of the reference: {cell.error or cell.status}", 300)


class Arbiter:
    """Decides whose fault it is, for the submissions to one assignment in one mode."""

    def __init__(self, folder: AssignmentFolder, mode: Mode, *, environ: Mapping[str, str]) -> None:
        self._folder, self._mode, self._environ = folder, mode, environ

    def arbitrate(
        self,
        results: Sequence[CheckResult],
        cells: Iterable[CellResult],
        run_reference: RunReference,
        *,
        messages: Mapping[Name, str],
    ) -> list[CheckResult]:
        """The results, each with the fault that the reference shows it to be.

        ``messages``, by item and check, are for students whose value broke a check, or for whom it was
        skipped.
        """
        if all(result.outcome is Outcome.PASSED for result in results):
            return list(results)
        known = kept_checks.known_in(self._folder, self._mode, environ=self._environ)
        settled = [_excused(result, known.broken.get((result.item, result.check))) for result in results]
        open_ones = [
            result
            for result in settled
            if (result.item, result.check) not in known.broken and result.outcome is not Outcome.PASSED
        ]
        doubted = items_in_doubt(open_ones, cells, messages)
        if not known.asked and self._mode.isolates and any(map(_is_charged, open_ones)):
            reference = run_reference(())  # all items: the next submission may fail in others
            self._keep(reference)
        else:
            reference = run_reference(doubted) if doubted else None
        if reference is None:
            return settled
        return [_arbitrated(result, reference, doubted, messages) for result in settled]

    def _keep(self, reference: ReferenceRun | None) -> None:
        """Keep what a run of the reference says, unless this submission or the machine had a part in it."""
        if reference is None or any(map(_tells_nothing, reference.not_passed)):
            return
        wrong = () if reference.out_of_time else reference.not_passed
        reference = replace(reference, not_passed=tuple(one for one in wrong if one.outcome in WRONG))
        today = datetime.now(UTC).date().isoformat()
        decides = kept_checks.deciding(self._folder)
        earlier = kept_checks.recall("arbiter", self._folder, environ=self._environ)
        others = [
            run
            for run in (earlier.runs if earlier and not kept_checks.staleness(earlier, decides) else ())
            if run.mode is not reference.mode
        ]
        found = Checked(
            schema=SCHEMA,
            assignment=str(self._folder.path),
            decides=decides,
            date=today,
            runs=(*others, reference),
        )
        kept_checks.keep("arbiter", found, environ=self._environ)


def items_in_doubt(
    results: Iterable[CheckResult], cells: Iterable[CellResult], skipped: Collection[Name] = ()
) -> frozenset[str]:
    """The items that a submission may have lost because it ran out of time, or whose checks broke.

    ``skipped`` are the checks that were skipped for a reason that may be the student's.
    """
    all_cells_ran = not any(cell.status in _OUT_OF_TIME for cell in cells)
    return frozenset(
        result.item
        for result in results
        if result.fault is Fault.AUTHOR
        or (result.outcome is Outcome.SKIPPED and (result.item, result.check) in skipped)
        or (_is_charged(result) and (result.outcome is Outcome.TIMED_OUT or not all_cells_ran))
    )


def _tells_nothing(failure: NotPassed) -> bool:
    """Whether the reference may have failed for want of memory or time: our own process had its share."""
    short = failure.outcome not in (*WRONG, Outcome.TIMED_OUT)
    return short or failure.fault is Fault.INFRASTRUCTURE


def _excused(result: CheckResult, failure: NotPassed | None) -> CheckResult:
    """The result, as the author's fault if the reference does not pass the check either."""
    if failure is None or not _is_charged(result):
        return result
    said = f"{NOT_PASSED} ({failure.outcome}: {one_line(failure.detail, 300)})"
    detail = f"{said}\n{result.detail}".rstrip()
    return replace(result, fault=Fault.AUTHOR, message=NOT_CARRIED_OUT, detail=detail)


def _arbitrated(
    result: CheckResult,
    reference: ReferenceRun,
    doubted: Collection[str],
    messages: Mapping[Name, str],
) -> CheckResult:
    name = result.item, result.check
    message = messages.get(name, "")
    failure = next((one for one in reference.not_passed if one.name == name), None)
    if result.fault is Fault.AUTHOR and name in reference.passed:
        detail = f"{PASSES}\n{result.detail}".rstrip()
        return replace(result, outcome=Outcome.FAILED, fault=Fault.STUDENT, message=message, detail=detail)
    if result.outcome is Outcome.SKIPPED and message and name in reference.passed:
        return replace(result, fault=Fault.STUDENT, detail=f"{NOT_SKIPPED}\n{result.detail}")
    if not _is_charged(result) or failure is None:
        return result
    if result.item in doubted and (failure.outcome is Outcome.TIMED_OUT or _ran_short(failure, reference)):
        # Not as timed out: that of the machine's fault is tried again.
        return replace(put_down_to_the_machine(result, SLOW_HERE), outcome=Outcome.ERRORED)
    is_wrong = failure.outcome in WRONG and not reference.out_of_time
    return _excused(result, failure if is_wrong else None)


def _ran_short(failure: NotPassed, reference: ReferenceRun) -> bool:
    return failure.fault is Fault.STUDENT and reference.out_of_time


def _is_charged(result: CheckResult) -> bool:
    return result.outcome is not Outcome.PASSED and result.fault is Fault.STUDENT
