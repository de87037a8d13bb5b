"""What a class handed in, and who handed it in: a folder or a zip file, with a roster if there is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from grader.course.arrivals import Times
from grader.course.locations import Locations
from grader.course.matching import Matcher, several, without_roster
from grader.course.packages import kept
from grader.course.report_files import UNPACKED
from grader.files import read_whole
from grader.gradebook.people import LOGIN, People, logins_of
from grader.gradebook.rows import Arrival, NewSubmission, Refusal, Student
from grader.gradebook.spreadsheets import Roster, read_roster
from grader.gradebook.store import Gradebook
from grader.handed_in.collect import Refused, Submission, collect
from grader.handed_in.package import Package
from grader.model.errors import UsageError
from grader.model.owner_hints import OwnerHint

NAMED = 3  # of those who handed in nothing


class Taken(msgspec.Struct, frozen=True):
    """One submission: its row for the gradebook, where its files are, and when it was handed in."""

    new: NewSubmission
    package: Package
    arrival: Arrival = Arrival()


class Intake(msgspec.Struct, frozen=True):
    """What can be graded, what cannot be, and the lines that somebody should read."""

    submissions: tuple[Taken, ...]
    refused: tuple[Refusal, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """What a person hands over beside the submissions: the roster, a table of times, and the zone of times.

    The zone is that of times which name none; empty for this machine's.
    """

    roster: Path | None = None
    times: Path | None = None
    zone: str = ""


@dataclass
class Found:
    """What a folder or zip holds, with a line for each surprise."""

    entries: list[Submission] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def take_in(path: Path, locations: Locations, gradebook: Gradebook, sources: Sources | None = None) -> Intake:
    """Everything in a folder or zip file, matched with the roster that is given now or was given earlier.

    What is inside zip files is kept below the reports. Raises UsageError if there is nothing at all, or a
    table cannot be read.
    """
    given = sources or Sources()
    roster = read_given_roster(given.roster, locations.title, gradebook)
    times = Times.of(given.times, given.zone, roster.times, source=given.roster)
    known = gradebook.students()
    logins = logins_of(gradebook, locations.title)
    matcher = Matcher(known.values(), logins=logins, numbers=gradebook.participants(locations.title))
    found = collected(path, locations)
    owners = owners_of(found, matcher, gradebook, locations.title)
    people = People(known, others=owners, logins=logins, place=gradebook.place)
    arrivals = times.arrivals(found.entries, owners, people)
    taken = tuple(
        Taken(
            NewSubmission(
                assignment=locations.title,
                name=entry.name,
                sha256=entry.sha256,
                student=student,
                path=kept(entry.package, locations.reports / UNPACKED),
                submitted_at=entry.submitted_at,
            ),
            entry.package,
            arrival,
        )
        for entry, student, arrival in zip(found.entries, owners, arrivals, strict=True)
    )
    theirs = [
        (one.new.student, one.new.name, one.arrival.submitted_at or one.new.submitted_at) for one in taken
    ]
    lines = [*found.lines, *times.lines, *several(entry for entry in theirs if entry[0])]
    refused = refusals(found.refused, matcher)
    if known:
        before = {row.student for row in gradebook.submissions(locations.title)}
        lines += absent(known, before | set(owners) | {one.student for one in refused})
    return Intake(taken, refused, tuple(lines))


def read_given_roster(path: Path | None, assignment: str, gradebook: Gradebook) -> Roster:
    """The roster that is given now, remembered from here on; an empty one without. Raises UsageError."""
    if path is None:
        return Roster([])
    content = read_whole(path, option="--roster")
    roster = read_roster(content, source=path.name)
    gradebook.add_roster(assignment, path.name, content)
    gradebook.add_students(roster.students)
    logins = {f"{LOGIN}{login}": student for login, student in roster.logins.items()}
    gradebook.add_participants(assignment, {**roster.numbers, **logins})
    return roster


def collected(path: Path, locations: Locations) -> Found:
    """The submissions and what cannot be graded. Raises UsageError if there is nothing to grade at all."""
    found = Found()
    for entry in collect(path, into=locations.reports / UNPACKED, expected=locations.home.expected):
        if isinstance(entry, Refused):
            found.refused += [] if entry.is_ours else [entry]
            found.lines.append(f"{entry.name}: {entry.why}")
        else:
            found.entries.append(entry)
            found.lines += [f"{entry.name}: {notice}" for notice in entry.notices]
    if not found.entries and len(found.refused) == 1:
        raise UsageError(f"{found.refused[0].name}: {found.refused[0].why}")
    if not found.entries and not found.refused:
        empty = f"{path}: holds no notebook (.ipynb) and no script (.py); name the folder of submissions"
        raise UsageError(next(iter(found.lines), empty))
    return found


def owners_of(found: Found, matcher: Matcher, gradebook: Gradebook, assignment: str) -> list[str]:
    """The id of each submission's student, "" for nobody's: what a person said counts before any match."""
    by_hand = {key: owner.student for key, owner in gradebook.owners(assignment).items()}
    said = [by_hand.get((entry.name, entry.sha256), "") for entry in found.entries]
    if not matcher.has_roster:
        return [own or without_roster(entry.who).id for own, entry in zip(said, found.entries, strict=True)]
    matched = owned_by_roster(found, said, matcher)
    return [own or match for own, match in zip(said, matched, strict=True)]


def owned_by_roster(found: Found, said: Sequence[str], matcher: Matcher) -> Iterator[str]:
    """The id of each submission's student; empty, and a line says why, if no student on the roster fits."""
    matches = matcher.match_all([entry.who for entry in found.entries])
    for entry, own, match in zip(found.entries, said, matches, strict=True):
        if match.student is None and not own:
            found.lines.append(f"{entry.name}: {match.why}; or `grade assign` it")
        yield match.student.id if match.student is not None else ""


def refusals(refused: Sequence[Refused], matcher: Matcher) -> tuple[Refusal, ...]:
    """What cannot be graded, each with the id of its student, "" if nothing says who that is."""
    hints = [entry.who for entry in refused]
    if matcher.has_roster:
        students = [match.student for match in matcher.match_all(hints)]
    else:
        students = [without_roster(hint) for hint in hints]
    return tuple(
        Refusal(entry.name, entry.why, student.id if student is not None and entry.who != OwnerHint() else "")
        for entry, student in zip(refused, students, strict=True)
    )


def absent(known: dict[str, Student], handed_in: set[str]) -> list[str]:
    """One line that counts who handed in nothing and names a few."""
    missing = [student for student in known.values() if student.id not in handed_in]
    if not missing:
        return []
    names = ", ".join(student.name or student.id for student in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return [f"{len(missing)} on the roster handed in nothing: {names}{more}"]


def same_content(submissions: Iterable[Taken]) -> Iterator[str]:
    """A line for each group of students whose files are the same, byte for byte."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for taken in submissions:
        groups[taken.new.sha256].setdefault(taken.new.student or taken.new.name, taken.new.name)
    for group in groups.values():
        if len(group) > 1:
            names = list(group.values())
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"{', '.join(names[:NAMED])}{more}: the same content, byte for byte"
