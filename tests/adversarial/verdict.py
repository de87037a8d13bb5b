"""What must hold for every attack; each violation in words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from rich.console import Console
from suite import NOTHING_EARNED, Attack, Result, checks_of, points_of
from world import World

from grader.model.errors import Fault
from grader.model.records import Grade, decode, encode
from grader.reports.page import render
from grader.reports.terminal import print_report

_LARGEST_RECORD = 40 << 20
FORBIDS = "the grading machine forbids this (Operation not permitted)"
_NEVER_SHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_FORBIDDEN_TAGS = {"script", "iframe", "object", "embed", "form", "input", "base", "link", "svg", "math"}
_ADDRESS = re.compile(r"(?:data:image/png;base64,[A-Za-z0-9+/=]*|#[\w.-]*|https?://[^\s]*|mailto:[^\s]*)\Z")


def holes(attack: Attack, result: Result, world: World, *, isolation: str) -> list[str]:
    """Everything that should not have happened; empty for an attack that was stopped."""
    found = list(result.touched)
    if result.exit != attack.exit and not _forbidden(result.grade):
        found.append(f"exit status {result.exit} ({result.refused or attention(result.grade)})")
    if result.grade is None:
        return found + [f"refused with: {result.refused}"] * (attack.error not in result.refused)
    if result.earned != attack.earns:
        found.append(f"earned {result.earned}")
    found += _unexpected(attack, result.grade, world)
    found += _leaks(result.grade, world)
    found += _shown(result.grade)
    if result.grade.environment.isolation != isolation:
        found.append(f"graded in mode {result.grade.environment.isolation}")
    if result.heir is not None and points_of(result.heir) != NOTHING_EARNED:
        found.append(f"the next submission earned {points_of(result.heir)}")
    return found


def _forbidden(grade: Grade | None) -> bool:
    """Whether a grade needs attention for nothing but calls that a wall refused, which the report says."""
    lost = [check for check in checks_of(grade) if check.fault] if grade else []
    waiting = [check for check in lost if check.fault is Fault.INFRASTRUCTURE]
    return bool(waiting) and all(FORBIDS in check.detail and not check.earned for check in waiting)


def attention(grade: Grade | None) -> str:
    """Why a grade needs attention."""
    return "; ".join(grade.attention) if grade else ""


def _unexpected(attack: Attack, grade: Grade, world: World) -> Iterator[str]:
    statuses = {str(cell.cell): cell.status for cell in grade.cells}
    outcomes = {check.check: str(check.outcome) for check in checks_of(grade)}
    for kind, wanted, got in (("cell", attack.cells, statuses), ("check", attack.outcomes, outcomes)):
        for name, value in wanted.items():
            if got.get(name) != value:
                yield f"{kind} {name} ended {got.get(name)}, not {value}"
    wanted_text = attack.instructor_sees.format(input=world.secrets["input"])
    texts = [text for check in checks_of(grade) for text in (check.detail, check.printed)]
    texts += [text for cell in grade.cells for text in (cell.error, cell.traceback)]
    if not any(wanted_text in text for text in texts):
        yield f"the instructor does not see {wanted_text[:40]!r}"


def _leaks(grade: Grade, world: World) -> Iterator[str]:
    """What a student may read reveals no hidden input; nothing that comes out holds an expected value."""
    for check in checks_of(grade):
        for kind, secret in world.secrets.items():
            if secret in check.message:
                yield f"the message of {check.check} tells the hidden {kind}"
        if world.canary in check.printed:
            yield "the expected value was printed"
    if any(world.canary in cell.error + cell.traceback for cell in grade.cells):
        yield "the expected value was in a cell's error"


def _shown(grade: Grade) -> Iterator[str]:
    """The record, the page and the terminal are safe to look at."""
    record = encode(grade)
    if len(record) > _LARGEST_RECORD:
        yield f"a record of {len(record):,} bytes"
    if encode(decode(record)) != record:
        yield "the record does not survive being written and read"
    page = render(grade)
    yield from _PageHoles.of(page)
    screen = io.StringIO()
    print_report(grade, Console(file=screen, width=100, color_system=None))
    for where, text in (("page", page), ("terminal", screen.getvalue())):
        if odd := _NEVER_SHOWN.search(text.replace("\n", "").replace("\t", "")):
            yield f"the {where} shows the character U+{ord(odd[0]):04X}"


class _PageHoles(HTMLParser):
    """Reads a report as a browser does and collects whatever could run, fetch or deceive."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, page: str) -> list[str]:
        """The holes in one page."""
        reader = cls()
        reader.feed(page)
        return reader.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _FORBIDDEN_TAGS:
            self.found.append(f"the page holds a <{tag}>")
        for name, value in attrs:
            if name.startswith("on"):
                self.found.append(f"the page holds {name}=")
            if name in {"src", "href", "action", "srcset", "formaction"} and not _ADDRESS.match(value or ""):
                self.found.append(f"the page holds {name}={(value or '')[:40]}")
            if tag == "img" and name == "src" and not (value or "").startswith("data:image/png"):
                self.found.append("the page fetches a picture")
