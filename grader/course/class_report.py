"""A whole class from its gradebook: who handed in, how they did, what went wrong, what several share.

Records are read one after the other, and what is kept of each is small.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from grader.course.batch import shared_evidence
from grader.course.common_troubles import Troubles
from grader.course.item_figures import Array, discrimination
from grader.course.locations import Locations
from grader.course.marker_figures import marking
from grader.course.report_files import PAGE, report_name
from grader.course.shared_answers import Runs, alike, runs_of
from grader.course.similarity.classwide import similar_code
from grader.course.table import WAITING, ClassRow, Rules, class_rows
from grader.gradebook.policy import BY_UNKNOWN, LATE
from grader.gradebook.rows import Student
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total
from grader.model.class_report import ClassReport, HandedIn, ItemFigures, Named, Scores, Shared
from grader.model.points import Points
from grader.model.records import Grade, decode
from grader.model.similarity import SimilarPair

Progress = Callable[[int, int], None]
"""Receives how many records, then submissions, are read, of how many."""
Answers = Mapping[str, Mapping[int, Runs]]
"""The runs of words of each answer, by item and then by the student's number."""


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
    rows = list(class_rows(gradebook, locations.title, rule))
    students = [named(row, locations) for row in rows]
    files = by_file(rows, students)
    troubles, answers = Troubles(students), dict[str, dict[int, Runs]]()
    read(gradebook, rows, locations, troubles, answers, progress)
    totals = [row.total for row in rows if row.total is not None]
    code = similar_code(gradebook, locations, told=progress, shown=0)[0] if with_code else None
    return ClassReport(
        assignment=locations.title,
        made_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        deadline=rule.deadline,
        handed_in=handed_in(rows, students),
        scores=scores(totals),
        items=tuple(item_figures(locations, totals, answers)),
        mistakes=troubles.mistakes(),
        cells=troubles.cells(),
        marking=marking(gradebook, locations.title, totals),
        shared=(
            *shared_answers(answers, students),
            *evidence_shared(gradebook, locations, files),
            *(code_shared(pair, files) for pair in (code.pairs if code else ())),
        ),
        compared=("answer", "evidence", "code") if code else ("answer", "evidence"),
        notices=code.notices if code else (),
        submitted=tuple(
            sorted(filter(None, (row.grade.submission.submitted_at for row in rows if row.grade)))
        ),
    )


def named(row: ClassRow, locations: Locations) -> Named:
    """How a student is called, and the place of the page of what counts, if there is one."""
    file = row.grade.submission.name if row.grade is not None else row.waits
    page = f"{report_name(file)}/{PAGE}" if row.grade is not None else ""
    exists = bool(page) and (locations.reports / page).is_file()
    return Named(row.student.shown or file, page if exists else "")


def read(
    gradebook: Gradebook,
    rows: Sequence[ClassRow],
    locations: Locations,
    troubles: Troubles,
    answers: dict[str, dict[int, Runs]],
    progress: Progress | None,
) -> None:
    """Read the record of each submission that counts."""
    holders: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        if row.grade is not None:
            holders[row.grade.key].append(number)
    asked = {item: runs_of(text) for item, text in locations.home.questions.items()}
    for done, (key, record) in enumerate(gradebook.records(holders), start=1):
        grade = decode(record)
        for number in holders[key]:
            troubles.add(number, grade)
        for item, runs in answer_runs(grade, asked):
            answers.setdefault(item, {}).update(dict.fromkeys(holders[key], runs))
        if progress is not None:
            progress(done, len(holders))


def answer_runs(grade: Grade, asked: Mapping[str, Runs]) -> Iterator[tuple[str, Runs]]:
    """The runs of words of each written answer, without those of its question."""
    for item in grade.items:
        if item.kind == "written" and item.answer.strip():
            yield item.item, runs_of(item.answer, asked.get(item.item))


