"""Times as people and platforms write them, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.model.errors import UsageError

# The first letters of each month in the languages that share most of them; Moodle writes them out.
_MONTHS = (
    ("jan", "gen", "ene"),
    ("feb", "fev", "fév"),
    ("mar", "mär", "maa", "mrt"),
    ("apr", "abr", "avr"),
    ("may", "mai", "mei", "mag"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "aou", "aoû", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "déc", "dic"),
)
_WRITTEN_OUT = re.compile(
    r"(?:(?P<day>\d{1,2})\.? (?:de )?(?P<month>[^\W\d]{3,12})\.? (?:de )?"
    r"|(?P<us_month>[^\W\d]{3,12})\.? (?P<us_day>\d{1,2}), )(?P<year>\d{4})\b"
)
_SPACED_ZONE = re.compile(r" (?=[+-]\d\d:?\d\d$)| ?UTC$")
_CLOCK = re.compile(r"\b(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?\s?([AaPp])?\.?[Mm]?")
_LONGEST = 100


def zone_named(name: str) -> tzinfo:
    """The time zone of this name. Raises UsageError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is not a time zone; write it as Europe/Berlin") from None


def has_zone(text: str) -> bool:
    """Whether a time says which zone it is in."""
    found = _iso(text.strip())
    return found is not None and found.tzinfo is not None


def time_in_utc(text: str, *, zone: tzinfo | None = UTC, where: str = "") -> str:
    """A time as ISO 8601 in UTC, to the second.

    ``zone`` is that of times that name none, or None for the zone of this machine.

    Takes ISO 8601, also with a blank before the zone, and a date with the month written out, as Moodle has
    it: "Friday, 20 November 2026, 11:59 PM" or "Friday, November 20, 2026, 11:59 PM". Raises UsageError that
    starts with ``where``.
    """
    found = _iso(text.strip()) or _written_out(text[:_LONGEST])
    if found is None:
        lead = f"{where}: " if where else ""
        raise UsageError(f"{lead}{text!r} is not a time; write it as 2026-11-30T23:59+01:00")
    try:
        known = found if found.tzinfo else found.replace(tzinfo=zone)
        return known.astimezone(UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError):
        raise UsageError(f"{where or text}: the year {found.year} is out of reach") from None


def _iso(text: str) -> datetime | None:
    whole = _SPACED_ZONE.sub(lambda found: "" if found[0] == " " else "+00:00", text)
    try:
        return datetime.fromisoformat(whole) if ":" in text else None  # a day alone leaves the hour to guess
    except ValueError:
        return None


def _written_out(text: str) -> datetime | None:
    day = _WRITTEN_OUT.search(text)
    clock = _CLOCK.search(text, day.end()) if day else None
    if day is None or clock is None:
        return None
    low = (day["month"] or day["us_month"]).casefold()
    month = next((number for number, names in enumerate(_MONTHS, 1) if low.startswith(names)), 0)
    hour = int(clock[1])
    if clock[4]:
        hour = hour % 12 + 12 * (clock[4] in "Pp")
    try:
        parts = int(day["year"]), month, int(day["day"] or day["us_day"]), hour
        return datetime(*parts, int(clock[2]), int(clock[3] or 0))  # noqa: DTZ001
    except ValueError:
        return None
