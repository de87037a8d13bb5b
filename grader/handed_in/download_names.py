"""How learning platforms name the files of a download. Names in, hints out; nothing is opened.

- Canvas: ``lovelaceada_LATE_4711_98765_hw3.ipynb``: the student's name, last name first, letters and digits
  only; Canvas's number for the student; its number for the file. Anonymous: ``anon_Xy12z_98765_hw3.ipynb``.
  What was typed instead of a file: ``lovelaceada_4711_text.html``, or ``..._link.html``.
- Moodle: ``Ada Lovelace_123456_assignsubmission_file_/hw3.ipynb``, with or without the last underscore,
  or all in one file name. The number is the student's, for this assignment only.
- Blackboard: ``HW3_ada_attempt_2026-11-20-23-59-01_hw3.ipynb``: the login, when, the student's name for the
  file. ``HW3_ada_attempt_2026-11-20-23-59-01.txt`` is the receipt, whose first line names the student. Where
  the title ends and the login begins, only the receipt or the other files' names say.
- Brightspace: ``123-456 - Ada Lovelace - Nov 20, 2026 1159 PM/hw3.ipynb`` beside an ``index.html``, or all in
  one file name. The first number is the student's.
- Gradescope: ``submission_12345/hw3.ipynb`` beside a ``submission_metadata.yml`` that says who and when.

Blackboard and Brightspace write the platform's local time without its zone: it is read as this machine's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import BinaryIO

import msgspec

from grader.model.owner_hints import OwnerHint
from grader.model.text import printable

METADATA = "submission_metadata.yml"
MAX_LINE = 1 << 20
MAX_RECEIPT = 1000
"""Bytes of a receipt's first line."""
MAX_PEOPLE = 100
"""Submitters of one submission."""

