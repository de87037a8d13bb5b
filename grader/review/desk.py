"""A marker's desk: which answers come next, what is known about them, and what becomes of a decision.

No HTML here, and no HTTP. What markers share is in the gradebook; a desk keeps only what one marker chose to
see and did last.
"""

from __future__ import annotations

import functools
import math
import secrets
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from grader.gradebook.marker_notes import OPINION, SETTLED, Request, Trial
from grader.gradebook.marking import Conflict, Outdated, Saved
from grader.gradebook.rubrics import Held, LineVersion, Ruling, current
from grader.gradebook.store import Gradebook
from grader.model.assignment import Item
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.review.board import Board
from grader.review.classroom import EMPTY, Classroom, Unit
from grader.review.groups import Group, group_of, lines_in
from grader.review.guide import Guide, lines_given
from grader.review.leases import Leases
from grader.review.opinions import Opinions, Panel
from grader.review.standing import Progress, Standing, is_marked, marks_of_class

KEPT_ACTIONS = 200
CLEARLY = 0.9
"""The chance of a line from which on a mark that says otherwise is pointed out."""


class View(msgspec.Struct, frozen=True, dict=True):
    """A unit as a marker sees it; ``standing`` is that of its item. ``held`` are its submissions' marks.

    ``holder`` is another marker who has it on their desk, ``flags`` who asks for a look, by submission.
    ``suggested`` are lines that similar answers got; ``doubted`` says where a mark differs from those of
    similar answers. ``group`` are unmarked answers that would get the same lines, itself if the unit is such
    a group. While others' marks are ``hidden``, this marker says what they think without seeing them;
    ``opinions`` are what markers said if they differ.
    """

    standing: Standing
    unit: Unit
    ruling: Ruling
    held: dict[int, Held]
    holder: str
    flags: dict[int, tuple[str, str]]
    requests: tuple[Request, ...]
    suggested: frozenset[int]
    doubted: tuple[str, ...]
    group: Group | None
    hidden: bool
    opinions: tuple[Trial, ...]

    @property
    def item(self) -> Item:
        """The unit's item."""
        return self.standing.item

    @property
    def lines(self) -> list[LineVersion]:
        """The rubric's lines."""
        return self.standing.lines

    @property
    def before(self) -> Mapping[int, Held]:
        """Marks that students have for another answer, which they handed in earlier."""
        return self.standing.before

    @property
    def wrong(self) -> float | None:
        """The bound on the share of the item's answers that would be wrong if all the rest got theirs."""
        return None if self.standing.forecast is None else self.standing.forecast.wrong

    @property
    def newest_line(self) -> int:
        """The newest version of a line: what a change of the rubric has seen."""
        return max((one.row for one in self.standing.versions), default=0)

    @property
    def is_group(self) -> bool:
        """Whether answers with different words are looked at as one."""
        return lines_in(self.unit.id) is not None

    @property
    def seen(self) -> dict[int, int]:
        """What a save of the unit has seen: each submission's own last row of marks, 0 for none."""
        own = {row: held for row, held in self.held.items() if held.mark.submission == row}
        return {row: own[row].row if row in own else 0 for row in self.unit.submissions}

    @functools.cached_property
    def open_submissions(self) -> tuple[int, ...]:
        """Those without a mark; all if every one has a mark, which is then looked at again."""
        left = tuple(row for row in self.unit.submissions if not is_marked(self.held.get(row)))
        return left if left and not self.hidden else self.unit.submissions


