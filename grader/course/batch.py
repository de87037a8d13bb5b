"""A batch: what the gradebook knows is reused, the rest is graded by a pool, every result is stored."""

from __future__ import annotations

import os
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.course.duplicates import Duplicate, duplicates, from_others_seeds
from grader.course.intake import Taken
from grader.course.jobs import Done, Job, Lost
from grader.course.keys import Keys, keys_of, result_key
from grader.course.locations import Locations
from grader.course.plan import UniqueWork, keys_after, plan, unique_work
from grader.course.pools import Pool
from grader.course.stopping import stop_on_signal
from grader.files import write_whole
from grader.gradebook.rows import GradeRow, ItemPoints, Refusal, StoredResult, Student
from grader.gradebook.store import Gradebook
from grader.grading.functions import Prints
from grader.host import login
from grader.model.assignment import Assignment
from grader.model.errors import Fault, GradebookError
from grader.model.records import Grade, decode
from grader.reports import junit
from grader.reports.progress import BatchProgress, Ended, EndedAs

CHUNK = 500  # rows in one transaction: a second of work at most, so that other writers get their turn


@dataclass(frozen=True)
class Batch:
    """One batch of one assignment.

    ``only`` asks for these items alone; ``author`` and ``reason`` go into every grade that is written.
    Without ``writes_grades`` results are stored but no submission's grade changes: a regrade looks first.
    """

    gradebook: Gradebook
    assignment: str
    keys: Keys
    seed: int
    author: str
    reason: str
    only: Collection[str] = ()
    writes_grades: bool = True

    def register(self, several: Sequence[Taken]) -> dict[str, UniqueWork]:
        """Write submissions to the gradebook; the distinct ones by SHA-256, in the order they came."""
        rows: dict[str, list[int]] = defaultdict(list)
        for start in range(0, len(several), CHUNK):
            chunk = several[start : start + CHUNK]
            numbers = self.gradebook.add_submissions(taken.new for taken in chunk)
            for taken, row in zip(chunk, numbers, strict=True):
                rows[taken.new.sha256].append(row)
            self.gradebook.add_arrivals(
                ((row, taken.arrival) for taken, row in zip(chunk, numbers, strict=True)),
                author=self.author,
                reason=self.reason,
            )
        known = self.gradebook.students()
        students = {
            taken.new.name: known.get(taken.new.student, Student(taken.new.student)).shown
            for taken in several
        }
        return unique_work(((taken.new.name, taken.package) for taken in several), rows, students)

    def register_refused(self, refused: Collection[Refusal], several: Sequence[Taken]) -> None:
        """Write what cannot be read. It no longer counts once its student hands in something that can be."""
        names = {one.name for one in refused}
        readable = {taken.new.name for taken in several}
        students = {taken.new.student for taken in several} - {""}
        mended = [
            msgspec.structs.replace(one, why="")
            for one in self.gradebook.refusals(self.assignment)
            if one.name not in names and (one.name in readable or one.student in students)
        ]
        self.gradebook.add_refusals(self.assignment, [*refused, *mended])

    def register_unreadable(self, failed: Collection[Ended], several: Sequence[Taken]) -> None:
        """Write of which submissions it turned out only while grading that they cannot be graded."""
        why = {end.name: end.why for end in failed if end.kind is EndedAs.REFUSED}
        same = {taken.new.sha256: why[taken.new.name] for taken in several if taken.new.name in why}
        refused = [
            Refusal(taken.new.name, same[taken.new.sha256], taken.new.student)
            for taken in several
            if taken.new.sha256 in same
        ]
        self.gradebook.add_refusals(self.assignment, refused)

    def reuse_results(self, files: dict[str, UniqueWork]) -> set[str]:
        """Make results that are still valid the grades of their submissions; the SHA-256 of those."""
        keys = {sha256: self.key_of(sha256) for sha256 in files}
        known = self.gradebook.known_keys(keys.values())
        reused = {sha256 for sha256, key in keys.items() if key in known}
        pairs = [(row, keys[sha256]) for sha256 in reused for row in files[sha256].rows]
        for start in range(0, len(pairs), CHUNK):
            self.gradebook.add_grades(pairs[start : start + CHUNK], author=self.author, reason=self.reason)
        return reused

    def key_of(self, sha256: str) -> str:
        """The key under which a whole result for these bytes is stored."""
        return result_key(self.keys.of_items(sha256))

    def jobs(self, files: Iterable[UniqueWork]) -> Iterator[Job]:
        """What is left to grade, found out one file at a time: earlier records are large."""
        for file in files:
            job = plan(
                file, self.keys, seed=self.seed, earlier=self.earlier_result(file.sha256), only=self.only
            )
            if job is not None:
                yield job

    def earlier_result(self, sha256: str) -> StoredResult | None:
        """The latest result that the gradebook has for these bytes."""
        return self.gradebook.latest_result(self.assignment, sha256)

    def grade(
        self,
        pool: Pool,
        files: Iterable[UniqueWork],
        *,
        on_ended: Callable[[Ended], None],
        stop: Callable[[], bool],
    ) -> None:
        """Grade what is left of files; each result is in the gradebook before ``on_ended`` receives it."""
        rows = {file.sha256: file.rows for file in files}

        def on_done(job: Job, done: Done | Lost) -> None:
            on_ended(self.store(job, done, rows[job.sha256]))

        pool.run(self.jobs(files), on_done, stop=stop)

    def store(self, job: Job, done: Done | Lost, rows: Collection[int]) -> Ended:
        """Store a job's result and say how it ended."""
        if isinstance(done, Lost):
            why = f"{done.deaths} workers died on it ({done.reason}); grade it alone to see why"
            return Ended(job.name, EndedAs.LOST, why=why)
        if not done.record:
            kind = EndedAs.REFUSED if done.fault is Fault.STUDENT else EndedAs.ATTENTION
            return Ended(job.name, kind, why=done.error.removeprefix(f"{job.name}: "))
        grade = decode(done.record)
        result = self._result_of(job, done, grade)
        if grade.attention:
            result = never_reused(result)
        graded = rows if self.writes_grades else ()
        self.gradebook.store_result(result, graded, author=self.author, reason=self.reason)
        return Ended(
            job.name,
            EndedAs.ATTENTION if grade.attention else EndedAs.GRADED,
            earned=grade.earned,
            decided=grade.decided,
            possible=grade.possible,
            why=grade.attention[0] if grade.attention else "",
            seconds=grade.seconds,
        )

    def _result_of(self, job: Job, done: Done, grade: Grade) -> StoredResult:
        # An earlier record is read only if the job built upon it: most did not.
        earlier = self.earlier_result(job.sha256) if job.previous else None
        item_keys = keys_after(job, self.keys, earlier)
        return StoredResult(
            key=result_key(item_keys),
            assignment=self.assignment,
            sha256=job.sha256,
            item_keys=item_keys,
            items=tuple(map(ItemPoints.of, grade.items)),
            prints=done.prints,
            record=done.record,
            earned=grade.earned,
            possible=grade.possible,
            decided=grade.decided,
            attention=grade.attention[0] if grade.attention else "",
        )


