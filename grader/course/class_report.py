"""A whole class from its gradebook: who handed in, how they did, what went wrong, what several share.

Records are read one after the other, and what is kept of each is small.
"""

from __future__ import annotations

import itertools
import math
import statistics
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import numpy as np

from grader.course.batch import shared_evidence
from grader.course.common_troubles import Troubles
from grader.course.item_figures import Array, discrimination
from grader.course.locations import Locations
from grader.course.marker_figures import CountingMarks
from grader.course.report_files import PAGE, report_name
from grader.course.shared_answers import Pile, Runs, alike, runs_of
from grader.course.similarity.classwide import similar_code
from grader.course.table import WAITING, ClassRow, Rules, class_rows
from grader.gradebook.policy import BY_UNKNOWN, LATE
from grader.gradebook.rows import Student
from grader.gradebook.store import Gradebook
from grader.model.class_report import ClassReport, HandedIn, ItemFigures, Named, Scores, Shared
from grader.model.points import ZERO, Points
from grader.model.records import Grade, decode
from grader.model.similarity import SimilarPair

Progress = Callable[[int, int], None]
"""Receives how many students, then submissions, are read, of how many."""
AT_ONCE = 50
"""Students whose records are read at a time."""


class Attendance:
    """How many handed in, and who did not, or what nobody can grade."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._named = defaultdict[str, list[Named]](list)

    def add(self, row: ClassRow, student: Named) -> None:
        """One more row."""
        grade, counts, names = row.grade, self._counts, self._named
        counts["students"] += bool(row.student.id)
        counts["submissions"] += grade is not None or bool(row.waits)
        if grade is not None:
            counts["graded"] += 1
            counts["late"] += row.lateness.words in (LATE, BY_UNKNOWN)
            counts["undecided"] += row.total is not None and not row.total.complete
        elif not row.waits:
            names["absent"].append(student)
        if row.awaits_batch:
            names["ungraded"].append(student)
        for one in row.attention:
            if _is_refused(row, one):
                names["unreadable"].append(_because(student, one))
            elif one[1] != WAITING:
                names["attention"].append(_because(student, one))

    def figures(self) -> HandedIn:
        """All of them."""
        counts, names = self._counts, self._named
        return HandedIn(
            counts["students"],
            counts["submissions"],
            counts["graded"],
            late=counts["late"],
            undecided=counts["undecided"],
            absent=tuple(names["absent"]),
            unreadable=tuple(names["unreadable"]),
            ungraded=tuple(names["ungraded"]),
            attention=tuple(names["attention"]),
        )


@dataclass
class Gathered:
    """What is kept of a class's rows, added one after the other: little of each."""

    items: Sequence[str]
    students: list[Named] = field(default_factory=list)
    files: dict[str, Named] = field(default_factory=dict)
    attendance: Attendance = field(default_factory=Attendance)
    marks: CountingMarks = field(default_factory=CountingMarks)
    earned: list[Points] = field(default_factory=list)
    awaiting: list[int] = field(default_factory=list)
    possible: Points = ZERO
    submitted: list[str] = field(default_factory=list)
    _points: array[float] = field(default_factory=lambda: array("d"))

    def add(self, row: ClassRow, student: Named) -> None:
        """One more."""
        self.students.append(student)
        self.attendance.add(row, student)
        if row.grade is not None:
            self.files[row.grade.submission.name] = student
            self.submitted += filter(None, [row.grade.submission.submitted_at])
        if row.total is not None:
            self.marks.add(row.total)
            self.earned.append(row.total.earned)
            self.awaiting.append(row.total.awaiting.hundredths)
            self.possible = max(self.possible, row.total.possible)
            decided = {item.item: item.earned for item in row.total.items if item.decided}
            self._points.extend(
                decided[item].hundredths / 100 if item in decided else math.nan for item in self.items
            )

    @property
    def points(self) -> Array:
        """The points of each submission (row) for each item (column), NaN where it is not decided."""
        return np.frombuffer(self._points).reshape(len(self.earned), len(self.items))


