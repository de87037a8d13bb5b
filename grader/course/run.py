"""Grading what a class handed in: what is known is kept, the rest goes to workers, answers go to the book."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import msgspec

from grader.course.keys import Keys, result_key
from grader.course.plan import Earlier, File, keys_after, plan
from grader.course.work import Done, Lost, OnDone, Work
from grader.gradebook.rows import ItemPoints, NewSubmission, StoredResult
from grader.gradebook.store import Gradebook
from grader.model.errors import Fault
from grader.model.records import Grade, decode
from grader.reports.progress import Ended, EndedAs

CHUNK = 500


class Pool(Protocol):
    """Grades works somewhere and tells each end in the caller's thread."""

    def run(self, works: Iterable[Work], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """Grade all works, no more once ``stop`` says so."""


class Handed(msgspec.Struct, frozen=True):
    """One submission of the class: a file, and whose it is (empty: nobody's on the roster)."""

    file: File
    student: str = ""
    submitted_at: str = ""


@dataclass
class Content:
    """One content, which several may have handed in, with the gradebook's rows of their submissions."""

    file: File
    rows: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class ClassRun:
    """One batch of one assignment.

    ``only`` asks for these items alone; ``author`` and ``reason`` stand on every grade that is written.
    Without ``writes_grades`` results are kept, and what they would change can be looked at first.
    """

    book: Gradebook
    assignment: str
    keys: Keys
    seed: int
    author: str
    reason: str
    only: Collection[str] = ()
    writes_grades: bool = True

    def enter(self, handed: Iterable[Handed]) -> dict[str, Content]:
        """Write submissions into the book; the contents by SHA-256, in the order they came."""
        contents: dict[str, Content] = {}
        source = iter(handed)
        while chunk := list(islice(source, CHUNK)):
            rows = self.book.add_submissions(self._row(entry) for entry in chunk)
            for entry, row in zip(chunk, rows, strict=True):
                contents.setdefault(entry.file.sha256, Content(entry.file)).rows.append(row)
        return contents

    def _row(self, entry: Handed) -> NewSubmission:
        return NewSubmission(
            assignment=self.assignment,
            name=entry.file.name,
            sha256=entry.file.sha256,
            student=entry.student,
            path=entry.file.path,
            submitted_at=entry.submitted_at,
        )

    def book_known(self, contents: dict[str, Content]) -> set[str]:
        """Give every content that has today's result its grade; the SHA-256 of those."""
        keys = {sha256: result_key(self.keys.of_items(sha256)) for sha256 in contents}
        known = self.book.known(keys.values())
        done = {sha256 for sha256, key in keys.items() if key in known}
        pairs = [(row, keys[sha256]) for sha256 in done for row in contents[sha256].rows]
        for start in range(0, len(pairs), CHUNK):
            self.book.add_grades(pairs[start : start + CHUNK], author=self.author, reason=self.reason)
        return done

    def works(self, contents: Iterable[Content]) -> Iterator[Work]:
        """What is left to grade, found out one by one; nothing is left of some."""
        for content in contents:
            work = plan(
                content.file,
                self.keys,
                seed=self.seed,
                earlier=self.earlier(content.file.sha256),
                only=self.only,
            )
            if work is not None:
                yield work

    def earlier(self, sha256: str) -> Earlier | None:
        """What the book knows of a content."""
        found = self.book.latest_result(self.assignment, sha256)
        return None if found is None else Earlier(found.item_keys, found.record)

    def stored(self, work: Work, done: Done) -> tuple[StoredResult, Grade]:
        """A worker's record as the book keeps it."""
        grade = decode(done.record)
        earlier = self.earlier(work.sha256) if work.previous else None  # nothing else was taken over
        item_keys = keys_after(work, self.keys, earlier)
        result = StoredResult(
            key=result_key(item_keys),
            assignment=self.assignment,
            sha256=work.sha256,
            item_keys=item_keys,
            items=tuple(map(ItemPoints.of, grade.items)),
            prints=done.prints,
            record=done.record,
            earned=grade.earned,
            possible=grade.possible,
            decided=grade.decided,
        )
        return result, grade

    def settle(self, work: Work, done: Done | Lost, rows: Collection[int]) -> Ended:
        """Book an answer; what to tell of it. A result that waits for the author is booked, never reused."""
        if isinstance(done, Lost):
            why = f"{done.deaths} workers died on it ({done.reason}); grade it alone to see why"
            return Ended(work.name, EndedAs.LOST, why=why)
        if not done.record:
            kind = EndedAs.REFUSED if done.fault is Fault.STUDENT else EndedAs.ATTENTION
            return Ended(work.name, kind, why=done.error.removeprefix(f"{work.name}: "))
        result, grade = self.stored(work, done)
        if grade.attention:
            result = again_next_time(result)
        graded = rows if self.writes_grades else ()
        self.book.book(result, graded, author=self.author, reason=self.reason)
        return Ended(
            work.name,
            EndedAs.ATTENTION if grade.attention else EndedAs.GRADED,
            earned=grade.earned,
            decided=grade.decided,
            possible=grade.possible,
            why=grade.attention[0] if grade.attention else "",
            seconds=grade.seconds,
        )

    def run(self, pool: Pool, contents: dict[str, Content], works: Iterable[Work], tell: Tell) -> None:
        """Grade works; every answer is in the book before it is told."""

        def on_done(work: Work, done: Done | Lost) -> None:
            tell.ended(self.settle(work, done, contents[work.sha256].rows))

        pool.run(works, on_done, stop=tell.stop)


class Tell(Protocol):
    """Is told each end, and says when to take no more."""

    def ended(self, end: Ended) -> None:
        """A submission ended."""

    def stop(self) -> bool:
        """Whether no more are to be taken."""


def again_next_time(result: StoredResult) -> StoredResult:
    """The result under a key and item keys that no plan will ask for: what was broken may be mended."""
    item_keys = {item: f"needs attention: {key}" for item, key in result.item_keys.items()}
    return msgspec.structs.replace(result, item_keys=item_keys, key=result_key(item_keys))
