"""What the page shows and does for a marker: from requests to the desk and back to screens. No HTTP here."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from markupsafe import Markup

from grader.gradebook.marking import Conflict, Outdated, Saved
from grader.gradebook.rubrics import LineVersion, Ruling
from grader.gradebook.store import Gradebook
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError
from grader.model.points import ZERO, Points
from grader.model.text import plural
from grader.notebooks.questions import evidence_for
from grader.review import screens
from grader.review.board import Board
from grader.review.classroom import Classroom, grade_of
from grader.review.desk import Desk, View
from grader.review.groups import lines_in
from grader.review.guide import Guide
from grader.review.opinions import Panel
from grader.review.pictures import Pictures
from grader.review.standing import Standing

KEPT_RECORDS = 16
"""Records that are kept decoded: each may take megabytes."""


class Place(msgspec.Struct, frozen=True):
    """Where a marker is: every request that does something says so."""

    item: str = ""
    unit: str = ""
    shown: int = 0


class Decision(Place, frozen=True):
    """What the browser sends to save."""

    lines: tuple[int, ...] = ()
    seen: dict[int, int] = {}
    comment: str = ""
    adjustment: str = ""
    why: str = ""

    @property
    def ruling(self) -> Ruling:
        """The ruling. Raises UsageError for an adjustment that is no number of points."""
        return Ruling(self.lines, _points(self.adjustment), self.why.strip(), self.comment.strip())


class LineChange(Place, frozen=True):
    """What the browser sends to add or change a rubric line; 0 is a new one."""

    line: int = 0
    points: str = ""
    text: str = ""
    reason: str = ""
    retired: bool = False
    newest: int = 0
    decision: Decision | None = None

    @property
    def version(self) -> LineVersion:
        """The line as it will be."""
        points = _points(self.points)
        return LineVersion(self.line, points, self.text.strip(), retired=self.retired, reason=self.reason)


class Flag(Place, frozen=True):
    """What the browser sends to flag an answer, or to settle a flag."""

    raised: bool = True
    words: str = ""


def _points(text: str) -> Points:
    try:
        return Points.of(text) if text.strip() else ZERO
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no number of points; write 1, 0.5 or -0.25") from None


class Page:
    """The page of one assignment: its class, and a desk for each marker.

    ``marked`` receives the students whose marks have changed.
    """

    def __init__(
        self,
        home: AssignmentFolder,
        gradebook: Gradebook,
        room: Classroom,
        *,
        marked: Callable[[Collection[str]], None],
        panel: Panel | None = None,
    ) -> None:
        self._home = home
        self._gradebook = gradebook
        self._room = room
        self._marked = marked
        self._grade = functools.lru_cache(KEPT_RECORDS)(functools.partial(grade_of, gradebook))
        self._pictures = Pictures(home)
        self._questions = home.questions
        self._board = Board(gradebook.marking(self.title), gradebook.marker_notes(self.title))
        self._guide = Guide()
        self._panel = panel or Panel()
        self._desks: dict[str, Desk] = {}
        self._lock = threading.Lock()

    @property
    def title(self) -> str:
        """The assignment's."""
        return self._home.assignment.title

    def desk(self, marker: str) -> Desk:
        """The marker's desk."""
        with self._lock:
            if marker not in self._desks:
                self._desks[marker] = Desk(
                    self._gradebook,
                    self._room,
                    self.title,
                    marker,
                    board=self._board,
                    guide=self._guide,
                    panel=self._panel,
                )
            return self._desks[marker]

    def renew(self, room: Classroom) -> None:
        """Go on with the class as it is now; what markers have before them can still be saved."""
        with self._lock:
            self._room = room
            for desk in self._desks.values():
                desk.room = room
                desk.news = f"the class was read anew: {len(room.seats):,} submissions count now"

    def news(self, desk: Desk, said: str = "") -> str:
        """What was said, and once what has changed beside the page."""
        with self._lock:
            news, desk.news = desk.news, ""
        return "; ".join(filter(None, (said, news)))

    # -- screens --------------------------------------------------------------------------------------

    def overview(self, desk: Desk) -> tuple[Markup, str]:
        """All items."""
        absent = desk.room.absent
        rows = [
            (item, desk.progress(item.id), len(absent.get(item.id, ())), desk.bound(item.id))
            for item in desk.room.items
        ]
        return screens.overview(self.title, rows), "/"

    def next(self, desk: Desk, item_id: str, *, after: str = "") -> tuple[Markup, str]:
        """The next answer of an item, or what follows the last one."""
        now = desk.standing(item_id)
        found = desk.next_unit(item_id, now, after=after)
        if found is not None:
            return self.unit(desk, item_id, found.id, now=now)
        desk.leave()
        left = now.progress.units_left
        said = "Every answer has its mark."
        if left:
            some = plural(left, "answer is", "answers are")
            said = f"{left} {some} on another marker's desk; nothing else is left."
        following = next((one for one in desk.room.items if desk.next_unit(one.id) is not None), None)
        return screens.finished(now, said=said, following=following), f"/mark?item={item_id}"

    def unit(
        self,
        desk: Desk,
        item_id: str,
        unit_id: str,
        shown: int = 0,
        *,
        now: Standing | None = None,
        **more: Any,
    ) -> tuple[Markup, str]:
        """One answer, or a group of them; what comes next if a group is no longer one."""
        now = now or desk.standing(item_id)
        try:
            view = desk.view(item_id, unit_id, now)
        except UsageError:
            if lines_in(unit_id) is None:
                raise
            return self.next(desk, item_id)
        row = shown if shown in view.unit.submissions else view.open_submissions[0]
        assignment = self._home.assignment
        commented = evidence_for(assignment, view.item)
        page = screens.Shown(
            view=view,
            shown=row,
            question=self._questions.get(item_id, ""),
            names=desk.shows_names,
            grade=self._grade(now.room.seats[row].key) if commented else None,
            before=self._before(view, row),
            **more,
        )
        return screens.unit(page, assignment), screens.unit_url(item_id, unit_id, row)

    def _before(self, view: View, row: int) -> str | None:
        """The answer that an earlier mark of this student's was for."""
        held = view.before.get(row)
        if held is None:
            return None
        several = view.standing.room.earlier[row]
        other = next(one for one in several if one.submission == held.mark.submission)
        grade = self._grade(other.key)
        items = () if grade is None else grade.items
        return next((one.answer for one in items if one.item == view.item.id), None)

    def plots(self, desk: Desk, item_id: str, submission: int) -> str:
        """The plots beside an answer, and those of the evidence that it comments on."""
        item = desk.item(item_id)
        seat = desk.room.seats.get(submission)
        if seat is None:
            raise UsageError(f"no submission {submission} counts; was the class graded again?")
        commented = evidence_for(self._home.assignment, item)
        groups = [(item.id, "In the answer")]
        groups += [(commented.id, f"Of {commented.id}")] if commented else []
        return screens.plots(self._pictures.of(seat), groups, submission)

    def plot(self, desk: Desk, submission: int, name: str) -> bytes | None:
        """One plot's PNG."""
        seat = desk.room.seats.get(submission)
        found = self._pictures.of(seat).named(name) if seat else None
        return found.png if found else None

    # -- deeds ----------------------------------------------------------------------------------------

    def save(self, desk: Desk, data: Decision) -> dict[str, Any]:
        """Save a decision and go on; a conflict or a changed rubric is shown instead."""
        here = (data.item, data.unit, data.shown)
        try:
            found = desk.save(data.item, data.unit, data.ruling, data.seen, data.shown)
        except UsageError as error:
            if desk.room.unit(data.item, data.unit) is None and lines_in(data.unit) is None:
                raise
            ruling = Ruling(data.lines, why=data.why, comment=data.comment)
            return _reply(self.unit(desk, *here, ruling=ruling, problem=str(error)), "not saved", bad=True)
        if isinstance(found, Conflict):
            other = next((held for held in found.now.values() if held is not None), None)
            return _reply(self.unit(desk, *here, ruling=data.ruling, conflict=other), "not saved", bad=True)
        if isinstance(found, Outdated):
            problem = "The rubric has changed meanwhile. Look at the lines again; nothing was saved."
            ruling = self._renewed(desk, data)
            return _reply(self.unit(desk, *here, ruling=ruling, problem=problem), "not saved", bad=True)
        self._follow(found)
        number = len(found.rows)
        said = (
            f"saved {number} {plural(number, 'answer', 'answers')}"
            if number
            else "kept as your opinion"
            if found.opinion
            else "as it was; nothing to save"
        )
        return _reply(self.next(desk, data.item, after=data.unit), said)

    def _renewed(self, desk: Desk, data: Decision) -> Ruling:
        """The decision with the lines as they are now."""
        versions = desk.renewed(data.item, data.lines)
        return msgspec.structs.replace(data.ruling, versions=versions)

    def undo(self, desk: Desk, data: Place) -> dict[str, Any]:
        """Undo this marker's last save and show its answer."""
        undone = desk.undo()
        if undone is None:
            here = self.unit(desk, data.item, data.unit, data.shown) if data.unit else self.overview(desk)
            return _reply(here, "nothing of yours to undo", bad=True)
        item, unit, found = undone
        if isinstance(found, Conflict):
            other = next((held for held in found.now.values() if held is not None), None)
            who = other.mark.author if other else "somebody"
            return _reply(self.unit(desk, item, unit), f"not undone: {who} has marked it since", bad=True)
        self._follow(found)
        return _reply(self.unit(desk, item, unit), "undone")

    def _follow(self, found: Saved) -> None:
        seats = (self._room.seats.get(row) for row in found.rows)
        self._marked({seat.submission.student for seat in seats if seat is not None})

    def aside(self, desk: Desk, data: Place) -> dict[str, Any]:
        """Leave an answer for later."""
        desk.put_aside(data.item, data.unit)
        return _reply(self.next(desk, data.item), "left for later")

    def names(self, desk: Desk, data: Place) -> dict[str, Any]:
        """Show or hide names."""
        desk.shows_names = not desk.shows_names
        return _reply(self.unit(desk, data.item, data.unit, data.shown), "")

    def flag(self, desk: Desk, data: Flag) -> dict[str, Any]:
        """Flag an answer, or settle its flag."""
        desk.flag(data.item, data.unit, words=data.words[:500], raised=data.raised)
        said = "flagged" if data.raised else "settled"
        return _reply(self.unit(desk, data.item, data.unit, data.shown), said)

    def reply(self, desk: Desk, data: Flag) -> dict[str, Any]:
        """Reply to a regrade request."""
        number = desk.reply(data.item, data.unit, data.words[:2000])
        said = f"replied to {number} {plural(number, 'request', 'requests')}"
        return _reply(self.unit(desk, data.item, data.unit, data.shown), said)

    def preview(self, desk: Desk, data: LineChange) -> dict[str, Any]:
        """Who would get other points."""
        try:
            affected = desk.preview(data.item, data.version)
        except UsageError as error:
            return {"html": str(Markup("<p class='problem'>{}</p>").format(str(error))), "fits": False}
        html = screens.changes(affected, desk.room.seats, names=desk.shows_names)
        return {"html": str(html), "fits": True}

    def line(self, desk: Desk, data: LineChange) -> dict[str, Any]:
        """Change a line; whoever has it is scored anew, and what is ticked stays ticked."""
        found = desk.change_line(data.item, data.version, seen=data.newest)
        ruling = self._renewed(desk, data.decision) if data.decision else None
        here = self.unit(desk, data.item, data.unit, data.shown, ruling=ruling)
        if found is None:
            return _reply(here, "not changed: the rubric has changed meanwhile; look again", bad=True)
        self._follow(found)
        number = len(found.rows)
        return _reply(here, f"the line is kept; {number} {plural(number, 'mark', 'marks')} changed")

    def leave(self, desk: Desk, data: Place) -> dict[str, Any]:
        """Give back what is on the desk."""
        del data
        desk.leave()
        return {}


def _reply(screen: tuple[Markup, str], said: str, *, bad: bool = False) -> dict[str, Any]:
    html, url = screen
    return {"html": str(html), "url": url, "said": said, "bad": bad}
