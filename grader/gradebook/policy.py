"""Which of a student's submissions counts, and what being late costs. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from grader.gradebook.rows import Arrival
from grader.model.errors import UsageError
from grader.model.points import Points


class Candidate(msgspec.Struct, frozen=True):
    """A submission that may be the one that counts.

    ``order`` grows as submissions are received; ``submitted_at`` is empty if the time is not known.
    """

    order: int
    submitted_at: str
    earned: Points


Choice = Callable[[Sequence[Candidate]], Candidate]


def moment(text: str) -> datetime | None:
    """The time that an ISO 8601 text means, in UTC if it names no zone; None for an empty text.

    Raises UsageError for anything else.
    """
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a time; write it as 2026-11-30T23:59 or 2026-11-30T23:59+01:00"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def latest(submissions: Sequence[Candidate]) -> Candidate:
    """The one handed in last; if no time is known, the one received last."""
    return max(submissions, key=_when)


def best(submissions: Sequence[Candidate]) -> Candidate:
    """The one with the most points; of equal ones the latest."""
    return max(submissions, key=lambda entry: (entry.earned, *_when(entry)))


def before(deadline: datetime) -> Choice:
    """The last one handed in by the deadline; if all are late, the first."""

    def choose(submissions: Sequence[Candidate]) -> Candidate:
        on_time = [entry for entry in submissions if _is_on_time(entry, deadline)]
        return max(on_time, key=_when) if on_time else min(submissions, key=_when)

    return choose


def choice(name: str, deadline: str = "") -> Choice:
    """The choice called latest, best or deadline. Raises UsageError for any other name."""
    if name == "deadline":
        when = moment(deadline)
        if when is None:
            raise UsageError("choosing by deadline needs --deadline, for example 2026-11-30T23:59+01:00")
        return before(when)
    known: dict[str, Choice] = {"latest": latest, "best": best}
    if name not in known:
        raise UsageError(f"{name!r} is none of latest, best and deadline")
    return known[name]


def late_days(submitted_at: str, deadline: str, *, grace: timedelta = timedelta(0)) -> int:
    """Started days after the deadline; 0 within the grace time, or if either time is unknown."""
    submitted, due = moment(submitted_at), moment(deadline)
    if submitted is None or due is None or submitted <= due + grace:
        return 0
    return math.ceil((submitted - due) / timedelta(days=1))


class Lateness(msgspec.Struct, frozen=True):
    """Whether a submission was late, in words, and the days that count; no words if nothing is known."""

    words: str = ""
    days: int = 0


BY_UNKNOWN = "late by an unknown time"
ON_TIME, LATE, NOT_MARKED, UNKNOWN = "on time", "late", "not marked late", "unknown"


def lateness(
    arrival: Arrival,
    deadline: str,
    *,
    grace: timedelta = timedelta(0),
    unknown_days: int = 1,
    is_extended: bool = False,
) -> Lateness:
    """How late a submission was by its time or, if that is unknown, by the word of a platform.

    Being late by an unknown time counts as ``unknown_days``, but a platform does not know of an extension.
    What nobody knows is not held against a student.
    """
    if arrival.submitted_at and deadline:
        days = late_days(arrival.submitted_at, deadline, grace=grace)
        return Lateness(LATE if days else ON_TIME, days)
    if arrival.late:
        return Lateness(BY_UNKNOWN, 0 if is_extended else unknown_days)
    if arrival.late is not None:
        return Lateness(NOT_MARKED)
    return Lateness(UNKNOWN if deadline else "")


def later_of(deadline: str, extension: str) -> str:
    """The deadline that holds for a student: an extension never makes it earlier."""
    class_due, own_due = moment(deadline), moment(extension)
    if class_due is None or own_due is None:
        return deadline
    return extension if own_due > class_due else deadline


def after_penalty(earned: Points, possible: Points, *, days: int, percent_per_day: int) -> Points:
    """The points left after a penalty of ``percent_per_day`` of the possible points per late day, at least 0.

    Rounded to hundredths in the student's favour.
    """
    lost = penalty(possible, days=days, percent_per_day=percent_per_day)
    return Points(max(0, earned.hundredths - lost.hundredths))


def penalty(possible: Points, *, days: int, percent_per_day: int) -> Points:
    """What being so many days late costs, also of points that are not earned yet."""
    return Points(possible.hundredths * percent_per_day * days // 100)


def _when(entry: Candidate) -> tuple[datetime, int]:
    # An unknown time sorts first: a file whose time is known is the later one.
    return moment(entry.submitted_at) or datetime.min.replace(tzinfo=UTC), entry.order


def _is_on_time(entry: Candidate, deadline: datetime) -> bool:
    when = moment(entry.submitted_at)  # an unknown time is never held against a student
    return when is None or when <= deadline