def handed_in(rows: Sequence[ClassRow], students: Sequence[Named]) -> HandedIn:
    """How many handed in, and who did not, or what nobody can grade."""
    pairs = list(zip(rows, students, strict=True))
    graded = [row for row in rows if row.grade is not None]
    why = [(student, row, one) for row, student in pairs for one in row.attention]
    unreadable = [_because(student, one) for student, row, one in why if _is_refused(row, one)]
    return HandedIn(
        students=sum(bool(row.student.id) for row in rows),
        submissions=sum(row.grade is not None or bool(row.waits) for row in rows),
        graded=len(graded),
        late=sum(row.lateness.words in (LATE, BY_UNKNOWN) for row in graded),
        undecided=sum(row.total is not None and not row.total.complete for row in graded),
        absent=tuple(student for row, student in pairs if row.grade is None and not row.waits),
        unreadable=tuple(unreadable),
        ungraded=tuple(student for row, student in pairs if row.awaits_batch),
        attention=tuple(
            _because(student, one)
            for student, row, one in why
            if not _is_refused(row, one) and one[1] != WAITING
        ),
    )


def _is_refused(row: ClassRow, about: tuple[str, str]) -> bool:
    return about[0] in {one.name for one in row.refused}


def _because(student: Named, about: tuple[str, str]) -> Named:
    return Named(student.student, student.page, f"{about[0]}: {about[1]}")


def scores(totals: Sequence[Total]) -> Scores:
    """The points so far. Quartiles as in R's default and numpy's (Hyndman and Fan, 1996, type 7)."""
    earned = sorted(total.earned for total in totals)
    if not earned:
        return Scores((), Points(0), Points(0))
    points = np.array([one.hundredths for one in earned]) / 100
    lower, median, upper = (float(np.quantile(points, share)) for share in (0.25, 0.5, 0.75))
    return Scores(
        tuple(earned),
        max(total.possible for total in totals),
        Points(int(statistics.median(total.awaiting.hundredths for total in totals))),
        float(points.mean()),
        median,
        lower,
        upper,
    )


def item_figures(locations: Locations, totals: Sequence[Total], answers: Answers) -> Iterator[ItemFigures]:
    """Each item of the assignment, of the submissions that are graded."""
    items = locations.home.assignment.item
    points = _points([item.id for item in items], totals)
    for number, item in enumerate(items):
        own, worth = points[:, number], item.points.hundredths / 100
        own = own[~np.isnan(own)]
        undecided = len(totals) - len(own)
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
            empty=max(0, len(totals) - len(answers.get(item.id, {}))) if is_empty else 0,
            mean=float(own.mean() / worth) if len(own) and worth else None,
            discrimination=discrimination(points, number),
        )


def _points(items: Sequence[str], totals: Sequence[Total]) -> Array:
    """The points of each submission (row) for each item (column), NaN where it is not decided."""
    column = {item: number for number, item in enumerate(items)}
    points = np.full((len(totals), len(items)), np.nan)
    for row, total in enumerate(totals):
        for item in total.items:
            if item.decided and item.item in column:
                points[row, column[item.item]] = item.earned.hundredths / 100
    return points


def shared_answers(answers: Answers, students: Sequence[Named]) -> Iterator[Shared]:
    """Answers that several students gave word for word, or nearly."""
    for item, given in answers.items():
        for group, share in alike(given):
            words = "the same words" if share == 1 else "nearly the same words"
            yield Shared("answer", item, tuple(students[number] for number in group), words, share)


def evidence_shared(
    gradebook: Gradebook, locations: Locations, files: Mapping[str, Named]
) -> Iterator[Shared]:
    """Recorded evidence that several students' submissions hold."""
    people = gradebook.students()
    owners = {row.name: row.student for row in gradebook.submissions(locations.title)}
    for one in shared_evidence(gradebook, locations.home.assignment):
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


def by_file(rows: Iterable[ClassRow], students: Iterable[Named]) -> dict[str, Named]:
    """The students by the names of the submissions that count."""
    return {
        row.grade.submission.name: student
        for row, student in zip(rows, students, strict=True)
        if row.grade is not None
    }
