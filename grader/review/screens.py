"""The page's screens as HTML: Jinja2 with autoescape around what the desk says.

Nearly everything on them may be what a student wrote, so every expression is cleaned and escaped; exempt, as
``Markup``, is only what ``markup.answer_html`` made safe and what these templates rendered themselves.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment
from markupsafe import Markup

from grader.gradebook.marker_notes import Request, Trial
from grader.gradebook.rubrics import ORIGINS, Held, LineVersion, Ruling, signed
from grader.model import endings
from grader.model.assignment import Assignment, Item
from grader.model.errors import Outcome
from grader.model.points import Points
from grader.model.records import Grade
from grader.model.text import clean, one_line, plural
from grader.notebooks.questions import evidence_for
from grader.reports.markup import answer_html
from grader.reports.templates import environment
from grader.review.classroom import Answer, Seat, Unit
from grader.review.desk import View
from grader.review.groups import group_id
from grader.review.pictures import Plots
from grader.review.standing import Progress, Standing, is_marked

COMMANDS = "bcfghklmnrsux"
LINE_KEYS = "123456789" + "".join(one for one in "abcdefghijklmnopqrstuvwxyz" if one not in COMMANDS)
KEYS = (
    ("1 … 9, a …", "tick or untick a rubric line"),
    ("s", "tick the suggested lines"),
    ("g", "all answers that would get the same lines, to confirm at once"),
    ("Enter", "save and go on"),
    ("c", "comment; ↓ shows those used before"),
    ("x", "adjust the points, with a reason"),
    ("u", "undo the last save"),
    ("← b", "back to the answer before"),
    ("→", "forward again"),
    ("f", "flag for a colleague; settle a flag"),
    ("h", "hide: leave this answer for later"),
    ("m", "members of a group; Space unticks one, Esc leaves"),
    (", .", "plots and curves of another member"),
    ("l", "add, reword or reprice a rubric line"),
    ("r", "reply to a regrade request"),
    ("n", "show names, hide them"),
    ("k", "after a conflict: keep the other mark"),
    ("0", "all items"),
    ("?", "these keys"),
)
MOST_COMPARED = 1_200
"""Words of two answers that are compared: the time grows with their product."""


class Shown(msgspec.Struct, frozen=True):
    """What the desk knows about a unit, and what else its screen shows."""

    view: View
    shown: int
    question: str
    names: bool = False
    ruling: Ruling | None = None
    grade: Grade | None = None
    before: str | None = None
    conflict: Held | None = None
    problem: str = ""

    @property
    def seats(self) -> Mapping[int, Seat]:
        """Whose the answers are."""
        return self.view.standing.room.seats


def unit_url(item: str, unit: str, shown: int = 0) -> str:
    """Where a unit is shown."""
    return "/mark?" + urlencode({"item": item, "unit": unit, **({"shown": shown} if shown else {})})


def frame(body: Markup, *, title: str, assignment: str, marker: str) -> str:
    """A whole page around a screen."""
    return _render("frame.html.j2", body=body, title=title, assignment=assignment, marker=marker, keys=KEYS)


def overview(assignment: str, rows: Sequence[tuple[Item, Progress, int, float | None]]) -> Markup:
    """All items with how far they are, how many answers lack their file, and the bound on what is wrong."""
    left = sum(progress.answers - progress.marked for _, progress, _, _ in rows)
    shown = [
        {
            "item": item,
            "progress": progress,
            "key": LINE_KEYS[number] if number < 9 else "",  # noqa: PLR2004  # the digits
            "url": f"/mark?{urlencode({'item': item.id})}",
            "note": _about(progress, absent, bound),
        }
        for number, (item, progress, absent, bound) in enumerate(rows)
    ]
    total = "Every answer has its mark." if not left else f"{left:,} answers wait for a mark."
    return Markup(_render("overview.html.j2", assignment=assignment, rows=shown, total_left=total))  # noqa: S704


def _about(progress: Progress, absent: int, bound: float | None) -> str:
    said = [f"{name} {number}" for name, number in progress.by_marker.items()]
    if progress.units_left:
        said.insert(0, f"{progress.units_left} to look at")
        said += [f"with the suggested lines, {_percent(bound)} or fewer would be wrong"] if bound else []
    if absent:
        said.append(f"{absent} without the file that holds the answer: look there first")
    return " · ".join(said)


def finished(now: Standing, *, said: str, following: Item | None) -> Markup:
    """What follows the last answer of an item."""
    return Markup(  # noqa: S704  # rendered with autoescape
        _render(
            "finished.html.j2",
            item=now.item,
            said=said,
            distribution=distribution(now),
            next_url=f"/mark?{urlencode({'item': following.id})}" if following else "",
            next_name=f"{following.id} {following.title}" if following else "",
        )
    )


def distribution(now: Standing) -> Markup:
    """The points given so far, and how far several markers agree."""
    agreement = [
        {"text": one_line(line.text, 60), "agreed": agreed, "of": whole}
        for line, agreed, whole in now.opinions.agreement(now.versions)
    ]
    return Markup(_render("distribution.html.j2", progress=now.progress, agreement=agreement))  # noqa: S704


def unit(page: Shown, assignment: Assignment) -> Markup:
    """The screen of one unit."""
    view, here = page.view, page.view.unit
    ruling = page.ruling or view.ruling
    seat = page.seats[page.shown]
    rows = list(here.submissions)
    at = rows.index(page.shown)
    own = here.answers[at]
    several = len(rows) > 1 and not view.is_group
    alone = None if here.is_empty or view.is_group else here
    asked = {"item": view.item.id, "submission": page.shown}
    return Markup(  # noqa: S704  # rendered with autoescape
        _render(
            "unit.html.j2",
            view=view,
            unit=here,
            item=view.item,
            shown={"number": page.shown, "row": page.shown},
            seen=json.dumps(view.seen),
            here=unit_url(view.item.id, here.id, page.shown),
            plots_url="" if alone is None else f"/plots?{urlencode(asked)}",
            previous_url=unit_url(view.item.id, here.id, rows[at - 1]) if several else "",
            next_url=unit_url(view.item.id, here.id, rows[(at + 1) % len(rows)]) if several else "",
            progress=view.standing.progress,
            question=answer_html(page.question) if page.question else "",
            answer=answer_html(own.text),
            label=_label(seat, names=page.names),
            origin="" if view.hidden else _origin(view.held.get(page.shown)),
            difference=_difference(view.before.get(page.shown), page.before, own.text),
            members=[] if view.is_group else [_member(page, one, shown=own) for one in here.answers],
            ticked=len(view.open_submissions),
            lines=_lines(view.lines, ruling, view.suggested),
            bound=_percent(view.wrong),
            group=_group(page),
            doubted=view.doubted,
            ruling=ruling,
            comments=view.standing.comments(),
            opinions=[_opinion(view, one) for one in view.opinions],
            evidence=_evidence(None if alone is None else page.grade, evidence_for(assignment, view.item)),
            conflict=_conflict(page.conflict),
            problem=page.problem,
            flags=sorted(set(view.flags.values())),
            requests=[_request(page, one) for one in view.requests],
            names=page.names,
            distribution=distribution(view.standing),
        )
    )


def plots(found: Plots, groups: Sequence[tuple[str, str]], submission: int) -> str:
    """The plots of some items of a submission, each with its title."""
    shown = [
        {
            "title": title,
            "pictures": [
                {
                    "url": "/plot?" + urlencode({"submission": submission, "name": picture.name}),
                    "width": picture.width,
                    "height": picture.height,
                    "cell": picture.cell,
                }
                for picture in found.by_item.get(item, ())
            ],
            "charts": found.curves.get(item, ()),
        }
        for item, title in groups
    ]
    return _render("plots.html.j2", problem=found.problem, groups=shown)


def changes(affected: Mapping[int, tuple[Held, Points]], seats: Mapping[int, Seat], *, names: bool) -> Markup:
    """Whose points a changed line changes, and by how much."""
    rows = [
        {
            "label": _label(seats[row], names=names) if row in seats else "an earlier file",
            "before": held.mark.points,
            "after": after,
        }
        for row, (held, after) in affected.items()
    ]
    rows.sort(key=lambda row: str(row["label"]))
    changed = sum(row["before"] != row["after"] for row in rows)
    return Markup(_render("changes.html.j2", rows=rows, changed=changed))  # noqa: S704


def _label(seat: Seat, *, names: bool) -> str:
    return (
        f"{one_line(seat.name, 80)} ({seat.submission.student or 'nobody'})"
        if names
        else f"Student {seat.number}"
    )


def _request(page: Shown, one: Request) -> dict[str, object]:
    before, after = (("no mark" if points is None else points.in_words) for points in (one.before, one.after))
    return {
        "label": _label(page.seats[one.submission], names=page.names),
        "words": one.words,
        "before": before,
        "reply": one.reply,
        "by": one.replied_by,
        "after": after,
    }


def _origin(held: Held | None) -> str:
    if held is None or held.mark.points is None:
        return ""
    how = ORIGINS.get(held.origin, held.mark.reason)
    return f"marked {held.mark.points} by {held.mark.author}" + (f": {how}" if how else "")


def _member(page: Shown, own: Answer, *, shown: Answer) -> dict[str, object]:
    held = page.view.held.get(own.submission)
    shows = is_marked(held) and not page.view.hidden
    notes = []
    if own.text != shown.text:
        notes.append(f"wrote: {one_line(own.text, 90)}")
    elif own.digest != shown.digest:
        notes.append("other plots")
    return {
        "row": own.submission,
        "label": _label(page.seats[own.submission], names=page.names),
        "ticked": own.submission in page.view.open_submissions,
        "mark": f"has {held.mark.points} by {held.mark.author}" if shows and held else "",
        "note": ", ".join(notes),
    }


def _lines(
    lines: Sequence[LineVersion], ruling: Ruling, suggested: frozenset[int]
) -> list[dict[str, object]]:
    return [
        {
            "row": line.row,
            "line": line.line,
            "key": LINE_KEYS[number] if number < len(LINE_KEYS) else "",
            "hundredths": line.points.hundredths,
            "points": line.points,
            "worth": signed(line.points),
            "text": line.text,
            "short": one_line(line.text, 50),
            "ticked": line.row in ruling.versions,
            "suggested": line.row in suggested and line.row not in ruling.versions,
        }
        for number, line in enumerate(lines)
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _group(page: Shown) -> dict[str, object] | None:
    """The group that is shown, each unit with its words, or the one that can be."""
    group = page.view.group
    if group is None:
        return None
    found = {
        "url": unit_url(page.view.item.id, group_id(group.lines)),
        "answers": group.answers,
        "lines": group.lines,
        "wrong": _percent(group.wrong),
    }
    if not page.view.is_group:
        return found
    sample = [{**_together(page, one), "html": answer_html(one.text)} for one in group.sample]
    return {**found, "sample": sample, "rest": [_together(page, one) for one in group.rest]}


def _together(page: Shown, unit: Unit) -> dict[str, object]:
    """The answers of a unit in a group, to be taken out together."""
    others = len(unit.answers) - 1
    label = _label(page.seats[unit.submissions[0]], names=page.names)
    return {
        "rows": " ".join(map(str, unit.submissions)),
        "label": label + (f" and {others} {plural(others, 'other', 'others')}" if others else ""),
        "text": unit.text,
    }


def _opinion(view: View, one: Trial) -> dict[str, object]:
    """What a marker said about an answer on which they differ."""
    lines = [line for line in view.standing.versions if line.row in one.ruling.versions]
    said = [f"{signed(line.points)} {line.text}" for line in lines] or ["no line"]
    said += [f"{signed(one.ruling.adjustment)} {one.ruling.why}"] if one.ruling.why else []
    return {"who": one.author, "points": one.points.in_words, "said": [*said, one.ruling.comment]}


def _conflict(held: Held | None) -> dict[str, object] | None:
    if held is None:
        return None
    points = "withdrawn" if held.mark.points is None else held.mark.points.in_words
    return {"who": held.mark.author, "points": points, "words": held.mark.comment}


def _difference(held: Held | None, before: str | None, text: str) -> dict[str, object] | None:
    """What is new in an answer since another of this student's was marked."""
    if held is None:
        return None
    mark = f"{held.mark.points} by {held.mark.author}"
    old, new = clean(before or "", 50_000).split(), clean(text, 50_000).split()
    if before is None or len(old) > MOST_COMPARED or len(new) > MOST_COMPARED:
        return {"mark": mark, "parts": [("same", "the answers are too long to be compared here")]}
    parts = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", " ".join(old[a:b])))
        else:
            parts += [("gone", " ".join(old[a:b]))] * (a < b) + [("new", " ".join(new[c:d]))] * (c < d)
    return {"mark": mark, "parts": parts}


