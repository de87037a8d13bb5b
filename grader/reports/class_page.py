"""A class as one self-contained HTML page: no script, nothing fetched, all foreign text escaped.

The look is that of the report (``report.css``). Beside it only our pictures are exempt from escaping.
"""

from __future__ import annotations

import functools
from urllib.parse import quote

from jinja2 import Template
from markupsafe import Markup, escape

from grader.model.class_report import ClassReport, Mistake, Named
from grader.model.text import excerpt, one_line
from grader.reports import class_pictures as pictures
from grader.reports import class_summary as summary
from grader.reports.page import anchor
from grader.reports.templates import environment, packaged

_HERE = "grader.reports"
_PAGE = "class.html.j2"
_TEXT_LIMIT, _TEXT_LINES, _LINE_LIMIT = 4_000, 60, 300
_SHOWN, _MOST = 12, 200
"""Mistakes that are shown at once, and on the page at all."""
_NAMED = 12
"""Students that are named at once."""


def render(report: ClassReport) -> str:
    """The whole page as HTML text, to be written as UTF-8. A pure function of the report."""
    css = packaged(_HERE, "report.css") + packaged(_HERE, "class.css")
    drawn = (
        ("Points", pictures.distribution(report.scores)),
        ("Handed in", pictures.arrivals(report)),
        ("Items: how hard, how telling", pictures.item_map(report.items)),
    )
    return _template().render(
        report=report,
        css=Markup(css),  # noqa: S704  # our own files
        pictures=[(title, Markup(svg)) for title, svg in drawn if svg],  # noqa: S704  # drawn by us
        to_do=list(summary.to_do(report)),
        named=_folded(summary.named(report.mistakes)),
        nameless=_folded(summary.nameless(report.mistakes)),
        shared=[(summary.SHARED[kind], summary.shared_of(report, kind)) for kind in report.compared],
    )


def link_of(student: Named, item: str = "") -> str:
    """The place of a student's report, relative to this page, with an item's; "" if there is none."""
    if not student.page:
        return ""
    return quote(student.page) + (f"#{anchor(item)}" if item else "")


def _folded(mistakes: tuple[Mistake, ...]) -> tuple[tuple[Mistake, ...], tuple[Mistake, ...], int]:
    """Those that are shown, those behind a fold, and how many are left out."""
    return mistakes[:_SHOWN], mistakes[_SHOWN:_MOST], max(0, len(mistakes) - _MOST)


def _line(text: str) -> str:
    return one_line(text, _LINE_LIMIT)


def _shown(text: str) -> str:
    return excerpt(text, limit=_TEXT_LIMIT, lines=_TEXT_LINES)


def _coded(text: str) -> Markup:
    """A line with what stands between backticks as code."""
    parts = (
        f"<code>{escape(part)}</code>" if at % 2 else escape(part) for at, part in enumerate(text.split("`"))
    )
    return Markup("").join(map(Markup, parts))  # escaped above


def _width(share: float | None) -> str:
    return f"{100 * min(max(share or 0.0, 0.0), 1.0):.2f}"


@functools.cache
def _template() -> Template:
    page = environment(_HERE, shown=_shown)
    page.filters |= {"line": _line, "anchor": anchor, "coded": _coded}
    page.globals |= {
        "MOST": _MOST,
        "NAMED": _NAMED,
        "is_weak": summary.is_weak,
        "link_of": link_of,
        "number": summary.number,
        "of_all": summary.of_all,
        "percent": summary.percent,
        "remark": summary.remark,
        "width": _width,
    }
    return page.get_template(_PAGE)
