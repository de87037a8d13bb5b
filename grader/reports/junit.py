"""A class as JUnit XML, which every CI system shows: one suite per submission, one case per check.

CI shows it to whoever sees the run, so it says what students may read and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from grader.model.errors import Fault, Outcome
from grader.model.records import CheckResult, Grade, ItemResult
from grader.model.text import clean, one_line
from grader.reports import summary
from grader.reports.safe_words import check_words, safe_item, said

MAX_MESSAGE = 2_000
_NEVER = re.compile("[\ufffe\uffff]")  # characters that no XML may hold, and that cleaning keeps


def suites(grades: Iterable[tuple[str, Grade]], refused: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The document, piece by piece: each named grade, then each submission without a grade and the reason.

    A check that cost points is a failure. A check that could not be carried out is an error, and so is a
    submission that could not be graded. A written item that awaits marking is skipped.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="chainrule">\n'
    for name, grade in grades:
        yield suite(name, grade)
    for name, why in refused:
        label, words = attribute(one_line(name, 300)), attribute(said(why))
        yield (
            f'<testsuite name={label} tests="1" errors="1" failures="0" skipped="0">'
            f'<testcase classname={label} name="can be graded"><error message={words}/></testcase>'
            "</testsuite>\n"
        )
    yield "</testsuites>\n"


def suite(name: str, grade: Grade) -> str:
    """One submission."""
    cases = [case for item in summary.shown_items(grade) for case in cases_of(item)]
    counts = {
        kind: sum(f"<{tag}" in case for case in cases)
        for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    numbers = " ".join(f'{kind}="{count}"' for kind, count in counts.items())
    return (
        f'<testsuite name={attribute(one_line(name, 300))} tests="{len(cases)}" {numbers} '
        f'time="{grade.seconds:.3f}" timestamp={attribute(grade.graded_at)}>\n{"".join(cases)}</testsuite>\n'
    )


def cases_of(item: ItemResult) -> Iterator[str]:
    """The cases of one item: its checks, or one skipped case while it awaits marking."""
    for check in item.checks:
        yield case(item, check.title, outcome_of(check), seconds=check.seconds)
    if not item.checks:
        waits = " ".join(safe_item(item).words) or "not found"
        yield case(item, item.title, f"<skipped message={attribute(waits)}/>")


def case(item: ItemResult, title: str, inside: str, *, seconds: float = 0.0) -> str:
    """One test case."""
    name = attribute(one_line(title, 300))
    return (
        f'<testcase classname={attribute(item.item)} name={name} time="{seconds:.3f}">{inside}</testcase>\n'
    )


def outcome_of(check: CheckResult) -> str:
    """What is inside a check's case: nothing if it passed."""
    if check.outcome is Outcome.PASSED:
        return ""
    message = attribute(check_words(check))
    if check.outcome in (Outcome.UNDECIDED, Outcome.SKIPPED):
        return f"<skipped message={message}/>"
    tag = "failure" if check.fault is Fault.STUDENT else "error"
    return f"<{tag} type={attribute(str(check.outcome))} message={message}/>"


def attribute(text: str) -> str:
    """A quoted attribute that is valid XML, whatever a student wrote."""
    return quoteattr(_NEVER.sub("\ufffd", clean(text, MAX_MESSAGE)))
