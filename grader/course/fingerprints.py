"""What is kept of a submission's evidence to find the same evidence in another one: small plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from grader.checks.evidence import Recording, student_seed
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.functions import Prints, sketched
from grader.grading.recorded import recordings_in
from grader.model.assignment import EvidenceRules
from grader.model.errors import AuthorError
from grader.notebooks.submission_files import SubmissionFiles

RUN, NUMBERS, SEED_OF = "run", "numbers", "seed-of"


def fingerprints(recordings: Iterable[Recording]) -> Prints:
    """Pairs of an item and a digest, equal for equal recordings, small enough to compare a whole class."""
    return frozenset(
        (one.item, digest) for one in recordings for digest in (_run_of(one), _numbers_of(one)) if digest
    )


def begun_as(recordings: Iterable[Recording], rules: EvidenceRules) -> Prints:
    """Whose seed each recording names, as that student's ``student_seed``; none if all have one seed."""
    named = ((one.item, one.parameters.get(rules.student)) for one in recordings if rules.own_seeds)
    return frozenset((item, seed_of(name)) for item, name in named if isinstance(name, str))


def seed_of(student: str) -> str:
    """The fingerprint of runs that name this student."""
    return f"{SEED_OF} {student_seed(student)}"


def all_prints(
    submission: SubmissionFiles, folder: AssignmentFolder, *, sketches: bool = True
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """A submission's fingerprints with the sketches of its models, and a notice if the author's file fails.

    ``sketches`` runs the author's file, on the trusted side and within the submission's bounds; students, who
    run the public checks, do not have it.
    """
    recorded = [one for file in submission.notebooks for one in recordings_in(file.cells, folder.assignment)]
    found = fingerprints(recorded) | begun_as(recorded, folder.assignment.evidence)
    if not sketches:
        return tuple(sorted(found)), ()
    try:
        return tuple(sorted(found | sketched(folder.checks(hidden=True), _single(recorded)))), ()
    except AuthorError as why:
        return tuple(sorted(found)), (f"copies of trained models were not looked for: {why}",)


def _single(recordings: Iterable[Recording]) -> dict[str, Recording]:
    """Each item's recording, where there are not several that differ."""
    first: dict[str, Recording] = {}
    several = set()
    for one in recordings:
        if first.setdefault(one.item, one).data != one.data:
            several.add(one.item)
    return {item: one for item, one in first.items() if item not in several}


def _run_of(recording: Recording) -> str:
    return f"{RUN} {_digest(recording.run)}" if recording.run else ""


def _numbers_of(recording: Recording) -> str:
    """Of all that was recorded, which no relabelling changes."""
    if not recording.data:
        return ""
    return f"{NUMBERS} {_digest(json.dumps(recording.data, sort_keys=True))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