class Desk:
    """One marker's. Several requests of the same browser may come at once.

    ``room`` is the class; whoever reads it anew puts it here, and says so in ``news``.
    """

    def __init__(
        self,
        gradebook: Gradebook,
        room: Classroom,
        title: str,
        marker: str,
        *,
        board: Board | None = None,
        guide: Guide | None = None,
        panel: Panel | None = None,
    ) -> None:
        self._marking = gradebook.marking(title)
        self._notes = gradebook.marker_notes(title)
        self._board = board or Board(self._marking, self._notes, Leases(self._notes, waits=True))
        self._guide = guide or Guide()
        self._panel = panel or Panel()
        self.room = room
        self.marker = marker
        self.shows_names = False
        self.news = ""
        self._aside: dict[str, set[str]] = defaultdict(set)
        self._actions: list[tuple[str, str, str]] = []
        self._looked: OrderedDict[tuple[str, str], Unit] = OrderedDict()
        self._lock = threading.Lock()

    # -- looking --------------------------------------------------------------------------------------

    def standing(self, item_id: str, *, guided: bool = True) -> Standing:
        """How an item stands now, without a forecast if that is not asked for.

        Raises UsageError if it is none of those marked here.
        """
        item, room = self.item(item_id), self.room
        units = room.units[item_id]
        notes, every, leases = self._board.look(item_id)
        if not current(notes.versions) and item.rubric:  # the first look
            self._marking.begin_rubric(item_id, [(line.points, line.text) for line in item.rubric])
            notes, every, leases = self._board.look(item_id)
        held, before = marks_of_class(room, item_id, every)
        return Standing(
            room=room,
            item=item,
            units=units,
            versions=notes.versions,
            held=held,
            before=before,
            flags=notes.flags,
            requests=notes.requests,
            leases=leases,
            opinions=Opinions.of(units, self._panel, notes.trials, held),
            forecast=self._guide.forecast(units, held, notes.versions) if guided else None,
        )

    def view(self, item_id: str, unit_id: str, now: Standing | None = None) -> View:
        """A unit, which is this marker's for some minutes unless it is another's. Raises UsageError."""
        now = now or self.standing(item_id)
        whole = lines_in(unit_id)
        forecast = now.forecast
        likely = whole
        if likely is None:
            likely = forecast.likely(unit_id) if forecast else frozenset()
        group = self._group(now, likely)
        unit = now.room.unit(item_id, unit_id) if whole is None else (group.as_unit if group else None)
        if unit is None:
            raise UsageError(f"item {item_id} has no answer {unit_id!r}; was the class graded again?")
        self._look_at(unit)
        holder = now.leases.get(unit_id, self.marker)
        if holder == self.marker:
            holder = self._board.leases.take(item_id, unit_id, self.marker)
        waits, hidden = now.is_open(unit), now.opinions.is_gathering(unit_id)
        suggested = frozenset(one.row for one in now.lines if one.line in likely and waits)
        given = now.opinions.given.get(unit_id, {})
        ruling = now.first_ruling(unit)
        if hidden:
            ruling = now.usable(given[self.marker].ruling) if self.marker in given else Ruling()
        return View(
            standing=now,
            unit=unit,
            ruling=ruling if whole is None else Ruling(tuple(suggested)),
            held={row: now.held[row] for row in unit.submissions if row in now.held},
            holder="" if holder == self.marker or hidden else holder,
            flags={row: flag for row, flag in now.flags.items() if row in unit.submissions},
            requests=tuple(one for one in now.requests if one.submission in unit.submissions),
            suggested=suggested,
            doubted=() if waits or hidden else self._doubts(now, unit),
            group=group if waits else None,
            hidden=hidden,
            opinions=tuple(given.values()) if now.differ(unit_id) else (),
        )

    def _look_at(self, unit: Unit) -> None:
        """Remember what this marker has seen: it can be saved though the class has changed since."""
        with self._lock:
            self._looked[unit.item, unit.id] = unit
            while len(self._looked) > KEPT_ACTIONS:
                self._looked.popitem(last=False)

    def _group(self, now: Standing, lines: frozenset[int]) -> Group | None:
        """What would get these lines of all that waits, that nobody else looks at or asks about."""
        if now.forecast is None:
            return None
        taken = now.others(self.marker) | self._aside[now.item.id]
        asked = now.asked(self.marker)
        units = (
            unit
            for unit in now.units
            if unit.id not in taken
            and asked.isdisjoint(unit.submissions)
            and now.marked.isdisjoint(unit.submissions)
        )
        return group_of(units, now.forecast, lines)

    def _doubts(self, now: Standing, unit: Unit) -> tuple[str, ...]:
        """The lines about which a marked unit differs clearly from what similar answers got."""
        others = self._guide.without(unit, now.units, now.held, now.versions)
        given = lines_given([unit], now.held, now.versions).get(unit.id)
        if others is None or given is None or unit.id not in others.chance:
            return ()
        return tuple(
            f"similar answers {'have' if chance >= CLEARLY else 'do not have'}: {line.text}"
            for line in now.lines
            if ((chance := others.chance[unit.id][line.line]) >= CLEARLY and line.line not in given)
            or (chance <= 1 - CLEARLY and line.line in given)
        )

    def next_unit(self, item_id: str, now: Standing | None = None, *, after: str = "") -> Unit | None:
        """The next unit that waits for this marker and that nobody else looks at; None if there is none.

        First come empty answers and those that every marker marks, then unmarked ones, then those that wait
        for a second opinion, on which markers differ, that a colleague flagged or a student asks about, then
        what this marker put aside. ``after`` is looked at again only if nothing else is left.
        """
        now = now or self.standing(item_id)
        others, asked = now.others(self.marker), now.asked(self.marker)
        aside = self._aside[item_id]
        tells = {} if now.forecast is None else now.forecast.tells
        left = []
        for number, unit in enumerate(now.units):
            opinion = now.opinions.waits_for(unit.id, self.marker)
            is_unmarked = unit.id in now.left
            calls = is_unmarked or opinion or now.differ(unit.id) or not asked.isdisjoint(unit.submissions)
            if unit.id in others or not calls:
                continue
            by_all = opinion and unit.id in now.opinions.first
            urgency = 0 if by_all or (unit.is_empty and is_unmarked) else 1 if is_unmarked else 2
            worth = 0.0 if by_all else -tells.get(unit.id, math.inf)
            left.append((unit.id == after, unit.id in aside, urgency, worth, number))
        return now.units[min(left)[-1]] if left else None

    def item(self, item_id: str) -> Item:
        """The item. Raises UsageError if it is none of those marked here."""
        found = self.room.item(item_id)
        if found is None:
            known = ", ".join(item.id for item in self.room.items)
            raise UsageError(f"item {item_id!r} is not marked here; there are {known}")
        return found

    def progress(self, item_id: str) -> Progress:
        """How far an item is."""
        return self.standing(item_id, guided=False).progress

    def bound(self, item_id: str) -> float | None:
        """The bound on what would be wrong if all the rest of an item got the suggested lines, if stated."""
        return self._guide.bound(item_id)

    # -- deciding -------------------------------------------------------------------------------------

    def save(
        self, item_id: str, unit_id: str, ruling: Ruling, seen: Mapping[int, int], shown: int
    ) -> Outcome:
        """Give the seen answers of a unit this ruling; ``shown`` is the one whose plots were looked at.

        Where several markers are asked, it is this one's opinion, and the mark only if there is none yet.
        Raises UsageError for what cannot be.
        """
        item = self.item(item_id)
        origins = self._origins(item_id, unit_id, seen, shown)
        purpose = self._purpose(item_id, unit_id)
        action = secrets.token_hex(8)
        found = self._marking.save(
            item_id,
            ruling,
            seen,
            item.most,
            author=self.marker,
            origins=origins,
            action=action,
            also=purpose,
        )
        if isinstance(found, Saved):
            self._aside[item_id].discard(unit_id)
            if found.rows:
                self._remember(item_id, unit_id, action)
        return found

    def _purpose(self, item_id: str, unit_id: str) -> str:
        """What a save of a unit is beside a mark."""
        if len(self._panel.markers) < 2:  # noqa: PLR2004  # nobody to agree with
            return ""
        now = self.standing(item_id, guided=False)
        return OPINION if now.opinions.is_gathering(unit_id) else SETTLED if now.differ(unit_id) else ""

    def _origins(self, item_id: str, unit_id: str, seen: Collection[int], shown: int) -> dict[int, str]:
        """How each mark of a save comes about. Raises UsageError for answers that cannot be saved at once."""
        if lines_in(unit_id) is not None:
            known = {row for unit in self.room.units[item_id] for row in unit.submissions}
            origins = dict.fromkeys(seen, "group")
        else:
            units = (self._looked.get((item_id, unit_id)), self.room.unit(item_id, unit_id))
            known = {row for unit in units if unit is not None for row in unit.submissions}
            origins = dict.fromkeys(seen, "empty" if unit_id == EMPTY else "identical")
            origins |= {shown: "seen"} if shown in seen and unit_id != EMPTY else {}
        if not seen or not known.issuperset(seen):
            raise UsageError("these answers are not of one unit; load the page again")
        return origins

    def undo(self) -> tuple[str, str, Saved | Conflict] | None:
        """Take back this marker's last action: its item, its unit, and what came of it; None without any."""
        with self._lock:
            if not self._actions:
                return None
            item_id, unit_id, action = self._actions.pop()
        possible = self.item(item_id).most
        new = secrets.token_hex(8)
        return item_id, unit_id, self._marking.undo(item_id, action, possible, author=self.marker, new=new)

    def _remember(self, item_id: str, unit_id: str, action: str) -> None:
        with self._lock:
            self._actions.append((item_id, unit_id, action))
            del self._actions[:-KEPT_ACTIONS]

    def put_aside(self, item_id: str, unit_id: str) -> None:
        """Leave a unit for the end of this marker's queue, and for others at once."""
        self._aside[item_id].add(unit_id)
        self._board.leases.release(self.marker, item=item_id)

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
        self._board.leases.release(self.marker)

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
        return self._marking.preview_line(item_id, line, self.item(item_id).most)

    def change_line(self, item_id: str, line: LineVersion, *, seen: int) -> Saved | None:
        """Change or add a line and score anew; None if the rubric has changed since it was seen."""
        action = secrets.token_hex(8)
        line = msgspec.structs.replace(line, author=self.marker)
        points = self.item(item_id).most
        return self._marking.change_line(item_id, line, points, seen=seen, action=action)


Outcome = Saved | Conflict | Outdated
