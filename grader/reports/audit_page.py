"""An audit as one self-contained HTML page: no script, nothing fetched, all foreign text escaped."""

from __future__ import annotations

import functools

from jinja2 import Template
from markupsafe import Markup

from grader.model.audit import Audit, Verdict
from grader.model.points import ZERO
from grader.model.text import excerpt, one_line
from grader.reports import audit_summary as summary
from grader.reports.templates import environment, packaged

_HERE = "grader.reports"
_PAGE = "audit.html.j2"
_TEXT_LIMIT, _TEXT_LINES, _LINE_LIMIT = 6_000, 80, 400


def render(audit: Audit) -> str:
    """The whole page as HTML text, to be written as UTF-8. A pure function of the record."""
    css = packaged(_HERE, "report.css") + packaged(_HERE, "audit.css")
    return _template().render(
        audit=audit,
        lines=summary.region_lines(audit),
        survivors=summary.survivors_by_region(audit),
        accepted=audit.of(Verdict.ACCEPTED),
        equivalent=audit.of(Verdict.EQUIVALENT),
        noticed=audit.of(*summary.NOTICED),
        charges=list(summary.charge_lines(audit)),
        others=list(summary.other_lines(audit)),
        score_line=summary.score_line(audit),
        zero=ZERO,
        css=Markup(css),  # noqa: S704  # our own files
    )


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """Each line of a diff with its kind: "added", "removed", "place" or ""."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    shown = excerpt(diff, limit=_TEXT_LIMIT, lines=_TEXT_LINES)
    return [(kinds.get(line[:1], ""), line) for line in shown.split("\n")]


def _shown(text: str) -> str:
    return excerpt(text, limit=_TEXT_LIMIT, lines=_TEXT_LINES)


def _line(text: str) -> str:
    return one_line(text, _LINE_LIMIT)


@functools.cache
def _template() -> Template:
    page = environment(_HERE, shown=_shown)
    page.filters |= {"line": _line, "diff_lines": diff_lines}
    page.globals |= {"miss_line": summary.miss_line}
    return page.get_template(_PAGE)
