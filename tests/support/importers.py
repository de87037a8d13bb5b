"""What Canvas and Moodle do with a file of grades: their importers' rules, for tests.

After lib/gradebook_importer.rb of canvas-lms, and of moodle mod/assign/feedback/offline/importgradeslib.php,
locallib.php beside it, and lib/csvlib.class.php.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

NO_ASSIGNMENT = re.compile("(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")


@dataclass(frozen=True)
class CanvasImport:
    """What Canvas would change: grades by student and assignment, maxima, and what it would make anew."""

    grades: dict[tuple[int, int], str] = field(default_factory=dict)
    possible: dict[int, str] = field(default_factory=dict)
    new_assignments: list[str] = field(default_factory=list)
    new_students: list[str] = field(default_factory=list)


def canvas_import(
    data: bytes,
    *,
    students: Mapping[int, tuple[str, str, str]],
    assignments: Mapping[int, str],
) -> CanvasImport:
    """``students`` are name, SIS id and login by Canvas's number; ``assignments`` titles by theirs."""
    text = data.decode()  # a byte order mark stays, as in Canvas
    widths = {}
    for separator in ";,":
        sizes = {len(row) for row in csv.reader(text.splitlines()[:3], delimiter=separator)}
        widths[separator] = sizes.pop() if len(sizes) == 1 else 0
    separator = ";" if widths[";"] > widths[","] else ","
    rows = [
        row
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        if not re.fullmatch("[;, ]+", separator.join(row))
    ]
    head, found = rows[0], CanvasImport()
    people, sis, login = canvas_people(head)
    columns = {}
    for place in range(people, len(head)):
        if NO_ASSIGNMENT.search(head[place]):
            continue
        named = re.fullmatch(r"(.*)\s\((\d+)\)", head[place])
        known = int(named[2]) if named and int(named[2]) in assignments else None
        known = known or next((one for one, title in assignments.items() if title == head[place]), None)
        if known is None:
            found.new_assignments.append(head[place])
        columns[place] = known if known is not None else -place
    for row in rows[1:]:
        if "Points Possible" in row[0]:
            found.possible.update({one: row[place] for place, one in columns.items() if row[place]})
            continue
        if all(re.fullmatch(r"(?i)\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row):
            continue
        who = canvas_student(row, sis, login, students)
        if who is None:
            found.new_students.append(row[0])
            continue
        for place, one in columns.items():
            found.grades[who, one] = row[place].strip()
    return found


def canvas_people(head: list[str]) -> tuple[int, int | None, int | None]:
    """How many columns say who somebody is, and where SIS id and login are. Asserts a valid header."""
    assert len(head) > 3, "Invalid header row"
    split = head[0] == "LastName" and head[1] == "FirstName"
    assert split or ("Student" in head[0] and "ID" in head[1]), "Invalid header row"
    people = names = 4 if split else 3
    sis = login = None
    if re.search(r"SIS\s+Login\s+ID", head[names - 1]):
        login, people = names - 1, people + 1
    elif re.search(r"SIS\s+User\s+ID", head[names - 1]) and re.search(r"SIS\s+Login\s+ID", head[names]):
        sis, login = names - 1, names
        integration = int(bool(re.search(r"Integration\s+ID", head[names + 1])))
        people += 2 + integration
        people += int(bool(re.search(r"Root\s+Account", head[names + 1 + integration])))
    assert "Section" in head[people - 1], "Invalid header row"
    return people, sis, login


def canvas_student(
    row: list[str], sis: int | None, login: int | None, students: Mapping[int, tuple[str, str, str]]
) -> int | None:
    """By Canvas's number, else the SIS id, else the login, else the first of this name."""
    leading = re.match(r"\s*\d+", row[1])
    if leading and int(leading[0]) in students:
        return int(leading[0])
    for place, kind in ((sis, 1), (login, 2)):
        for number, names in students.items():
            if place is not None and row[place] and names[kind] == row[place]:
                return number
    return next((number for number, names in students.items() if names[0] == row[0]), None)


@dataclass(frozen=True)
class MoodleWords:
    """What a site calls the columns, in its language."""

    identifier: str = "Identifier"
    grade: str = "Grade"
    modified: str = "Last modified (grade)"
    comments: str = "Feedback comments"
    participant: str = "Participant "
    decimal_sign: str = "."


def moodle_import(
    data: bytes, *, participants: set[int], maximum: float, words: MoodleWords
) -> dict[int, tuple[float, str]]:
    """The grade and the comment that each participant gets; what Moodle skips without a word is not in it."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    head = [name.strip() for name in rows[0]]
    assert {len(row) for row in rows} == {len(head)}, "csvweirdcolumns"
    at = {name: head.index(name) for name in (words.identifier, words.grade, words.modified)}
    found = {}
    for row in rows[1:]:
        number = row[at[words.identifier]][len(words.participant) :]
        if not number.isdigit() or int(number) not in participants:
            continue
        cell = row[at[words.grade]].replace(" ", "").replace(words.decimal_sign, ".")
        grade = float(cell) if cell else -1.0
        if 0 <= grade <= maximum:
            comments = row[head.index(words.comments)] if words.comments in head else ""
            found[int(number)] = grade, comments
    return found


def moodle_files(names: Iterable[str], *, participants: set[int]) -> dict[str, tuple[int, str]]:
    """The participant and the file's name that Moodle makes of each name in a zip of feedback.

    After mod/assign/feedback/file/importziplib.php; before 4.1 a folder without the last underscore was none.
    """
    found = {}
    for name in names:
        parts = name.split("/")
        while parts and name not in found:
            info = parts.pop(0).split("_", 4)
            if len(info) >= 5 and info[1].isdigit() and int(info[1]) in participants:
                assert info[2:4] == ["assignsubmission", "file"]
                found[name] = int(info[1]), "/".join([info[4], *parts]).lstrip("/")
    return found


def canvas_files(names: Iterable[str], *, attachments: Mapping[int, int]) -> dict[str, tuple[int, int]]:
    """The user and the attachment that Canvas makes of each name; ``attachments`` are users by attachment.

    After generate_comments_from_files in canvas-lms: a name that fits no attachment of that user is ignored.
    """
    found = {}
    for name in names:
        match = re.search(r"_(\d+)_(\d+)_", name.replace("_LATE_", "_"))
        if match and attachments.get(int(match[2])) == int(match[1]):
            found[name] = int(match[1]), int(match[2])
    return found
