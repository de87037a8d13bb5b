"""Grades in the very sheets that Canvas and Moodle gave: filled in, and otherwise as they were.

Both systems skip what they do not like without a word, so what they would skip is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from grader.course.export import Leaver, Leaving
from grader.gradebook.spreadsheets import Lines, Sheet, parse_points, write_table
from grader.gradebook.worksheets import grade_columns
from grader.model.errors import UsageError
from grader.model.points import ZERO, Points

PLATFORMS = {
    "canvas": "Grades > Export > Export Entire Gradebook",
    "moodle": "the assignment > Submissions > Download grading worksheet",
}
"""The systems, each with where to get its sheet."""

_ASSIGNMENT = re.compile(r"(.*) \((\d{1,18})\)")
_GROUPED = re.compile(r"\d{1,3}(?:([,.])\d{3})(?:\1\d{3}){0,3}(?!\1)[,.]\d{1,5}")
_OURS, _END = '<div class="chainrule">', "</div>"
_EXCUSED = "ex"
LOCKED = "Moodle says that this grade cannot be changed: unlock it in its gradebook, or enter it there"


@dataclass(frozen=True)
class Wanted:
    """The assignment's title, the column that a person named ("" for none), and what to do about maxima.

    ``maximum`` is "same" if the other system's has to be ours, "scale", or "keep" for our points as they are.
    """

    title: str
    column: str = ""
    maximum: str = "same"


@dataclass(frozen=True)
class Filled:
    """The file's lines; as they are gone through, whose grades are in it, and who is not, with the reason.

    A byte order mark has Excel show names in every alphabet.
    """

    lines: Iterator[str]
    students: list[str]
    skipped: dict[str, str]
    encoding: str = "utf-8-sig"


def fill(form: str, sheet: Sheet | None, owners: Sequence[str], found: Leaving, wanted: Wanted) -> Filled:
    """A platform's sheet with the grades in it; ``owners`` are the students of its rows.

    Raises UsageError.
    """
    if sheet is None:
        raise UsageError(f"no roster to fill in: get the sheet ({PLATFORMS[form]}) and give it with --roster")
    return {"canvas": canvas, "moodle": moodle}[form](sheet, owners, found, wanted)


def canvas(sheet: Sheet, owners: Sequence[str], found: Leaving, wanted: Wanted) -> Filled:
    """A table for Canvas's import: who, as in its own export, and the one column of this assignment.

    Other assignments' columns would put back what has changed there since, so they are left out; and so are
    students who are undecided, or excused in Canvas. Raises UsageError.
    """
    names = [name.strip() for name in sheet.columns]
    people = next((place + 1 for place, name in enumerate(names) if "Section" in name), 0)
    if people < 3 or not ("Student" in names[0] or names[0] == "LastName"):  # noqa: PLR2004  # name, id, section
        raise UsageError(
            f"this sheet is not Canvas's; get it there ({PLATFORMS['canvas']}) and give it with --roster"
        )
    place = canvas_column(names, people, wanted)
    header = names[place] if place is not None else wanted.title
    filled, excused = list[str](), dict[str, str]()

    def rows() -> Iterator[list[object]]:
        maximum = found.rows.possible
        for owner, cells in zip(owners, sheet.rows, strict=True):
            old = cells[place].strip() if place is not None else ""
            if "Points Possible" in cells[0]:
                maximum = maximum_of(old, found.rows.possible, wanted.maximum, where=f"Canvas, {header}")
                yield [*cells[:people], maximum]
            elif owner in found.rows and old.casefold() == _EXCUSED:
                excused[owner] = "excused in Canvas"
            elif owner in found.rows:
                filled.append(owner)
                yield [*cells[:people], scaled(found.rows[owner], found.rows.possible, maximum, wanted)]

    separator = ";" if sheet.separator == ";" else ","  # Canvas knows these two
    lines = write_table([*names[:people], header], rows(), separator=separator)
    # Canvas knows a sheet with last names first by its very first bytes.
    return Filled(lines, filled, excused, "utf-8" if names[0] == "LastName" else "utf-8-sig")


def canvas_column(names: Sequence[str], people: int, wanted: Wanted) -> int | None:
    """The assignment's column: the one that is named, else the one of its title; None for a new one.

    Raises UsageError where a sheet has columns of assignments and none is this one's: Canvas would make a
    second assignment.
    """
    titles = {place: found[1] for place, name in enumerate(names) if (found := _ASSIGNMENT.fullmatch(name))}
    titles = {place: name for place, name in titles.items() if place >= people}
    word = wanted.column or wanted.title
    fits = [place for place, name in titles.items() if word in (names[place], name)]
    if len(fits) == 1:
        return fits[0]
    if titles or wanted.column:
        many = "several columns" if fits else "no column"
        raise UsageError(
            f"Canvas's sheet has {many} called {word!r}; name the right one with --column: "
            f"{some(names, titles) or 'it has none at all'}"
        )
    return None


def some(names: Sequence[str], places: Iterable[int]) -> str:
    """The first few columns, for a message."""
    shown = [repr(names[place]) for place in places]
    return ", ".join(shown[:10]) + (", ..." if len(shown) > 10 else "")  # noqa: PLR2004  # what a person reads


def moodle(sheet: Sheet, owners: Sequence[str], found: Leaving, wanted: Wanted) -> Filled:
    """The teacher's own worksheet with grades and comments filled in; every other cell stays as it is.

    Grades that Moodle's import would skip are left out: those above the maximum, and locked ones. Raises
    UsageError for another sheet.
    """
    places = grade_columns(sheet.columns, sheet.rows)
    if places is None:
        raise UsageError(
            "this sheet is not a grading worksheet with points; get it there "
            f"({PLATFORMS['moodle']}) and give it with --roster"
        )
    possible, written, skipped = found.rows.possible, list[str](), dict[str, str]()
    maximum = maximum_of(places.possible, possible, wanted.maximum, where="Moodle")

    def rows() -> Iterator[list[object]]:
        for owner, cells in zip(owners, sheet.rows, strict=True):
            filled: list[object] = [*map(Lines, cells)]
            if owner in found.rows:
                row = found.rows[owner]
                points = scaled(row, possible, maximum, wanted)
                if why := moodle_skips(points, maximum, is_locked=places.is_locked(cells)):
                    skipped[owner] = why
                else:
                    written.append(owner)
                    filled[places.grade] = points
                    if places.comments is not None:
                        filled[places.comments] = Lines(comment(cells[places.comments], row))
            yield filled

    return Filled(write_table([*map(Lines, sheet.columns)], rows()), written, skipped)


def moodle_skips(points: Decimal, maximum: Points, *, is_locked: bool) -> str:
    """Why Moodle's import would skip a grade; "" if it would not."""
    if is_locked:
        return LOCKED
    return f"{points} is above the maximum in Moodle, whose import would skip it" * (points > maximum.decimal)


