"""A marker's desk: which answers come next, what is known about them, and what becomes of a decision.

No HTML here, and no HTTP. What markers share is in the gradebook; a desk keeps only what one marker chose to
see and did last.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from grader.gradebook.marker_notes import Request
from grader.gradebook.marking import Conflict, Outdated, Saved
from grader.gradebook.rubrics import Held, LineVersion, Ruling, current
from grader.gradebook.store import Gradebook
from grader.model.assignment import Item
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.review.board import Board
from grader.review.classroom import Classroom, Unit
from grader.review.groups import Group, group_of, lines_in
from grader.review.guide import Guide, lines_given
from grader.review.similar import Forecast

LEASE_SECONDS = 300
"""How long an answer is kept for who looks at it; every look and every save begins anew."""
KEPT_ACTIONS = 200
CLEARLY = 0.9
"""The chance of a line from which on a mark that says otherwise is pointed out."""


class View(msgspec.Struct, frozen=True):
    """A unit as a marker sees it. ``held`` are the marks of its submissions, withdrawn ones too.

    ``holder`` is another marker who has it on their desk, ``flags`` who asks for a look, by submission.
    ``before`` are marks that students have for another answer, which they handed in earlier. ``suggested``
    are lines that similar answers got, ``wrong`` the bound on the share of the item's answers that would be
    wrong if all the rest got theirs; ``doubted`` says where a mark differs from similar answers' marks.
    ``group`` are unmarked answers that would get the same lines, itself if the unit is such a group.
    """

    item: Item
    unit: Unit
    lines: tuple[LineVersion, ...]
    newest_line: int
    held: dict[int, Held]
    ruling: Ruling
    holder: str
    flags: dict[int, tuple[str, str]]
    before: dict[int, Held]
    requests: tuple[Request, ...] = ()
    suggested: frozenset[int] = frozenset()
    wrong: float | None = None
    doubted: tuple[str, ...] = ()
    group: Group | None = None

    @property
    def is_group(self) -> bool:
        """Whether answers with different words are looked at as one."""
        return lines_in(self.unit.id) is not None

    @property
    def seen(self) -> dict[int, int]:
        """What a save of the unit has seen: each submission's own last row of marks, 0 for none."""
        own = {row: held for row, held in self.held.items() if held.mark.submission == row}
        return {row: own[row].row if row in own else 0 for row in self.unit.submissions}

    @property
    def open_submissions(self) -> tuple[int, ...]:
        """Those without a mark; all if every one has a mark, which is then looked at again."""
        left = tuple(row for row in self.unit.submissions if not is_marked(self.held.get(row)))
        return left or self.unit.submissions


class Progress(msgspec.Struct, frozen=True):
    """How far an item is: answers, how many have a mark, by whom, and how often which points were given."""

    answers: int
    marked: int
    by_marker: dict[str, int]
    points: dict[Points, int]
    units_left: int


