"""The reference is the arbiter of whose fault it is that a check went wrong.

What it has no time for on this machine costs no student a point. A check that breaks on a student's
value and not on the reference's costs the student its points: it is the author's fault only if the reference
fails too. A check that is skipped here and that the reference passes was skipped for the student's answer: it
earns nothing. One that is skipped on the reference too waits for a person.
Only asked where there is doubt, for the items concerned: it takes a run of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from grader.digests import digest_of_texts
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.outcomes import put_down_to_the_machine
from grader.model.errors import Fault, Outcome
from grader.model.records import CellResult, CellStatus, CheckResult, Grade
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles

NOT_SKIPPED = "the reference does not skip this check: it is skipped for what the submission lacks"

SLOW_HERE = "the reference runs out of time here as well: the limits are too short for this machine"

PASSES = "the reference passes this check: a value of the submission's breaks it"

_OUT_OF_TIME = (CellStatus.TIMED_OUT, CellStatus.SKIPPED)


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


def items_in_doubt(
    results: Iterable[CheckResult], cells: Iterable[CellResult], skipped: Collection[tuple[str, str]] = ()
) -> frozenset[str]:
    """The items that a submission may have lost because it ran out of time, or whose checks broke.

    ``skipped`` are the checks, by item and name, that were skipped for a reason that may be the student's.
    """
    all_cells_ran = not any(cell.status in _OUT_OF_TIME for cell in cells)
    return frozenset(
        result.item
        for result in results
        if result.fault is Fault.AUTHOR
        or (result.outcome is Outcome.SKIPPED and (result.item, result.check) in skipped)
        or (_is_charged(result) and (result.outcome is Outcome.TIMED_OUT or not all_cells_ran))
    )


def arbitrate(
    results: Sequence[CheckResult],
    cells: Iterable[CellResult],
    run_reference: Callable[[Collection[str]], Grade | None],
    *,
    messages: Mapping[tuple[str, str], str],
) -> list[CheckResult]:
    """The results, each with the fault that the reference shows it to be.

    ``run_reference`` grades the reference for some items; None if it could not. ``messages``, by item and
    check, are for students whose value broke a check, or for whom it was skipped.
    """
    doubted = items_in_doubt(results, cells, messages)
    reference = run_reference(doubted) if doubted else None
    if reference is None:
        return list(results)
    its_own = {(check.item, check.check): check for item in reference.items for check in item.checks}
    all_cells_ran = not any(cell.status in _OUT_OF_TIME for cell in reference.cells)
    return [
        _arbitrated(
            result,
            its_own.get((result.item, result.check)),
            all_cells_ran=all_cells_ran,
            message=messages.get((result.item, result.check), ""),
        )
        for result in results
    ]


def _arbitrated(
    result: CheckResult, reference: CheckResult | None, *, all_cells_ran: bool, message: str
) -> CheckResult:
    if reference is None:
        return result
    if result.fault is Fault.AUTHOR and reference.outcome is Outcome.PASSED:
        detail = f"{PASSES}\n{result.detail}".rstrip()
        return replace(result, outcome=Outcome.FAILED, fault=Fault.STUDENT, message=message, detail=detail)
    if result.outcome is Outcome.SKIPPED and message and reference.outcome is Outcome.PASSED:
        return replace(result, fault=Fault.STUDENT, detail=f"{NOT_SKIPPED}\n{result.detail}")
    is_slow = reference.outcome is Outcome.TIMED_OUT or (_is_charged(reference) and not all_cells_ran)
    if _is_charged(result) and is_slow:
        # Not as timed out: that of the machine's fault is tried again.
        return replace(put_down_to_the_machine(result, SLOW_HERE), outcome=Outcome.ERRORED)
    return result


def _is_charged(result: CheckResult) -> bool:
    return result.outcome is not Outcome.PASSED and result.fault is Fault.STUDENT