_SIGNS = {Outcome.PASSED: ("good", "✓"), Outcome.UNDECIDED: ("open", "…")}


def _evidence(grade: Grade | None, item: Item | None) -> dict[str, object] | None:
    """The verdict of the evidence that an answer comments on."""
    if grade is None or item is None:
        return None
    result = next((one for one in grade.items if one.item == item.id), None)
    if result is None:
        return None
    checks = []
    for check in result.checks:
        kind, sign = _SIGNS.get(check.outcome, ("wrong", "✗"))
        outcome = "" if check.outcome is Outcome.PASSED else endings.OUTCOMES[check.outcome]
        checks.append({"kind": kind, "sign": sign, "title": one_line(check.title, 200), "outcome": outcome})
    points = f"{result.earned} of {result.possible}" if result.decided else "not decided"
    return {
        "item": result.item,
        "title": result.title,
        "points": points if result.found else f"{points}; nothing was found",
        "checks": checks,
        "waits": f"waits for {result.waits_for}" if result.waits_for else "",
        "text": answer_html(result.answer) if result.answer.strip() else "",
    }


def _render(name: str, **values: object) -> str:
    return _templates().get_template(name).render(values)


@functools.cache
def _templates() -> Environment:
    return environment("grader.review", shown=_shown)


def _shown(text: str) -> str:
    return clean(text, 50_000)