def class_report(
    gradebook: Gradebook,
    locations: Locations,
    rules: Rules | None = None,
    *,
    with_code: bool = True,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> ClassReport:
    """The class as the gradebook has it now; ``with_code`` its code is compared, which takes longest.

    Raises UsageError for rules that make no sense.
    """
    rule = rules or Rules()
    seen = Gathered([item.id for item in locations.home.assignment.item])
    troubles, answers = Troubles(seen.students), dict[str, Pile]()
    asked = {item: runs_of(text) for item, text in locations.home.questions.items()}
    everybody = len(gradebook.students()) if progress is not None else 0
    rows = class_rows(gradebook, locations.title, rule)
    while some := list(itertools.islice(rows, AT_ONCE)):
        for number, grade in read(gradebook, some, first=len(seen.students)):
            troubles.add(number, grade)
            for item, runs in answer_runs(grade, asked):
                answers.setdefault(item, Pile()).add(number, runs)
        for row in some:
            seen.add(row, named(row, locations))
        if progress is not None:
            progress(len(seen.students), max(everybody, len(seen.students)))
    code = similar_code(gradebook, locations, told=progress, shown=0)[0] if with_code else None
    empty = {item: len(seen.earned) - len(pile) for item, pile in answers.items()}
    return msgspec.structs.replace(
        counted(gradebook, locations, seen, rule, empty, now=now),
        mistakes=troubles.mistakes(),
        cells=troubles.cells(),
        shared=(
            *shared_answers(answers, seen.students),
            *evidence_shared(gradebook, locations, seen.files),
            *(code_shared(pair, seen.files) for pair in (code.pairs if code else ())),
        ),
        compared=("answer", "evidence", "code") if code else ("answer", "evidence"),
        notices=code.notices if code else (),
    )


def marks_followed(
    gradebook: Gradebook,
    locations: Locations,
    before: ClassReport,
    rules: Rules,
    *,
    now: datetime | None = None,
) -> ClassReport:
    """The report after more marks were given, and nothing else: no record is read again."""
    seen = Gathered([item.id for item in locations.home.assignment.item])
    for row in class_rows(gradebook, locations.title, rules):
        seen.add(row, named(row, locations))
    found = counted(gradebook, locations, seen, rules, {one.item: one.empty for one in before.items}, now=now)
    kept = ("mistakes", "cells", "shared", "compared", "notices")
    return msgspec.structs.replace(found, **{name: getattr(before, name) for name in kept})


def counted(
    gradebook: Gradebook,
    locations: Locations,
    seen: Gathered,
    rules: Rules,
    empty: Mapping[str, int],
    *,
    now: datetime | None,
) -> ClassReport:
    """What the rows alone tell; ``empty`` is how many answers to an item are."""
    return ClassReport(
        assignment=locations.title,
        made_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        deadline=rules.deadline,
        handed_in=seen.attendance.figures(),
        scores=scores(seen),
        items=tuple(item_figures(locations, seen.points, empty)),
        marking=seen.marks.figures(gradebook, locations.title),
        submitted=tuple(sorted(seen.submitted)),
    )


def named(row: ClassRow, locations: Locations) -> Named:
    """How a student is called, and the place of the page of what counts, if there is one."""
    file = row.grade.submission.name if row.grade is not None else row.waits
    page = f"{report_name(file)}/{PAGE}" if row.grade is not None else ""
    exists = bool(page) and (locations.reports / page).is_file()
    return Named(row.student.shown or file, page if exists else "")


def read(gradebook: Gradebook, rows: Sequence[ClassRow], *, first: int) -> Iterator[tuple[int, Grade]]:
    """The records of the submissions that count, with the numbers of their students, from ``first`` on."""
    holders: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, start=first):
        if row.grade is not None:
            holders[row.grade.key].append(number)
    for key, record in gradebook.records(holders):
        grade = decode(record)
        yield from ((number, grade) for number in holders[key])


def answer_runs(grade: Grade, asked: Mapping[str, Runs]) -> Iterator[tuple[str, Runs]]:
    """The runs of words of each written answer, without those of its question."""
    for item in grade.items:
        if item.kind == "written" and item.answer.strip():
            yield item.item, runs_of(item.answer, asked.get(item.item))


def _is_refused(row: ClassRow, about: tuple[str, str]) -> bool:
    return about[0] in {one.name for one in row.refused}


def _because(student: Named, about: tuple[str, str]) -> Named:
    return Named(student.student, student.page, f"{about[0]}: {about[1]}")


def scores(seen: Gathered) -> Scores:
    """The points so far. Quartiles as in R's default and numpy's (Hyndman and Fan, 1996, type 7)."""
    if not seen.earned:
        return Scores((), ZERO, ZERO)
    points = np.array([one.hundredths for one in seen.earned]) / 100
    lower, median, upper = (float(np.quantile(points, share)) for share in (0.25, 0.5, 0.75))
    return Scores(
        tuple(sorted(seen.earned)),
        seen.possible,
        Points(int(statistics.median(seen.awaiting))),
        float(points.mean()),
        median,
        lower,
        upper,
    )


def item_figures(locations: Locations, points: Array, empty: Mapping[str, int]) -> Iterator[ItemFigures]:
    """Each item of the assignment, of the submissions that are graded."""
    for number, item in enumerate(locations.home.assignment.item):
        own, worth = points[:, number], item.points.hundredths / 100
        own = own[~np.isnan(own)]
        undecided = len(points) - len(own)
        is_empty = item.kind == "written" and undecided
        yield ItemFigures(
            item.id,
            item.title,
            item.kind,
            item.points,
            full=int((own >= worth).sum()),
            part=int(((own > 0) & (own < worth)).sum()),
            none=int((own <= 0).sum()) if worth else 0,
            undecided=undecided,
            empty=max(0, empty.get(item.id, len(points))) if is_empty else 0,
            mean=float(own.mean() / worth) if len(own) and worth else None,
            discrimination=discrimination(points, number),
        )


def shared_answers(answers: Mapping[str, Pile], students: Sequence[Named]) -> Iterator[Shared]:
    """Answers that several students gave word for word, or nearly."""
    for item, pile in answers.items():
        for group, share in alike(pile.answers()):
            words = "the same words" if share == 1 else "nearly the same words"
            yield Shared("answer", item, tuple(students[number] for number in group), words, share)


def evidence_shared(
    gradebook: Gradebook, locations: Locations, files: Mapping[str, Named]
) -> Iterator[Shared]:
    """Recorded evidence that several students' submissions hold."""
    shared = list(shared_evidence(gradebook, locations.home.assignment))
    unknown = {name for one in shared for name in one.submissions if name not in files}
    people = gradebook.students() if unknown else {}
    rows = gradebook.submissions(locations.title) if unknown else ()
    owners = {row.name: row.student for row in rows if row.name in unknown}
    for one in shared:
        group = tuple(
            files.get(name) or Named(people.get(owners.get(name, ""), Student(name)).shown)
            for name in one.submissions
        )
        yield Shared("evidence", one.item, group, one.same.value[1])


def code_shared(pair: SimilarPair, files: Mapping[str, Named]) -> Shared:
    """A pair of submissions with much code in common, perhaps earlier ones of their students."""
    both = tuple(
        files.get(side.submission) or Named(Student(side.student, side.name).shown or side.submission)
        for side in (pair.left, pair.right)
    )
    return Shared("code", "", both, "of what few others have", pair.share)
