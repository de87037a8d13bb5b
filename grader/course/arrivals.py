"""When submissions were handed in: by the layout, by Moodle's worksheet, by a table of times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

from grader.files import read_whole
from grader.gradebook.people import People
from grader.gradebook.rows import Arrival
from grader.gradebook.spreadsheets import TimeGiven, read_times
from grader.gradebook.times import has_zone, time_in_utc, zone_named
from grader.handed_in.collect import Submission
from grader.model.errors import UsageError
from grader.model.text import counted

_SHOWN = 3


@dataclass
class Times:
    """What is known about times beside the layout, and the lines that somebody should read.

    A table of times counts before the layout, the layout before the worksheet. ``zone`` is that of times
    which name none; without it they are this machine's.
    """

    zone: tzinfo | None
    worksheet: Mapping[str, str]
    source: str
    table: Sequence[TimeGiven]
    lines: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, table: Path | None, zone: str, worksheet: Mapping[str, str], *, source: Path | None) -> Self:
        """From the file of ``--times``, and the times by student in the worksheet ``source``.

        Raises UsageError for an unknown zone, and for a table with anything that is no time.
        """
        data = [] if table is None else read_times(read_whole(table, option="--times"), source=table.name)
        name = "" if source is None else source.name
        return cls(zone_named(zone) if zone else None, worksheet, name, data)

    def arrivals(self, entries: Sequence[Submission], owners: Sequence[str], people: People) -> list[Arrival]:
        """When each submission was handed in, as far as it is known; ``owners`` are their students' ids."""
        table = dict(self._of_table(people, set(owners)))
        worksheet = dict(self._of_worksheet())
        found = []
        for entry, student in zip(entries, owners, strict=True):
            own = self._of_layout(entry.submitted_at)
            when = table.get(student, "") or own or worksheet.get(student, "")
            found.append(Arrival("" if when == entry.submitted_at else when, entry.late))
        self._tell_zone([entry.submitted_at for entry in entries])
        return found

    def _of_layout(self, text: str) -> str:
        return text if not text or has_zone(text) else time_in_utc(text, zone=self.zone)

    def _of_table(self, people: People, owners: set[str]) -> Iterator[tuple[str, str]]:
        for row in self.table:
            time = time_in_utc(row.time, zone=self.zone, where=row.where)
            try:
                student = people.find(row.who).id
            except UsageError as error:
                self.lines.append(f"{row.where}: {error}")
                continue
            if student not in owners:
                self.lines.append(f"{row.where}: {row.who} has a time, and handed in nothing here")
            yield student, time

    def _of_worksheet(self) -> Iterator[tuple[str, str]]:
        wrong = []
        for student, text in self.worksheet.items():
            try:
                yield student, time_in_utc(text, zone=self.zone)
            except UsageError:
                wrong.append(f"{student}: {text!r}")
        if wrong:
            some = "; ".join(wrong[:_SHOWN]) + ("; ..." if len(wrong) > _SHOWN else "")
            what = counted(len(wrong), "time cannot be read and stays", "times cannot be read and stay")
            self.lines.append(f"{self.source}: {what} unknown: {some}")

    def _tell_zone(self, layout: Sequence[str]) -> None:
        texts = [*layout, *self.worksheet.values(), *(row.time for row in self.table)]
        bare = sum(bool(text) and not has_zone(text) for text in texts)
        if bare and self.zone is None:
            here = datetime.now().astimezone().tzname()
            what = counted(bare, "time names no zone and was", "times name no zone and were")
            self.lines.append(f"{what} read in this machine's, {here}; --zone names another")
