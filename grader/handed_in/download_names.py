"""How Canvas, Moodle and Gradescope name what students handed in. Names in, hints out; nothing is opened.

- Canvas: ``lovelaceada_LATE_4711_98765_hw3.ipynb``: the name, last name first, letters and digits only;
  Canvas's number of the person; its number of the file. Without names: ``anon_Xy12z_98765_hw3.ipynb``.
- Moodle: ``Ada Lovelace_123456_assignsubmission_file_/hw3.ipynb``, with or without the last underscore,
  or all in one file name. The number is the person's in this one assignment.
- Gradescope: ``submission_12345/hw3.ipynb`` beside a ``submission_metadata.yml`` that says who and when.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from grader.model.hints import Hint
from grader.notebooks.text import shown

METADATA = "submission_metadata.yml"
MAX_LINE = 1 << 20
MAX_PEOPLE = 100
"""People of one submission."""

_CANVAS = re.compile(
    r"(?:(?P<name>\w+?)_(?P<late>LATE_)?(?P<number>\d{2,})|(?P<late_too>LATE_)?(?P<anonymous>anon_\w+?))"
    r"_(?P<upload>\d{2,})_(?P<file>.+)"
)
_MOODLE = re.compile(r"(?P<name>[^_].*)_(?P<who>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?")
_GRADESCOPE = re.compile(r"submission_\d+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)?")
_PAIR = re.compile(r" *(?:- )?:(?P<key>[a-z_]+):(?: (?P<value>.*))?")
_DOUBLE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")


class Named(msgspec.Struct, frozen=True):
    """What a platform's name for a file says: who, whether late, and what the student called the file."""

    who: Hint
    file: str = ""
    late: bool | None = None


class HandedInBy(msgspec.Struct, frozen=True):
    """What Gradescope knows of one submission: its people, and when it came (ISO 8601 in UTC or empty)."""

    people: tuple[Hint, ...] = ()
    at: str = ""


def is_canvas(files: Collection[str]) -> bool:
    """Whether Canvas named these files: most of them, each upload once, and no number is two people's."""
    found = [match for name in files if (match := _CANVAS.fullmatch(name))]
    uploads = {match["upload"] for match in found}
    people = {(match["number"] or match["anonymous"], match["name"]) for match in found}
    numbers = {number for number, _ in people}
    return 2 * len(uploads) > len(files) and len(numbers) == len(people)


def is_moodle(names: Collection[str]) -> bool:
    """Whether Moodle named these files and folders: most of them."""
    return 2 * sum(moodle(name) is not None for name in names) > len(names)


def canvas(name: str) -> Named | None:
    """What Canvas's name for a file says."""
    found = _CANVAS.fullmatch(name)
    if found is None:
        return None
    known, number = found["name"] or "", found["number"] or found["anonymous"]
    hint = Hint(name=known, number=number, label=f"{known} {number}".strip())
    return Named(hint, found["file"], late=bool(found["late"] or found["late_too"]))


def moodle(name: str) -> Named | None:
    """What Moodle's name for a folder or a file says."""
    found = _MOODLE.fullmatch(name)
    if found is None:
        return None
    known = "" if found["name"] == "Participant" else found["name"]
    hint = Hint(name=known, number=found["who"], label=f"{known} {found['who']}".strip())
    return Named(hint, found["file"] or "")


def is_gradescope(folder: str) -> bool:
    """Whether Gradescope would name a submission's folder so."""
    return bool(_GRADESCOPE.fullmatch(folder))


def read_metadata(lines: BinaryIO) -> dict[str, HandedInBy]:
    """Who handed in which folder, from Gradescope's ``submission_metadata.yml``.

    Only what Gradescope writes is understood: one block for each folder, its people and its time at their
    fixed depths. Results of checks, which hold what students printed, lie deeper and are passed over.
    """
    found: dict[str, HandedInBy] = {}
    for folder, block in _blocks(_text_lines(lines)):
        people, at = _people_and_time(block)
        named = (Hint(id=p.get("sid", ""), name=p.get("name", ""), email=p.get("email", "")) for p in people)
        hints = tuple(msgspec.structs.replace(who, label=_label(who, folder)) for who in named)
        found[folder] = HandedInBy(hints, at)
    return found


def _label(who: Hint, folder: str) -> str:
    return who.id or who.email or f"{who.name} {folder}".strip()


def _text_lines(lines: BinaryIO) -> Iterator[str]:
    whole = True
    while line := lines.readline(MAX_LINE):
        if whole:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
        whole = line.endswith(b"\n")  # the rest of a line that is too long says nothing


def _blocks(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each folder with the lines of its block that may matter."""
    folder, block = "", list[str]()
    for line in lines:
        if line and not line.startswith((" ", "-", "#")):
            if folder:
                yield folder, block
            name = line.rstrip().removesuffix(":")
            folder, block = name if is_gradescope(name) else "", []
        elif folder:
            _keep(block, line)
    if folder:
        yield folder, block


def _keep(block: list[str], line: str) -> None:
    """Add a line of the people or the time, and the head of each other part."""
    is_head = line.startswith("  :")
    wanted = bool(block) and block[-1] != "other"
    if is_head:
        block.append(line if line.startswith(("  :submitters:", "  :created_at:")) else "other")
    elif wanted and len(block) < 4 * MAX_PEOPLE:
        block.append(line)


def _people_and_time(block: Iterable[str]) -> tuple[list[dict[str, str]], str]:
    part, at, people = "", "", list[dict[str, str]]()
    for line in block:
        if line.startswith("  :") or line == "other":
            part, _, value = line.strip().removeprefix(":").partition(":")
            at = at or (_moment(value) if part == "created_at" else "")
        elif part == "created_at" and line.strip().startswith("utc:"):
            at = at or _moment(line)
        elif part == "submitters" and (pair := _PAIR.fullmatch(line)):
            if line.lstrip().startswith("- "):
                people.append({})
            if people:
                people[-1][pair["key"]] = shown(_scalar(pair["value"] or ""), limit=300)
    return [person for person in people[:MAX_PEOPLE] if any(person.values())], at


def _moment(text: str) -> str:
    """The time in a value as ISO 8601 in UTC, to the second; empty where there is none."""
    found = _TIME.search(text)
    if found is None:
        return ""
    day, time, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{zone or 'Z'}")
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def _scalar(text: str) -> str:
    """A YAML value on one line, plain or quoted. Empty for anything else, as for a reference to elsewhere."""
    text = re.sub(r"^&\S+ +", "", text.strip())
    if text.startswith("'"):
        return text[1:-1].replace("''", "'") if len(text) > 1 and text.endswith("'") else ""
    if text.startswith('"'):
        return _DOUBLE.sub(_unescaped, text[1:-1]) if len(text) > 1 and text.endswith('"') else ""
    return "" if text.startswith(("*", "!", "|", ">", "[", "{", "&")) or text in ("null", "~") else text


def _unescaped(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    if not number:
        return str(found[4]) if found[4] in '"\\/ ' else "?"
    return chr(int(number, 16)) if int(number, 16) < 0x110000 else "?"  # noqa: PLR2004  # Unicode's end