# No underscore in a name: with one, an anonymous student's own file name could hold somebody else's number.
_CANVAS = re.compile(
    r"(?:(?P<name>[^\W_]+)_(?P<late>LATE_)?(?P<number>\d{2,})|(?P<late_too>LATE_)?(?P<anonymous>anon_[^\W_]+))"
    r"_(?:(?P<upload>\d{2,})_(?P<file>.+)|(?P<typed>(?:text|link)\.html))"
)
_MOODLE = re.compile(r"(?P<name>[^_].*?)_(?P<who>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?")
# Moodle's "participant" without what a file's name cannot hold: German writes "Teilnehmer/in".
_BLIND = frozenset(
    ("Participant", "Teilnehmerin", "Teilnehmerinnen", "Participante", "Partecipante", "Deelnemer")
)
_MOODLE_PART = re.compile(r"_(\d+)_assignsubmission_[a-z]")
_BLACKBOARD = re.compile(
    r"(?P<title>.+?)_(?P<login>[^_]+)_attempt_(?P<at>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<receipt>\.txt))?"
)
_RECEIPT = re.compile(r"[^:]{1,40}: *(?P<name>.{1,300}?) *\((?P<login>[^()]{1,200})\)\s*")
_BRIGHTSPACE = re.compile(
    r"(?P<number>\d+)-(?P<upload>\d+) ?- (?P<name>[^-].{0,200}?) ?- "
    r"(?P<at>(?:[A-Za-z]{3,12}\.? \d{1,2},?|\d{1,2} [A-Za-z]{3,12}\.?,?) \d{4}"
    r" \d{3,4}(?: ?[AaPp]\.?[Mm]\.?)?)"
    r"(?: ?- (?P<file>.+))?"
)
_BRIGHTSPACE_TIME = re.compile(
    r"(?:(?P<month>[A-Za-z]{3,12})\.? (?P<day>\d{1,2})"
    r"|(?P<day_too>\d{1,2}) (?P<month_too>[A-Za-z]{3,12})\.?),?"
    r" (?P<year>\d{4}) (?P<hour>\d{1,2})(?P<minute>\d\d)(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TEST_STUDENT = "studenttest"  # "Student, Test", the account that Canvas gives a teacher
_AGAIN = re.compile(r"(?<=[A-Za-z0-9_])-\d{1,2}\.py$")
_GRADESCOPE = re.compile(r"submission_\d+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)?")
_PAIR = re.compile(r" *(?:- )?:(?P<key>[a-z_]+):(?: (?P<value>.*))?")
_ANCHOR = re.compile(r"^&\S+ +")
_DOUBLE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")


class DownloadName(msgspec.Struct, frozen=True):
    """What a platform's name for a file says: who, what the student called it, when, and whether it was late.

    ``submitted_at`` is ISO 8601, without a zone if the platform names none, "" if unknown.
    ``numbered`` is the file's name with a number that the platform may have added, "" without one.
    ``is_nobodys`` marks what no student handed in, ``is_receipt`` the platform's word that one did. ``doubt``
    says why the name cannot be believed, "" if it can.
    """

    who: OwnerHint
    file: str = ""
    numbered: str = ""
    late: bool | None = None
    submitted_at: str = ""
    is_nobodys: bool = False
    is_receipt: bool = False
    doubt: str = ""


class GradescopeMetadata(msgspec.Struct, frozen=True):
    """Gradescope's metadata of one submission; ``submitted_at`` is ISO 8601 in UTC, "" if unknown."""

    submitters: tuple[OwnerHint, ...] = ()
    submitted_at: str = ""


def is_canvas(files: Collection[str]) -> bool:
    """Whether Canvas named most of these files, no two uploads and no two people with the same number."""
    found = [match for name in files if (match := _CANVAS.fullmatch(name))]
    uploads = {match["upload"] for match in found if match["upload"]}
    people = {(match["number"] or match["anonymous"], match["name"]) for match in found}
    numbers = {number for number, _ in people}
    return 2 * len(uploads) > len(files) and len(numbers) == len(people)


def is_moodle(names: Collection[str]) -> bool:
    """Whether Moodle named most of these files and folders."""
    return 2 * sum(moodle(name) is not None for name in names) > len(names)


def is_blackboard(files: Collection[str]) -> bool:
    """Whether Blackboard named most of these files."""
    return 2 * sum(blackboard(name) is not None for name in files) > len(files)


def is_brightspace(names: Collection[str]) -> bool:
    """Whether Brightspace named most of these files and folders."""
    return 2 * sum(brightspace(name) is not None for name in names) > len(names)


def canvas(name: str) -> DownloadName | None:
    """What a file's name says if Canvas made it, None otherwise."""
    found = _CANVAS.fullmatch(name)
    if found is None:
        return None
    known, number = found["name"] or "", found["number"] or found["anonymous"]
    hint = OwnerHint(name=known, number=number, label=f"{known} {number}".strip())
    late = bool(found["late"] or found["late_too"])
    own = found["file"] or found["typed"]
    # Canvas numbers a second upload of a file, and "layers-1.py" cannot be imported.
    first = _AGAIN.sub(".py", own)
    numbered = own if own != first else ""
    return DownloadName(hint, first, numbered, late, is_nobodys=known == _TEST_STUDENT)


def moodle(name: str) -> DownloadName | None:
    """What the name of a file or folder says if Moodle made it, None otherwise."""
    found = _MOODLE.fullmatch(name)
    if found is None:
        return None
    known = "" if found["name"] in _BLIND else found["name"]
    hint = OwnerHint(name=known, number=found["who"], label=f"{known} {found['who']}".strip())
    # A student who calls a file "Z_222_assignsubmission_file_hw3.ipynb" must not become 222, and one whose
    # own name holds such a part must not become the other: nobody is, until a person looks.
    numbers = _MOODLE_PART.findall(name)
    doubt = f"its name can be that of {' or of '.join(numbers[:3])}" if len(numbers) > 1 else ""
    return DownloadName(hint, found["file"] or "", doubt=doubt)


def blackboard(name: str) -> DownloadName | None:
    """What a file's name says if Blackboard made it, None otherwise. The login may be the course's id.

    It is the last word before "attempt" here; see `blackboard_people` for logins of several.
    """
    found = _BLACKBOARD.fullmatch(name)
    if found is None:
        return None
    at = _zoneless(*map(int, found["at"].split("-")))
    hint = OwnerHint(id=found["login"], label=f"{found['title']}_{found['login']}")
    return DownloadName(hint, found["file"] or "", submitted_at=at, is_receipt=bool(found["receipt"]))


def blackboard_people(labels: Collection[str], receipts: Mapping[str, str]) -> dict[str, OwnerHint]:
    """Who is meant by each title with a login ("HW3_j_smith"), given the receipts' first lines by these.

    A login may hold underscores, and so may the title: "smith" must not get the files of "j_smith".
    """
    shared = os.path.commonprefix([*labels])  # noqa: RUF071  # these are no paths
    title = shared.rpartition("_")[0] if len(labels) > 1 else ""
    people = {}
    for label in labels:
        said = _RECEIPT.fullmatch(printable(receipts.get(label, ""), limit=1000))
        rest = label[len(title) + 1 :] if title else label.rpartition("_")[2]
        if said is not None and label.endswith(f"_{said['login']}"):
            people[label] = OwnerHint(id=said["login"], name=said["name"], label=label)
        else:
            people[label] = OwnerHint(id=rest, label=label)
    return people


def brightspace(name: str) -> DownloadName | None:
    """What the name of a file or folder says if Brightspace made it, None otherwise."""
    found = _BRIGHTSPACE.fullmatch(name)
    if found is None:
        return None
    known = found["name"].strip()
    hint = OwnerHint(name=known, number=found["number"], label=f"{known} {found['number']}")
    return DownloadName(hint, found["file"] or "", submitted_at=_brightspace_time(found["at"]))


def _brightspace_time(text: str) -> str:
    """The time as ISO 8601 without a zone; "" for a language other than English."""
    found = _BRIGHTSPACE_TIME.fullmatch(text)
    month = (found["month"] or found["month_too"])[:3].lower() if found else ""
    if found is None or month not in _MONTHS:
        return ""
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"] in "Pp")
    day = int(found["day"] or found["day_too"])
    return _zoneless(int(found["year"]), _MONTHS.index(month) + 1, day, hour, int(found["minute"]))


def _zoneless(*parts: int) -> str:
    """A time as ISO 8601 without a zone, which the platform does not name; "" if there is no such time."""
    try:
        return datetime(*parts).isoformat(timespec="seconds")  # type: ignore[arg-type]  # noqa: DTZ001
    except (ValueError, OverflowError):
        return ""


ReadName = Callable[[str], DownloadName | None]
READERS: Mapping[str, ReadName] = MappingProxyType(
    {"canvas": canvas, "moodle": moodle, "blackboard": blackboard, "brightspace": brightspace}
)
"""For each platform that puts the student into a file's name, the function that reads it."""


def is_gradescope(folder: str) -> bool:
    """Whether this is Gradescope's name for the folder of a submission."""
    return bool(_GRADESCOPE.fullmatch(folder))


def read_metadata(lines: BinaryIO) -> dict[str, GradescopeMetadata]:
    """The metadata of each submission's folder, from Gradescope's ``submission_metadata.yml``.

    This reads what Gradescope writes, not YAML: one block for each folder, with submitters and time at fixed
    depths. Test results, which hold what students printed, lie deeper and are skipped: a student who prints
    a block of metadata must not become somebody else.
    """
    found: dict[str, GradescopeMetadata] = {}
    for folder, block in _blocks(_text_lines(lines)):
        people, at = _people_and_time(block)
        named = (
            OwnerHint(id=p.get("sid", ""), name=p.get("name", ""), email=p.get("email", "")) for p in people
        )
        hints = tuple(msgspec.structs.replace(who, label=_label(who, folder)) for who in named)
        found[folder] = GradescopeMetadata(hints, at)
    return found


def _label(who: OwnerHint, folder: str) -> str:
    return who.id or who.email or f"{who.name} {folder}".strip()


def _text_lines(lines: BinaryIO) -> Iterator[str]:
    whole = True
    while line := lines.readline(MAX_LINE):
        if whole:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
        whole = line.endswith(b"\n")  # the rest of an overlong line would read as a line of its own


def _blocks(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each folder with the lines of its block that ``_keep`` keeps."""
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
    """Add a line of the submitters or the time. Each run of other parts becomes one line, "other"."""
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
                people[-1][pair["key"]] = printable(_scalar(pair["value"] or ""), limit=300)
    return [person for person in people[:MAX_PEOPLE] if any(person.values())], at


def _moment(text: str) -> str:
    """The time in a value as ISO 8601 in UTC, to the second; "" if there is none."""
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
    """A YAML value on one line, plain or quoted; "" for anything else, such as an alias (``*1``)."""
    text = _ANCHOR.sub("", text.strip())
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
