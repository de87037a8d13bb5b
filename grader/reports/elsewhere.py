"""One grade as another system reads it: Gradescope, Classroom 50, a GitHub job, JUnit.

Students see all of it there, so it is made of what is safe to say, and of nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from grader.model.points import total
from grader.model.records import Grade
from grader.model.text import excerpt, one_line
from grader.reports import junit
from grader.reports.safe_words import SafeCheck, SafeGrade, SafeItem, safe_grade, said

_TICKS = re.compile("`+")
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@:])")
_PASSED, _FAILED, _OPEN = "✓", "✗", "–"
_UNREADABLE = "The submission can be read"


@dataclass(frozen=True)
class Format:
    """How a grade is written, and how a submission that cannot be read is: its name, and why."""

    graded: Callable[[Grade], str]
    refused: Callable[[str, str], str]


def gradescope(grade: Grade) -> str:
    """`results.json`: a test for each item, with its points where they are decided.

    Instructors alone see what was printed, whatever the assignment's settings say.
    """
    safe = safe_grade(grade)
    decided = total(item.earned for item in safe.items if item.decided)
    return _json(
        {
            **_GRADESCOPE,
            "score": float(decided.decimal),
            "execution_time": round(grade.seconds),
            "output": "\n".join((safe.total_line, *about_files(safe))),
            "tests": [gradescope_test(item) for item in safe.items],
        }
    )


_GRADESCOPE = {
    "output_format": "text",  # the default would be HTML
    "test_output_format": "text",
    "test_name_format": "text",
    "stdout_visibility": "hidden",
}


def gradescope_test(item: SafeItem) -> dict[str, object]:
    """One item; without a score it is shown and counts nothing, until a person has decided."""
    points: dict[str, object] = {}
    if item.decided:
        points = {"score": float(item.earned.decimal), "max_score": float(item.possible.decimal)}
    return {"number": item.item, "name": item.title, **points, "output": "\n".join(about_item(item))}


def gradescope_refused(name: str, why: str) -> str:
    """No points, and the reason, which is about the student's own file."""
    test = {"name": _UNREADABLE, "status": "failed", "output": said(f"{name}: {why}")}
    return _json({**_GRADESCOPE, "score": 0.0, "output": said(why), "tests": [test]})


def classroom50(grade: Grade) -> str:
    """What `result.json` says of the tests: each public check is one, worth 1."""
    checks = [(item, check) for item in safe_grade(grade).items for check in item.checks]
    tests = [
        {
            "test-name": f"{item.item} {check.title}",
            "passed": check.passed,
            "score": int(check.passed),
            "max-score": 1,
            "output": check.words,
        }
        for item, check in checks
    ]
    passed = sum(check.passed for _, check in checks)
    return _json({"score": passed, "max-score": len(tests), "tests": tests})


def classroom50_refused(name: str, why: str) -> str:
    """One test, that the file can be read, which fails."""
    test = {
        "test-name": _UNREADABLE,
        "passed": False,
        "score": 0,
        "max-score": 1,
        "output": said(f"{name}: {why}"),
    }
    return _json({"score": 0, "max-score": 1, "tests": [test]})


def job_summary(grade: Grade) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY`: a table of the checks, then what is said of those that failed."""
    safe = safe_grade(grade)
    lines = [
        f"## {marked(safe.assignment)}",
        "",
        f"**{marked(safe.total_line)}**",
        "",
        "| | item | check |",
        "|---|---|---|",
    ]
    checks = [(item, check) for item in safe.items for check in item.checks]
    lines += [f"| {sign(check)} | {marked(item.item)} | {marked(check.title)} |" for item, check in checks]
    for item, check in checks:
        if not check.passed:
            lines += [
                "",
                f"### {sign(check)} {marked(item.item)}: {marked(check.title)}",
                "",
                *fenced(check.words),
            ]
    about = list(about_files(safe))
    lines += ["", "### About your files", "", *fenced("\n".join(about))] if about else []
    return "\n".join(lines) + "\n"


def job_summary_refused(name: str, why: str) -> str:
    """The reason alone."""
    return "\n".join([f"## {_FAILED} {marked(name)}", "", *fenced(said(why))]) + "\n"


def marked(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    return _MARKS.sub(r"\\\1", one_line(text, 300))


def fenced(text: str) -> list[str]:
    """Lines of Markdown that show a text as it is; its own backticks cannot end it.

    A job's summary may have 1 MiB, so what is very long loses its middle.
    """
    text = excerpt(text, limit=4_000, lines=60)
    longest = max(map(len, _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", text, fence]


def sign(check: SafeCheck) -> str:
    """A character for how a check ended."""
    return _PASSED if check.passed else _FAILED if check.costs else _OPEN


def about_item(item: SafeItem) -> Iterator[str]:
    """What a student reads of an item: its checks, what it waits for, what its marker wrote."""
    yield from item.words
    for check in item.checks:
        yield f"{sign(check)} {check.title}" + (f": {check.words}" if check.words else "")
    if item.mark is not None and item.mark.comment:
        yield item.mark.comment


def about_files(safe: SafeGrade) -> Iterator[str]:
    """What is said of their files, and of cells that did not run through."""
    yield from safe.notices
    for cell in safe.cells:
        yield f"{cell.place}: {cell.how}" + (f": {cell.error}" if cell.error else "")


def junit_alone(grade: Grade) -> str:
    """JUnit XML of one submission."""
    return "".join(junit.suites([(grade.submission.name, grade)], []))


def junit_refused(name: str, why: str) -> str:
    """An error in place of the checks."""
    return "".join(junit.suites([], [(name, why)]))


def _json(whole: dict[str, object]) -> str:
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


FORMATS = {
    "gradescope": Format(gradescope, gradescope_refused),
    "classroom50": Format(classroom50, classroom50_refused),
    "github": Format(job_summary, job_summary_refused),
    "junit": Format(junit_alone, junit_refused),
}