class Desk:
    """One marker's. Several requests of the same browser may come at once."""

    def __init__(
        self,
        gradebook: Gradebook,
        room: Classroom,
        title: str,
        marker: str,
        *,
        board: Board | None = None,
        guide: Guide | None = None,
    ) -> None:
        self._marking = gradebook.marking(title)
        self._notes = gradebook.marker_notes(title)
        self._board = board or Board(self._marking)
        self._guide = guide or Guide(room)
        self.room = room
        self.marker = marker
        self.shows_names = False
        self._aside: dict[str, set[str]] = defaultdict(set)
        self._actions: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()

    # -- looking --------------------------------------------------------------------------------------

    def view(self, item_id: str, unit_id: str) -> View:
        """A unit, which is this marker's for some minutes unless it is another's. Raises UsageError."""
        item = self.item(item_id)
        versions = self.lines(item)
        held, before = self._held(item_id)
        every = self._marking.versions(item_id)
        forecast = self._guide.forecast(item_id, held, every)
        whole = lines_in(unit_id)
        likely = frozenset(forecast.likely(unit_id) if forecast else ()) if whole is None else whole
        group = self._group(item_id, likely, forecast, held)
        unit = self.room.unit(item_id, unit_id) if whole is None else (group.as_unit if group else None)
        if unit is None:
            raise UsageError(f"item {item_id} has no answer {unit_id!r}; was the class graded again?")
        holder = self._notes.lease(item_id, unit_id, holder=self.marker, seconds=LEASE_SECONDS)
        waits = is_open(unit, held)
        suggested = frozenset(one.row for one in versions if one.line in likely and waits)
        return View(
            item=item,
            unit=unit,
            lines=tuple(versions),
            newest_line=max((one.row for one in every), default=0),
            held={row: held[row] for row in unit.submissions if row in held},
            ruling=_first_ruling(unit, held, versions) if whole is None else Ruling(tuple(suggested)),
            holder="" if holder == self.marker else holder,
            flags={row: flag for row, flag in self._notes.flags(item_id).items() if row in unit.submissions},
            before={row: before[row] for row in unit.submissions if row in before},
            requests=tuple(
                one for one in self._notes.requests(item_id) if one.submission in unit.submissions
            ),
            suggested=suggested,
            wrong=None if forecast is None else forecast.wrong,
            doubted=() if waits else self._doubts(unit, held, every),
            group=group if waits else None,
        )

    def _group(
        self, item_id: str, lines: Collection[int], forecast: Forecast | None, held: Mapping[int, Held]
    ) -> Group | None:
        """What would get these lines of all that waits, that nobody else looks at or asks about."""
        if forecast is None:
            return None
        taken = self._others(item_id) | self._aside[item_id]
        asked = self._asked(item_id)
        units = (
            unit
            for unit in self.room.units[item_id]
            if unit.id not in taken
            and asked.isdisjoint(unit.submissions)
            and not any(is_marked(held.get(row)) for row in unit.submissions)
        )
        return group_of(units, forecast, lines)

    def _doubts(self, unit: Unit, held: Mapping[int, Held], every: Sequence[LineVersion]) -> tuple[str, ...]:
        """The lines about which a marked unit differs clearly from what similar answers got."""
        others = self._guide.without(unit.item, unit, held, every)
        given = lines_given([unit], held, every).get(unit.id)
        if others is None or given is None or unit.id not in others.chance:
            return ()
        return tuple(
            f"similar answers {'have' if chance >= CLEARLY else 'do not have'}: {line.text}"
            for line in current(every)
            if ((chance := others.chance[unit.id][line.line]) >= CLEARLY and line.line not in given)
            or (chance <= 1 - CLEARLY and line.line in given)
        )

    def _held(self, item_id: str) -> tuple[dict[int, Held], dict[int, Held]]:
        """The marks that answers have, and those that their students have for another answer.

        A mark for the same answer in an earlier file counts unless this submission has a mark of its own.
        """
        every = self._board.held(item_id)
        held = {row: one for row, one in every.items() if row in self.room.seats}
        before: dict[int, Held] = {}
        for row, several in self.room.earlier.items():
            for other in several:
                found = every.get(other.submission)
                if (
                    found is None
                    or not is_marked(found)
                    or (row in held and held[row].mark.submission == row)
                ):
                    continue
                kind = held if item_id in other.items else before
                if row not in kind or kind[row].row < found.row:
                    kind[row] = found
        return held, {row: one for row, one in before.items() if row not in held}

    def next_unit(self, item_id: str, *, after: str = "") -> Unit | None:
        """The next unit that waits for somebody and that nobody else looks at; None if there is none.

        Unmarked answers come first, then those that a colleague flagged or a student asks about, then what
        this marker put aside. ``after`` is looked at again only if nothing else is left.
        """
        (held, _), others = self._held(item_id), self._others(item_id)
        asked = self._asked(item_id)
        aside = self._aside[item_id]
        forecast = self._guide.forecast(item_id, held, self._marking.versions(item_id))
        tells = {} if forecast is None else forecast.tells
        left = [
            (unit.id == after, unit.id in aside, not is_unmarked, -tells.get(unit.id, math.inf), number)
            for number, unit in enumerate(self.room.units[item_id])
            if unit.id not in others
            and ((is_unmarked := is_open(unit, held)) or not asked.isdisjoint(unit.submissions))
        ]
        return self.room.units[item_id][min(left)[-1]] if left else None

    def _asked(self, item_id: str) -> set[int]:
        """The submissions that a colleague flagged, or whose student asks for another look."""
        flagged = {row for row, (who, _) in self._notes.flags(item_id).items() if who != self.marker}
        return flagged | {one.submission for one in self._notes.requests(item_id) if not one.reply}

    def _others(self, item_id: str) -> set[str]:
        return {unit for unit, holder in self._notes.leases(item_id).items() if holder != self.marker}

    def lines(self, item: Item) -> list[LineVersion]:
        """An item's rubric, begun from the manifest if this is the first look."""
        lines = self._marking.rubric(item.id)
        if not lines and item.rubric:
            self._marking.begin_rubric(item.id, [(line.points, line.text) for line in item.rubric])
            lines = self._marking.rubric(item.id)
        return lines

    def item(self, item_id: str) -> Item:
        """The item. Raises UsageError if it is none of those marked here."""
        found = self.room.item(item_id)
        if found is None:
            known = ", ".join(item.id for item in self.room.items)
            raise UsageError(f"item {item_id!r} is not marked here; there are {known}")
        return found

    def progress(self, item_id: str) -> Progress:
        """How far an item is."""
        units = self.room.units[item_id]
        rows = {row for unit in units for row in unit.submissions}
        held, _ = self._held(item_id)
        marks = [one.mark for row, one in held.items() if row in rows and is_marked(one)]
        return Progress(
            answers=len(rows),
            marked=len(marks),
            by_marker=dict(Counter(mark.author for mark in marks).most_common()),
            points=dict(sorted(Counter(mark.points for mark in marks if mark.points is not None).items())),
            units_left=sum(is_open(unit, held) for unit in units),
        )

    def comments(self, item_id: str, *, most: int = 30) -> list[str]:
        """The comments given for an item, most used first."""
        rulings = (one.ruling for one in self._board.held(item_id).values())
        used = Counter(ruling.comment for ruling in rulings if ruling is not None and ruling.comment)
        return [comment for comment, _ in used.most_common(most)]

    # -- deciding -------------------------------------------------------------------------------------

    def save(
        self, item_id: str, unit_id: str, ruling: Ruling, seen: Mapping[int, int], shown: int
    ) -> Outcome:
        """Give the seen answers of a unit this ruling; ``shown`` is the one whose plots were looked at.

        Raises UsageError for what cannot be.
        """
        item = self.item(item_id)
        origins = self._origins(item_id, unit_id, seen, shown)
        action = secrets.token_hex(8)
        found = self._marking.save(
            item_id, ruling, seen, item.points, author=self.marker, origins=origins, action=action
        )
        if isinstance(found, Saved):
            self._aside[item_id].discard(unit_id)
            self._remember(item_id, unit_id, action)
        return found

    def _origins(self, item_id: str, unit_id: str, seen: Collection[int], shown: int) -> dict[int, str]:
        """How each mark of a save comes about. Raises UsageError for answers that cannot be saved at once."""
        if lines_in(unit_id) is not None:
            known = {row for unit in self.room.units[item_id] for row in unit.submissions}
            origins = dict.fromkeys(seen, "group")
        else:
            unit = self.room.unit(item_id, unit_id)
            known = set(unit.submissions if unit else ())
            origins = dict.fromkeys(seen, "empty" if unit and unit.is_empty else "identical")
            origins |= {shown: "seen"} if shown in seen and unit and not unit.is_empty else {}
        if not seen or not known.issuperset(seen):
            raise UsageError("these answers are not of one unit; load the page again")
        return origins

    def undo(self) -> tuple[str, str, Saved | Conflict] | None:
        """Take back this marker's last action: its item, its unit, and what came of it; None without any."""
        with self._lock:
            if not self._actions:
                return None
            item_id, unit_id, action = self._actions.pop()
        possible = self.item(item_id).points
        new = secrets.token_hex(8)
        return item_id, unit_id, self._marking.undo(item_id, action, possible, author=self.marker, new=new)

    def _remember(self, item_id: str, unit_id: str, action: str) -> None:
        with self._lock:
            self._actions.append((item_id, unit_id, action))
            del self._actions[:-KEPT_ACTIONS]

    def put_aside(self, item_id: str, unit_id: str) -> None:
        """Leave a unit for the end of this marker's queue, and for others at once."""
        self._aside[item_id].add(unit_id)
        self._notes.release(self.marker, item=item_id)

    def flag(self, item_id: str, unit_id: str, *, words: str, raised: bool) -> None:
        """Ask a colleague to look at a unit, or say that it is settled."""
        for row in self.view(item_id, unit_id).unit.submissions:
            self._notes.flag(row, item_id, words=words, author=self.marker, raised=raised)

    def reply(self, item_id: str, unit_id: str, words: str) -> int:
        """Reply to a unit's open requests; how many there were. Raises UsageError for no words."""
        if not words.strip():
            raise UsageError("a reply needs words: the student reads them")
        waiting = [one for one in self.view(item_id, unit_id).requests if not one.reply]
        for request in waiting:
            self._notes.reply(request.row, words=words.strip(), author=self.marker)
        return len(waiting)

    def leave(self) -> None:
        """Give back what is on the desk."""
        self._notes.release(self.marker)

    # -- rubric ---------------------------------------------------------------------------------------

    def renewed(self, item_id: str, versions: Iterable[int]) -> tuple[int, ...]:
        """The same lines in their newest versions, without those that were taken away."""
        every = self._marking.versions(item_id)
        line_of = {one.row: one.line for one in every}
        now = {one.line: one.row for one in current(every)}
        lines = (line_of.get(version, 0) for version in versions)
        return tuple(sorted(now[line] for line in lines if line in now))

    def preview(self, item_id: str, line: LineVersion) -> dict[int, tuple[Held, Points]]:
        """Whose points a changed line would change."""
        return self._marking.preview_line(item_id, line, self.item(item_id).points)

    def change_line(self, item_id: str, line: LineVersion, *, seen: int) -> Saved | None:
        """Change or add a line and score anew; None if the rubric has changed since it was seen."""
        action = secrets.token_hex(8)
        line = msgspec.structs.replace(line, author=self.marker)
        points = self.item(item_id).points
        return self._marking.change_line(item_id, line, points, seen=seen, action=action)


Outcome = Saved | Conflict | Outdated


def is_marked(held: Held | None) -> bool:
    """Whether an answer has a mark that counts."""
    return held is not None and held.mark.points is not None


def is_open(unit: Unit, held: Mapping[int, Held]) -> bool:
    """Whether an answer of a unit has no mark."""
    return any(not is_marked(held.get(row)) for row in unit.submissions)


def _first_ruling(unit: Unit, held: Mapping[int, Held], lines: Sequence[LineVersion]) -> Ruling:
    """What the page begins with: the ruling that a marked unit has. Nothing while an answer waits.

    Who was taken out of a unit would otherwise get the others' mark by one key too many.
    """
    rulings = _rulings(held[row] for row in unit.submissions if row in held)
    if not rulings or is_open(unit, held):
        return Ruling()
    first = rulings[0]
    known = {line.row for line in lines}
    return msgspec.structs.replace(first, versions=tuple(row for row in first.versions if row in known))


def _rulings(held: Iterable[Held]) -> list[Ruling]:
    return [one.ruling for one in held if is_marked(one) and one.ruling is not None]
