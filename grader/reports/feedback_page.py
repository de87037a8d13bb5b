"""A student's feedback as one self-contained HTML page: their notebook, with what is said between its cells.

nbconvert leads through the notebook; the template, the escaping and the sanitising are ours, those of the
report (``templates``, ``prose``). No output of theirs but text and checked pictures is in the notebook.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from jinja2 import FunctionLoader
from markupsafe import Markup, escape
from nbconvert.exporters import TemplateExporter

from grader.model.points import ZERO, Points, total
from grader.model.text import excerpt, one_line, plural
from grader.reports.feedback_notebook import SIGNS, lost, points_words
from grader.reports.markup import answer_html, coloured
from grader.reports.page import Segment, anchor, percent
from grader.reports.safe_words import SafeGrade, SafeItem
from grader.reports.templates import clean_expressions, packaged

_HERE = "grader.reports"
_PAGE = "feedback.html.j2"
_ATTACHED = re.compile(r"!\[picture\]\(attachment:\d{1,4}\.png\)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
KEPT = 1_000
"""Texts of cells whose HTML is kept: most are the course's own, the same for the whole class."""
MOST_PROSE = 500_000
"""Characters of text cells that are set; a notebook with more is shown as it is written."""
FOLDED = 2
"""Cells in a row, as they were given, that are folded."""
_TEXT_LIMIT, _TEXT_LINES, _LINE_LIMIT = 20_000, 1_000, 400


class Told(msgspec.Struct, frozen=True):
    """What a page says: the grade as its student may know it, whose it is, what changed since and when."""

    grade: SafeGrade
    whose: str
    changes: Sequence[str] = ()
    since: str = ""


def render(notebook: Any, told: Told) -> str:
    """The page of a feedback notebook, as HTML text to be written as UTF-8.

    The cells that say something have ``metadata.chainrule``: "items" are ids of the grade's items, "cells"
    numbers of its cells; a cell of the student's has its "number" there.
    """
    items = {item.item: item for item in told.grade.items}
    cells = {(cell.file, cell.cell): cell for cell in told.grade.cells}
    prose = sum(len(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    facts = {
        "told": told,
        "items": items,
        "cells": cells,
        "segments": segments(told.grade),
        "plain": prose > MOST_PROSE,
    }
    html, _ = _exporter().from_notebook_node(notebook, resources=facts)
    return str(html)


def segments(grade: SafeGrade) -> list[Segment]:
    """The parts of the bar at the top: earned, not earned, not decided yet."""
    kinds = [
        ("earned", "earned", grade.earned),
        ("lost", "not earned", total(map(lost, grade.items))),
        ("waiting", "not decided yet", total(map(_open, grade.items))),
    ]
    return [
        Segment(kind, label, points, percent(points, grade.possible))
        for kind, label, points in kinds
        if points
    ]


def _open(item: SafeItem) -> Points:
    return ZERO if item.decided else max(ZERO, item.possible - item.earned)


@functools.lru_cache(maxsize=KEPT)
def code_html(source: str, first: int = 1) -> Markup:
    """Python with its colours and a number before each line, of which the ``first`` is given."""
    html = coloured(source, "python") or str(escape(source))
    lines = html.rstrip("\n").split("\n")
    rows = (f'<span class="row" data-line="{at}">{line}</span>' for at, line in enumerate(lines, start=first))
    return Markup("\n".join(rows))  # noqa: S704  # escaped by the one or the other


@functools.lru_cache(maxsize=KEPT)
def prose_html(source: str) -> Markup:
    """A text cell, as the marking page shows answers."""
    return answer_html(source)


def runs(cells: Sequence[Any]) -> list[tuple[bool, list[Any]]]:
    """The cells in runs, each with whether it may be folded: as it was given, with nothing said below it."""
    facts = [cell.metadata.get("chainrule", {}) for cell in cells]
    said = ["items" in one or "cells" in one for one in facts]
    folded = ["given" in one and not after for one, after in zip(facts, [*said[1:], False], strict=True)]
    found: list[tuple[bool, list[Any]]] = []
    for is_folded, several in groupby(zip(folded, cells, strict=True), key=itemgetter(0)):
        own = [cell for _, cell in several]
        found.append((is_folded and len(own) >= FOLDED, own))
    return found


def without_pictures(source: str) -> str:
    """A text without the links to its attachments, which a page shows below it."""
    return _ATTACHED.sub("", source)


def base64_only(text: str) -> Markup:
    """Base64 of a picture, whole; "" for anything else."""
    return Markup(text if _BASE64.fullmatch(text) else "")  # noqa: S704  # it holds no sign of HTML's


def _line(text: str) -> str:
    return one_line(text, _LINE_LIMIT)


def _shown(text: str) -> str:
    return excerpt(text, limit=_TEXT_LIMIT, lines=_TEXT_LINES)


@functools.cache
def _exporter() -> TemplateExporter:
    exporter = TemplateExporter(
        template_file=_PAGE,
        extra_loaders=[FunctionLoader(lambda name: packaged(_HERE, name) if name == _PAGE else None)],
        filters={
            "code": code_html,
            "prose": prose_html,
            "line": _line,
            "anchor": anchor,
            "base64": base64_only,
            "runs": runs,
            "without_pictures": without_pictures,
        },
        log=logging.getLogger("grader.feedback"),
    )
    clean_expressions(exporter.environment, shown=_shown)
    css = "\n".join(packaged(_HERE, name) for name in ("report.css", "feedback.css"))
    exporter.environment.globals |= {
        "css": Markup(css),  # noqa: S704  # our own files
        "plural": plural,
        "points_words": points_words,
        "signs": SIGNS,
    }
    return exporter