def comment(before: str, row: Leaver) -> str:
    """The cell of comments, as HTML on one line: what a teacher wrote there stays, before our own part."""
    above, _, rest = before.partition(_OURS)
    kept = f"{above}{rest.partition(_END)[2]}".strip()
    return f"{kept} {_OURS}{row.comment}{_END}".strip()


def maximum_of(cell: str, possible: Points, rule: str, *, where: str) -> Points:
    """The other system's maximum. Raises UsageError if it is another than ours and nobody said what then."""
    is_grouped = _GROUPED.fullmatch(cell)  # 1,000.00
    plain = cell.replace(is_grouped[1], "") if is_grouped else cell
    theirs = parse_points(plain, where=f"{where}: the maximum")
    if theirs is None:
        return possible
    if rule == "scale" and theirs == ZERO:
        raise UsageError(
            f"{where}: the maximum there is 0, and everybody would get 0; change it there, or keep"
        )
    if rule == "same" and possible not in (theirs, ZERO):
        raise UsageError(
            f"{where}: the maximum there is {theirs}, and this assignment is worth {possible}; change it "
            "there, or add --maximum scale (or keep, for the points as they are)"
        )
    return theirs


def scaled(row: Leaver, possible: Points, maximum: Points, wanted: Wanted) -> Decimal:
    """The points that count; of ``maximum`` instead of ``possible`` if that is wanted, to two decimals."""
    if wanted.maximum != "scale" or maximum == possible:
        return row.final.decimal
    exact = row.final.decimal * maximum.decimal / possible.decimal
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
