"""Rubric lines are the mark: what lines, an adjustment and a comment come to. Pure.

A line that is reworded or repriced gets a new version; a mark keeps the versions that it was given with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from grader.gradebook.rows import Mark
from grader.model.errors import UsageError
from grader.model.points import ZERO, Points, total

MOST_TEXT = 2_000
"""Characters of a line, a comment or a reason."""
MOST_LINES = 40
"""Lines of one item; more have no keys, and nobody reads them."""


class LineVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of a rubric line. ``row`` names the version, ``line`` the line, for good.

    ``points`` may be negative: a line for something that harms the answer.
    """

    line: int
    points: Points
    text: str
    row: int = 0
    retired: bool = False
    author: str = ""
    reason: str = ""
    at: str = ""


class Ruling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a marker decided: versions of rubric lines, an adjustment with a reason, a comment."""

    versions: tuple[int, ...] = ()
    adjustment: Points = ZERO
    why: str = ""
    comment: str = ""


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last row of marks for one answer, withdrawn or not, with the ruling that it rests on.

    ``row`` is what a later save says it has seen. ``ruling`` is None for a mark from a table or the command
    line. ``origin`` says how it came about (see ``ORIGINS``), ``action`` which rows were written at once.
    """

    row: int
    mark: Mark
    ruling: Ruling | None = None
    origin: str = ""
    action: str = ""


ORIGINS = {
    "seen": "a person looked at this answer",
    "identical": "a person looked at the same words of another student",
    "group": "a person confirmed a group of similar answers",
    "empty": "nothing was written",
    "rescored": "a rubric line changed",
    "undone": "the mark before it was put back",
}


def points_of(ruling: Ruling, lines: Iterable[LineVersion], possible: Points) -> Points:
    """The points: the lines' sum and the adjustment, from 0 to what the item is worth."""
    chosen = chosen_lines(ruling, lines)
    return min(max(total(line.points for line in chosen) + ruling.adjustment, ZERO), possible)


def chosen_lines(ruling: Ruling, lines: Iterable[LineVersion]) -> list[LineVersion]:
    """The lines of a ruling, in the rubric's order. Raises UsageError for one that is not among them."""
    by_row = {line.row: line for line in lines}
    if unknown := [str(version) for version in ruling.versions if version not in by_row]:
        raise UsageError(f"no such version of a rubric line: {', '.join(unknown[:3])}")
    return sorted((by_row[version] for version in set(ruling.versions)), key=lambda line: line.line)


def words_of(ruling: Ruling, lines: Iterable[LineVersion]) -> str:
    """What the student reads beside the points."""
    said = [f"{signed(line.points)}: {line.text}" for line in chosen_lines(ruling, lines)]
    if ruling.adjustment != ZERO:
        said.append(f"{signed(ruling.adjustment)}: {ruling.why}")
    return "\n".join([*said, *([ruling.comment] if ruling.comment else [])])


def signed(points: Points) -> str:
    """The points with their sign: +1, -0.5, 0."""
    return f"+{points}" if points > ZERO else str(points)


def assert_usable(ruling: Ruling) -> None:
    """Raises UsageError for an adjustment without a reason, or for texts longer than anybody reads."""
    if ruling.adjustment != ZERO and not ruling.why.strip():
        raise UsageError("an adjustment needs a reason: the student reads it")
    for name, text in (("comment", ruling.comment), ("reason", ruling.why)):
        if len(text) > MOST_TEXT:
            raise UsageError(f"the {name} has {len(text):,} characters; at most {MOST_TEXT:,} are kept")


def assert_line(line: LineVersion, others: Sequence[LineVersion]) -> None:
    """Raises UsageError for a line that cannot be one."""
    if not line.text.strip():
        raise UsageError("a rubric line needs a text: the student reads it")
    if len(line.text) > MOST_TEXT:
        raise UsageError(f"a rubric line has at most {MOST_TEXT:,} characters, not {len(line.text):,}")
    if len({line.line, *(other.line for other in others if not other.retired)}) > MOST_LINES:
        raise UsageError(f"an item has at most {MOST_LINES} rubric lines")


def rescored(
    held: Mapping[int, Held],
    before: Sequence[LineVersion],
    changed: LineVersion,
    possible: Points,
) -> dict[int, tuple[Ruling, Points]]:
    """What a changed line makes of the marks that have it, by submission: the ruling and its points.

    ``before`` are all versions of the item's lines; ``changed`` is the new one, whose row may be known (then
    the rulings name it) or 0. A retired line leaves the rulings.
    """
    old = {line.row for line in before if line.line == changed.line}
    found = {}
    for submission, one in held.items():
        if one.ruling is None or one.mark.points is None or not old & set(one.ruling.versions):
            continue
        kept = tuple(version for version in one.ruling.versions if version not in old)
        versions = kept if changed.retired else tuple(sorted((*kept, changed.row)))
        ruling = msgspec.structs.replace(one.ruling, versions=versions)
        found[submission] = ruling, points_of(ruling, [*before, changed], possible)
    return found


def current(versions: Iterable[LineVersion]) -> list[LineVersion]:
    """The newest version of each line, in the rubric's order, without retired lines."""
    newest = {one.line: one for one in versions}
    return [newest[number] for number in sorted(newest) if not newest[number].retired]


def put_back(
    mark: Mark, before: Held | None, versions: Sequence[LineVersion], possible: Points
) -> tuple[Mark, Ruling]:
    """The mark and ruling that undo ``mark``: those before it, with its lines as they are now."""
    if before is None or before.mark.points is None:
        return Mark(mark.submission, mark.item, None), Ruling()
    if before.ruling is None:
        return before.mark, Ruling(comment=before.mark.comment)
    line_of = {one.row: one.line for one in versions}
    now = {one.line: one for one in current(versions)}
    rows = (now[line].row for version in before.ruling.versions if (line := line_of[version]) in now)
    ruling = msgspec.structs.replace(before.ruling, versions=tuple(sorted(rows)))
    if set(ruling.versions) == set(before.ruling.versions):
        return before.mark, before.ruling
    points, words = points_of(ruling, versions, possible), words_of(ruling, versions)
    return Mark(mark.submission, mark.item, points, words), ruling
