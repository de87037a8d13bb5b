"""The reference is the arbiter: what it has no time for on this machine costs no student a point.

Only asked where a submission ran out of time, for the items concerned: it takes a run of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec.structs import replace

from grader.digests import digest_of_texts
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.outcomes import put_down_to_the_machine
from grader.model.errors import Fault, Outcome
from grader.model.records import CellResult, CellStatus, CheckResult, Grade
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles

SLOW_HERE = "the reference runs out of time here as well: the limits are too short for this machine"

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


def items_in_doubt(results: Iterable[CheckResult], cells: Iterable[CellResult]) -> frozenset[str]:
    """The items that a submission may have lost because it ran out of time."""
    all_cells_ran = not any(cell.status in _OUT_OF_TIME for cell in cells)
    return frozenset(
        result.item
        for result in results
        if _is_charged(result) and (result.outcome is Outcome.TIMED_OUT or not all_cells_ran)
    )


def excused(
    results: Sequence[CheckResult],
    cells: Iterable[CellResult],
    run_reference: Callable[[Collection[str]], Grade | None],
) -> list[CheckResult]:
    """The results, with what the reference has no time for either put down to the machine.

    ``run_reference`` grades the reference for some items.
    """
    doubted = items_in_doubt(results, cells)
    reference = run_reference(doubted) if doubted else None
    if reference is None:
        return list(results)
    all_cells_ran = not any(cell.status in _OUT_OF_TIME for cell in reference.cells)
    slow = {
        (check.item, check.check)
        for item in reference.items
        for check in item.checks
        if check.outcome is Outcome.TIMED_OUT or (_is_charged(check) and not all_cells_ran)
    }
    return [
        # Not as timed out: that of the machine's fault is tried again.
        replace(put_down_to_the_machine(result, SLOW_HERE), outcome=Outcome.ERRORED)
        if _is_charged(result) and (result.item, result.check) in slow
        else result
        for result in results
    ]


def _is_charged(result: CheckResult) -> bool:
    return result.outcome is not Outcome.PASSED and result.fault is Fault.STUDENT
