"""A grade as one self-contained HTML page: no script, nothing fetched, all untrusted text escaped.

The page is ``report.html.j2`` with ``report.css`` inside it. Nearly everything on it may be what a student
wrote, so safety does not depend on a template line remembering anything: every expression passes through
``_shown`` (no terminal sequences, control or bidirectional characters; bounded length) and then through
Jinja2's autoescape. Only three things are exempt, as ``Markup``: our own style sheet, figures as base64, and
answers, which ``prose.to_html`` makes safe.
"""

from __future__ import annotations

import base64
import functools
import re

import msgspec
from jinja2 import Template
from markupsafe import Markup, escape

from grader.model import endings
from grader.model.assignment import Limits
from grader.model.errors import Outcome
from grader.model.points import Points
from grader.model.records import CellResult, CellStatus, CheckResult, Figure, Grade, ItemResult
from grader.model.text import excerpt, one_line, plural
from grader.reports import summary
from grader.reports.about import About, Asked
from grader.reports.prose import to_html
from grader.reports.summary import State
from grader.reports.templates import environment, packaged

_HERE = "grader.reports"
_PAGE = "report.html.j2"
_TEXT_LIMIT, _TEXT_LINES = 12_000, 300
_LINE_LIMIT = 300
_MOST_FILES = 50
_MOST_BESIDE = 4
"""Figures that are on a page twice: with the evidence, and with an answer about it."""
_UNUSUAL = re.compile(r"[^A-Za-z0-9.-]")

_SIGNS = {State.FULL: "✓", State.PARTIAL: "◐", State.ZERO: "✗", State.WAITING: "…", State.ATTENTION: "!"}
_WORDS = {
    State.FULL: "full marks",
    State.PARTIAL: "part of the points",
    State.ZERO: "no points",
    State.WAITING: "awaits marking",
    State.ATTENTION: "needs attention",
}
_PUBLIC_WORDS = {
    State.FULL: "all checks pass",
    State.PARTIAL: "some checks pass",
    State.ZERO: "no check passes",
}

_UNITS = {
    "cell_seconds": "s a cell",
    "check_seconds": "s a check",
    "notebook_seconds": "s for the notebook",
    "total_seconds": "s in all",
    "memory_mb": "MiB of memory",
    "processes": "processes",
    "disk_mb": "MiB on disk",
}


class Segment(msgspec.Struct, frozen=True):
    """One part of the bar at the top: its kind, its points and its share in percent."""

    kind: str
    label: str
    points: Points
    percent: str


def prepare() -> None:
    """Compile the template now, which takes 0.07 s: forks of this process then have it."""
    _template()


def render(grade: Grade, about: About | None = None) -> str:
    """The whole page as HTML text, to be written as UTF-8. A pure function of its arguments."""
    known = about or About()
    return _template().render(
        grade=grade,
        student=known.student,
        title=Markup(title_of(known.student or grade.submission.name).decode()),  # noqa: S704  # escaped there
        asked={item.item: known.items.get(item.item, Asked()) for item in grade.items},
        evidence=_evidence(grade, known),
        public=summary.is_public(grade),
        items=summary.shown_items(grade),
        segments=segments(grade),
        bad_cells=[cell for cell in grade.cells if cell.status is not CellStatus.OK],
        other_figures=_other_figures(grade),
        notes=summary.notes(grade),
        facts=provenance(grade),
        css=Markup(packaged(_HERE, "report.css")),  # noqa: S704  # our own file
        total_line=summary.total_line(grade),
        no_isolation=summary.isolation_warning(grade),
    )


def title_of(whose: str) -> bytes:
    """How the title begins of a page that is headed by this student, or file."""
    return f"<title>{escape(_line(whose))}: ".encode()


def segments(grade: Grade) -> list[Segment]:
    """What became of the points: earned, lost, awaiting marking, needing attention; without empty parts.

    What an undecided item has earned so far counts as earned, its other points as open. In public mode the
    parts are the checks passed and not passed, one point each.
    """
    if summary.is_public(grade):
        passed, every = summary.checks_passed(grade.items)
        whole = Points.of(every)
        kinds = [("earned", "passed", Points.of(passed)), ("lost", "not passed", Points.of(every - passed))]
    else:
        whole = grade.possible
        kinds = [
            ("earned", "earned", grade.earned),
            ("lost", "not earned", summary.lost_points(grade)),
            ("waiting", "awaiting marking", summary.open_points(grade, State.WAITING)),
            ("attention", "needing attention", summary.open_points(grade, State.ATTENTION)),
        ]
    return [Segment(kind, label, points, percent(points, whole)) for kind, label, points in kinds if points]


