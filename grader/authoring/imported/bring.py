"""The whole way of an assignment from another system: tried, written, checked, reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from grader.authoring import template_folder
from grader.authoring.check import Planned, graded_in, reference_of, template_run
from grader.authoring.imported import writing
from grader.authoring.imported.described import Course, ForeignItem
from grader.authoring.imported.trial import Settled, Trial, settle
from grader.authoring.imported.writing import WrittenCheck
from grader.authoring.leaks import assert_nothing_leaks
from grader.authoring.template import build
from grader.files import write_whole
from grader.grading import assignment_folder
from grader.grading.execution import Progress
from grader.grading.opening import WarmProcesses
from grader.grading.pipeline import run_of
from grader.model.checked import ReferenceRun, TemplateRun
from grader.model.errors import TemplateError, UsageError
from grader.model.points import ZERO, Points, total
from grader.notebooks.cells import Cell

TEMPLATE = "student_template"


@dataclass(frozen=True)
class Brought:
    """What came of it: the course, how its tests were settled, and how the written assignment fares.

    ``leaks`` says why no template was written; ``reference`` and ``template`` are what `grade check` finds.
    """

    course: Course
    trial: Trial
    leaks: str = ""
    reference: ReferenceRun | None = None
    template: TemplateRun | None = None

    @property
    def good(self) -> bool:
        """Whether the assignment can be used as it is."""
        checked = self.reference is None or self.reference.good
        return checked and not self.leaks and (self.template is None or self.template.good)


def bring(
    course: Course,
    out: Path,
    *,
    run: Planned,
    warm: WarmProcesses,
    progress: Progress,
    on_run: Callable[[str], None] = lambda _what: None,
) -> Brought:
    """Write a course into the new folder ``out`` as an assignment of ours, and try it.

    Raises UsageError for a folder that holds anything, CannotGrade where nothing can be tried.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists and is not an empty folder; name a new one")
    trial = settle(course, run=run, warm=warm, progress=progress, on_run=on_run)
    items, hidden = with_points(course, trial.hidden)
    for place, data in _files(course, items, hidden, _public(trial.public)).items():
        write_whole(out / place, data)
    home = assignment_folder.load(out)
    try:
        made = build(home)
        assert_nothing_leaks(home, made)
        template_folder.write(out / TEMPLATE, made)
    except TemplateError as error:
        return Brought(course, trial, leaks=str(error))
    on_run("the assignment")
    graded = graded_in(home, reference_of(home), run, warm=warm, progress=progress)
    template = template_run(home, run, warm=warm, progress=progress)
    return Brought(course, trial, reference=run_of(graded, seed=run.seed), template=template)


def with_points(course: Course, settled: Iterable[Settled]) -> tuple[list[ForeignItem], list[WrittenCheck]]:
    """The items and their checks, whose points add up.

    The points of tests that were not converted, or that the untouched template passes, go to the item's other
    checks; an item without any check is marked by a person.
    """
    by_item: dict[str, list[Settled]] = {}
    for one in settled:
        by_item.setdefault(one.test.item, []).append(one)
    items, checks, taken = [], [], set[str]()
    for item in course.items:
        kept = [one for one in by_item.get(item.id, []) if one.form is not None]
        if not item.written and not kept:
            course.note(item.id, "none of its tests was converted: a person marks it")
        if course.origin == "pytest" and kept:  # nobody gave these points: what is left out is worth none
            worth = total(one.test.points for one in kept if not one.free)
            kept = kept if worth else []
            item = replace(item, points=worth or item.points)  # noqa: PLW2901
        items.append(item if item.written or kept else replace(item, written=True))
        for one, points in _shared(item, kept):
            form = one.form
            assert form is not None  # noqa: S101  # they were chosen for it
            name = writing.function_name(one.test, taken)
            checks.append(WrittenCheck(one.test, name, form.body, points, form.review))
    return items, checks


def _shared(item: ForeignItem, kept: list[Settled]) -> Iterator[tuple[Settled, Points]]:
    """Each check with its points."""
    can_share = any(not one.free for one in kept)
    worth = [ZERO if one.free and can_share else one.test.points for one in kept]
    heirs = [place for place, one in enumerate(kept) if not one.free] or list(range(len(kept)))
    missing = item.points.hundredths - total(worth).hundredths
    for place, (one, points) in enumerate(zip(kept, worth, strict=True)):
        extra = 0
        if place in heirs:
            at = heirs.index(place)
            extra = missing * (at + 1) // len(heirs) - missing * at // len(heirs)
        yield one, Points(points.hundredths + extra)


def _public(settled: Iterable[Settled]) -> list[WrittenCheck]:
    taken: set[str] = set()
    return [
        WrittenCheck(one.test, writing.function_name(one.test, taken), one.form.body, ZERO, one.form.review)
        for one in settled
        if one.form is not None
    ]


def _files(
    course: Course, items: list[ForeignItem], hidden: list[WrittenCheck], public: list[WrittenCheck]
) -> dict[str, bytes]:
    course = _without_idle_calls(course, {check.test.item for check in public})
    written = dict(writing.reference(course))
    written["assignment.toml"] = writing.manifest(course, items).encode()
    notebook_of = {item.id: item.notebook for item in course.items}
    for folder, checks in ((writing.HIDDEN, hidden), (writing.PUBLIC, public)):
        texts = writing.files_of_checks(checks, origin=course.origin, notebook_of=notebook_of)
        written |= {f"{folder}/{name}": text.encode() for name, text in texts.items()}
    return written


def _without_idle_calls(course: Course, public: set[str]) -> Course:
    """The course without cells that call public checks which could not be converted."""
    idle = [writing.own_check(item.id) for item in course.items if item.id not in public]
    notebooks = {
        name: tuple(_without(cell, idle) for cell in cells) for name, cells in course.notebooks.items()
    }
    kept = {name: tuple(cell for cell in cells if cell.source) for name, cells in notebooks.items()}
    return replace(course, notebooks=kept)


def _without(cell: Cell, calls: list[str]) -> Cell:
    call = next((call for call in calls if cell.source.endswith(call)), "")
    return replace(cell, source=cell.source.removesuffix(call).rstrip("\n")) if call else cell
