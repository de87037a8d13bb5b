"""What `grade import` says it did: a page in Markdown, IMPORT.md, and a few lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.authoring.imported.bring import Brought
from grader.authoring.imported.trial import Form, Settled
from grader.model.points import total
from grader.model.text import counted

_READ = "Read these: they run beside the student's code, which could forge them"
_FREE = (
    "Passed by the untouched template, there as here; another check of the item has their points, if any has"
)


def converted(brought: Brought) -> tuple[int, int, int]:
    """How many hidden tests run apart, run beside student code, and were not converted."""
    settled = brought.trial.hidden
    beside = sum(one.form is not None and bool(one.form.review) for one in settled)
    kept = sum(one.form is not None for one in settled)
    return kept - beside, beside, len(settled) - kept


def lines(brought: Brought) -> Iterator[str]:
    """The outcome in a few lines."""
    apart, beside, left = converted(brought)
    course = brought.course
    points = total(item.points for item in course.items)
    by_hand = sum(item.written for item in course.items)
    items, tests = (
        counted(len(course.items), "item", "items"),
        counted(apart + beside + left, "test", "tests"),
    )
    yield f"{items} worth {points} points, {by_hand} of them for a person; {tests}"
    yield f"{apart} run apart from student code, {beside} beside it (marked REVIEW), {left} not converted"
    yield from _checked(brought)


def _checked(brought: Brought) -> Iterator[str]:
    yield from (f"The reference: {problem}" for problem in brought.trial.problems)
    if brought.leaks:
        yield f"No students' folder yet: {brought.leaks}"
    if brought.reference is not None:
        failed = len(brought.reference.failed)
        yield "The reference earns every point" if not failed else f"The reference fails {failed} checks"
    if (template := brought.template) is not None:
        gifts = ", ".join(sorted({item for item, _ in template.gifts}))
        said = (
            f"The untouched template earns points in {gifts}"
            if gifts
            else "The untouched template earns nothing"
        )
        yield f"No template: {template.problem}" if template.problem else said


def page(brought: Brought) -> str:
    """All of it, in Markdown."""
    parts = [
        f"# {_inline(brought.course.title)}: taken over from {brought.course.origin}",
        "",
        *(f"- {_inline(line)}" for line in lines(brought)),
        "",
        "Next: look through this page, then `grade check` (all seeds, and the public checks), then "
        "`grade audit`, which breaks the reference and shows what the checks miss.",
    ]
    hidden = brought.trial.hidden
    parts += _table(_READ, ((one, form.review) for one, form in _formed(hidden) if form.review))
    parts += _table("Not converted", ((one, one.why) for one in hidden if one.form is None))
    public = brought.trial.public
    parts += _table("Public tests not converted", ((one, one.why) for one in public if one.form is None))
    parts += _table(_FREE, ((one, "") for one, _ in _formed(hidden) if one.free))
    notes = [f"| {_inline(note.where)} | {_inline(note.text)} |" for note in brought.course.notes]
    parts += ["", "## Not as it was", "", "| where | what |", "|---|---|", *notes] if notes else []
    parts += _table("Converted", ((one, "") for one, form in _formed(hidden) if not form.review))
    return "\n".join([*parts, ""])


def _formed(settled: Iterable[Settled]) -> Iterator[tuple[Settled, Form]]:
    return ((one, one.form) for one in settled if one.form is not None)


def _table(title: str, rows: Iterable[tuple[Settled, str]]) -> list[str]:
    cells = ((one.test.where, one.test.name, one.test.item, why) for one, why in rows)
    found = [f"| {' | '.join(map(_inline, row))} |" for row in cells]
    head = ["", f"## {title}", "", "| where | test | item | why |", "|---|---|---|---|"]
    return [*head, *found] if found else []


def _inline(text: str) -> str:
    """Text of theirs within a table of Markdown."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