def provenance(grade: Grade) -> list[tuple[str, str]]:
    """What the grade rests on, as pairs of a name and a value."""
    ran, handed_in = grade.environment, grade.submission
    budget = ", ".join(f"{name} = {value!r}" for name, value in grade.budget.items())
    packages = ", ".join(f"{name} {version}" for name, version in sorted(ran.packages.items()))
    verdict = summary.doctors_verdict(grade)
    tried = f", tried on {ran.doctor.tried_on}" if ran.doctor else "; `grade doctor` tries each promise"
    doctor = [("Doctor's verdict", verdict + tried)] if verdict else []
    return [
        ("Submission", f"{handed_in.name} ({handed_in.kind}, {handed_in.bytes:,} bytes)"),
        *_files(grade),
        ("Submission's SHA-256", handed_in.sha256),
        ("Assignment", grade.assignment),
        ("Assignment's SHA-256", grade.assignment_sha256),
        ("Graded at", f"{grade.graded_at}, in {grade.seconds:.1f} s"),
        ("Mode and seed", f"{grade.mode}, seed {grade.seed}"),
        ("Isolation", ran.isolation),
        *doctor,
        ("Limits", _limits(grade.limits)),
        ("Budget", budget or "none"),
        ("Versions", f"chainrule {ran.grader}, Python {ran.python}" + (f", {packages}" if packages else "")),
        ("Platform", ran.platform),
        ("Record", grade.schema),
    ]


def _files(grade: Grade) -> list[tuple[str, str]]:
    files = grade.submission.files
    shown = ", ".join(file.place for file in files[:_MOST_FILES])
    rest = f" and {len(files) - _MOST_FILES} more" if len(files) > _MOST_FILES else ""
    return [("Files", f"{shown}{rest}")] if files else []


def anchor(item: str) -> str:
    """A link target for an item's id: the id, with each unusual character replaced by its code."""
    return "item-" + _UNUSUAL.sub(lambda found: f"_{ord(found[0]):x}_", item)


def data_uri(figure: Figure) -> Markup:
    """The figure's bytes as a URL that needs no fetching. Base64 has nothing to escape."""
    return Markup("data:image/png;base64,") + base64.b64encode(figure.png).decode("ascii")


def _other_figures(grade: Grade) -> list[Figure]:
    """The figures that belong to no item."""
    seen = {(figure.cell, figure.png) for item in grade.items for figure in item.figures}
    return [figure for figure in grade.figures if (figure.cell, figure.png) not in seen]


def _evidence(grade: Grade, about: About) -> dict[str, tuple[Figure, ...]]:
    """The first figures of the evidence that an item is about, by item: they stand with its answer too."""
    figures = {item.item: item.figures for item in grade.items}
    return {
        item: found[:_MOST_BESIDE]
        for item, asked in about.items.items()
        if (found := figures.get(asked.evidence, ()))
    }


def percent(part: Points, whole: Points) -> str:
    """A share of points in percent, for a width in CSS."""
    return f"{100 * min(part, whole).hundredths / whole.hundredths:.3f}" if whole else "0"


def _share(item: ItemResult, public: bool) -> str:  # noqa: FBT001  # called only by the template
    passed, every = summary.checks_passed((item,))
    return percent(Points(passed), Points(every)) if public else percent(item.earned, item.possible)


def _limits(limits: Limits) -> str:
    return ", ".join(f"{getattr(limits, key):g} {_UNITS[key]}" for key in limits.__struct_fields__)


def _state_word(item: ItemResult, public: bool) -> str:  # noqa: FBT001  # called only by the template
    state = summary.state(item, public=public)
    return _PUBLIC_WORDS.get(state, _WORDS[state]) if public else _WORDS[state]


def _reason_label(check: CheckResult) -> str:
    if summary.lacks_evidence(check):
        return "What is missing"
    compared = check.outcome in {Outcome.FAILED, Outcome.UNSUPPORTED_VALUE}
    return "Expected, and what came" if compared else "What happened"


def _cell_words(cell: CellResult) -> str:
    return endings.CELLS[cell.status]


def _answer(markdown: str) -> Markup:
    return Markup(to_html(markdown))  # noqa: S704  # made safe by `to_html`


def _line(text: str) -> str:
    return one_line(text, _LINE_LIMIT)


def _shown(text: str) -> str:
    return excerpt(text, limit=_TEXT_LIMIT, lines=_TEXT_LINES)


@functools.cache
def _template() -> Template:
    page = environment(_HERE, shown=_shown)
    page.filters |= {"answer": _answer, "line": _line, "anchor": anchor, "data_uri": data_uri}
    page.globals |= {
        "cell_words": _cell_words,
        "checks_passed": summary.checks_passed,
        "faults": summary.FAULTS,
        "item_state": summary.state,
        "outcome_of": summary.outcome_of,
        "looked_for": summary.looked_for,
        "place_of": summary.place_of,
        "plural": plural,
        "reason_label": _reason_label,
        "share": _share,
        "signs": _SIGNS,
        "state_word": _state_word,
        "waiting_word": summary.waiting_word,
        "why_nothing": summary.why_nothing,
    }
    return page.get_template(_PAGE)