def never_reused(result: StoredResult) -> StoredResult:
    """The result under keys that no plan asks for: what needs attention is graded again once it is mended."""
    item_keys = {item: f"needs attention: {key}" for item, key in result.item_keys.items()}
    return msgspec.structs.replace(result, item_keys=item_keys, key=result_key(item_keys))


def grade_files(
    batch: Batch, files: Sequence[UniqueWork], pool: Pool, progress: BatchProgress
) -> tuple[list[Ended], bool]:
    """Grade files and show each end; those that need a person, and whether Ctrl-C stopped the batch."""
    failed: list[Ended] = []

    def on_ended(end: Ended) -> None:
        progress.ended(end)
        if end.kind is not EndedAs.GRADED:
            failed.append(end)

    with stop_on_signal(progress.note) as stop, progress:
        batch.grade(pool, files, on_ended=on_ended, stop=stop)
        return failed, stop()


def batch_of(locations: Locations, gradebook: Gradebook, *, seed: int, only: Collection[str] = ()) -> Batch:
    """A batch that writes grades."""
    return Batch(
        gradebook,
        locations.title,
        keys_of(locations.home, seed=seed),
        seed,
        author=login(),
        reason="batch",
        only=only,
    )


def seed_of_class(gradebook: Gradebook, assignment: str) -> int | None:
    """The seed of the latest result, so that the whole class has one; None if nothing is graded yet."""
    latest = gradebook.latest_result(assignment)
    return None if latest is None else decode(latest.record).seed


def this_process() -> str:
    """Names this process to whoever is refused a second batch."""
    return f"process {os.getpid()} of {login()} on {socket.gethostname()}"


def shared_evidence(gradebook: Gradebook, assignment: Assignment) -> tuple[Duplicate, ...]:
    """What submissions of several students share; a student's own are one, with the name of the latest.

    With seeds of their own, runs from somebody else's seed as well.
    """
    names, found = dict[tuple[str, str], str](), dict[tuple[str, str], Prints]()
    for name, student, prints in gradebook.fingerprints(assignment.title):
        owner = (student, "" if student else name)
        names[owner], found[owner] = name, found.get(owner, frozenset()) | prints
    by_name = {names[owner]: prints for owner, prints in found.items()}
    owners = {name: student for (student, _), name in names.items() if student}
    shared = duplicates(by_name, own_seeds=assignment.evidence.own_seeds)
    return (*shared, *from_others_seeds(by_name, owners, gradebook.students()))


def grade_record(gradebook: Gradebook, key: str) -> Grade:
    """The record of the result with this key. Raises GradebookError if it is missing."""
    result = gradebook.result(key)
    if result is None:
        raise GradebookError(
            f"gradebook {gradebook.place}: a grade without its result; put back a copy of it"
        )
    return decode(result.record)


def write_junit(path: Path, batch: Batch, without_grade: Sequence[tuple[str, str]]) -> None:
    """Write JUnit XML of every graded submission, and of those (name, why) that have no grade."""
    graded = (
        (name, grade_record(batch.gradebook, row.key))
        for name, row in named_grades(batch.gradebook, batch.assignment)
    )
    text = "".join(junit.suites(graded, without_grade))
    write_whole(path, text.encode(), option="--junit")


def named_grades(gradebook: Gradebook, assignment: str) -> Iterator[tuple[str, GradeRow]]:
    """Each grade with its student's name and id; and its file's if they have several or are unknown."""
    students, grades = gradebook.students(), list(gradebook.grades(assignment))
    several = Counter(row.submission.student for row in grades)
    for row in grades:
        who, file = row.submission.student, row.submission.name
        known = students.get(who)
        name = f"{known.name} ({who})" if known is not None and known.name else who
        yield ": ".join(filter(None, (name, file if not who or several[who] > 1 else ""))), row
