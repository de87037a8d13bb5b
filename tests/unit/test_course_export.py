"""Grades leave for other systems: held against their importers' rules, with names of every script."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from support.importers import MoodleWords, canvas_import, moodle_import

from grader.cli.main import cli
from grader.course.export import Leaving, as_csv, as_json, leaving, matched
from grader.course.filled_sheets import LOCKED, Filled, Wanted, fill
from grader.course.intake import read_given_roster
from grader.course.table import ClassRow, class_rows
from grader.gradebook.rows import ItemPoints, Mark, NewSubmission, Refusal, StoredResult, Student
from grader.gradebook.spreadsheets import Sheet, read_sheet
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError
from grader.model.points import Points

HW = "HW3"
NAMES = {  # SIS id: the name; the last four are undecided, absent, unreadable, and excused in Canvas
    "s01": "Lovelace, Ada",
    "s02": "Ødegård, Åse",
    "s03": "Достоевская, Анна",
    "s04": "الخوارزمي, محمد",
    "s05": "王, 小明",
    "s06": "Kim, 민수",
    "s07": "Παπαδοπούλου, Ελένη",
    "s08": "रामानुजन, श्रीनिवास",
    "s09": 'O\'Neil; "Q", Zoë',
    "s10": "Lovelace, Ada",  # two people of one name
    "s11": "=HYPERLINK(1), Eve",
    "s12": "Later, Una",
    "s13": "Absent, Bob",
    "s14": "Broken, Cyd",
    "s15": "Excused, Dan",
}
SIS = list(NAMES)
DECIDED = SIS[:11]
POINTS = {sis: Points(150 + 25 * place) for place, sis in enumerate(SIS)}
CANVAS_STUDENTS = {900 + n: (NAMES[sis], sis, f"{sis}@example.edu") for n, sis in enumerate(SIS)}
QUOTED = {sis: f'"{name.replace(chr(34), chr(34) * 2)}"' for sis, name in NAMES.items()}
CANVAS = "\ufeff" + "".join(
    [
        "Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,HW2 (41),HW3 (42),Current Score\n",
        ",,,,,,,Manual Posting,\n",
        "    Points Possible,,,,,,10.00,10.00,(read only)\n",
        *(f'{QUOTED[sis]},{900 + n},{sis},{sis}@example.edu,,"A, B",3,,9\n' for n, sis in enumerate(SIS)),
        '"Student, Test",999,,abc,,A,,,\n',
    ]
).replace('s15@example.edu,,"A, B",3,,', 's15@example.edu,,"A, B",3,EX,')


def stored(name: str, points: Points, *, decided: bool = True) -> StoredResult:
    items = (
        ItemPoints("1.10", "Linear layer", "code", points.hundredths, 600, decided=True),
        ItemPoints("2", "Why?", "written", 0, 400, decided=decided, answer=name),
    )
    return StoredResult(name, HW, name, {}, items, (), b"{}", points, Points(1000), Points(600))


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gradebook]:
    folder = tmp_path_factory.mktemp("class")
    (folder / "roster.csv").write_text(
        "id,name,email\n" + "".join(f'{sis},"{sis}",{sis}@example.edu\n' for sis in SIS)
    )
    with Gradebook.open(str(folder / "gradebook.sqlite")) as gradebook:
        read_given_roster(folder / "roster.csv", HW, gradebook)
        for sis in [one for one in SIS if one not in ("s13", "s14")]:
            row = gradebook.add_submission(NewSubmission(HW, f"{sis}.ipynb", sis, sis))
            result = stored(sis, POINTS[sis], decided=sis != "s12")
            gradebook.store_result(result, [row], author="ada", reason="batch")
            if sis == "s01":
                words = "=1+1 <script>alert(1)</script>\nsecond line"
                gradebook.add_marks([Mark(row, "2", Points(50), words, author="ada")])
        gradebook.add_refusals(HW, [Refusal("s14.zip", "damaged", "s14")])
        gradebook.add_roster(HW, "canvas.csv", CANVAS.encode())
        yield gradebook


@dataclass(frozen=True)
class Export:
    """What one export wrote, and of whom."""

    found: Leaving
    filled: Filled
    data: bytes


def export(book: Gradebook, form: str, sheet: str, **wanted: str) -> Export:
    read = read_sheet(sheet.encode(), source="sheet.csv")
    found = leaving(class_rows(book, HW))
    owners = matched(read, book.students(), book, HW).students
    filled = fill(form, read, owners, found, Wanted(HW, **wanted))
    return Export(found, filled, "".join(filled.lines).encode(filled.encoding))


def final(sis: str) -> float:
    return float((POINTS[sis] + Points(50 if sis == "s01" else 0)).decimal)


def test_canvas_gives_each_student_their_points_and_changes_nothing_else(book: Gradebook) -> None:
    assignments = {41: "HW2", 42: "HW3"}
    done = export(book, "canvas", CANVAS)
    read = canvas_import(done.data, students=CANVAS_STUDENTS, assignments=assignments)
    assert {who: float(grade) for (who, _), grade in read.grades.items()} == {
        900 + SIS.index(sis): final(sis) for sis in DECIDED
    }
    assert {one for _, one in read.grades} == {42}
    assert read.possible == {42: "10"}
    assert not read.new_assignments
    assert not read.new_students
    assert done.filled.skipped == {"s15": "excused in Canvas"}
    assert "=HYPERLINK" not in {row[0][:10] for row in csv.reader(io.StringIO(done.data.decode("utf-8-sig")))}


@pytest.mark.parametrize(
    "people",
    [
        "Student,ID,Section",
        "Student,ID,SIS Login ID,Section",
        "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section",
    ],
)
def test_every_form_of_canvas_header_is_one_that_it_imports(book: Gradebook, people: str) -> None:
    values = {
        "ID": "s02",
        "Student": "x",
        "SIS Login ID": "s02",
        "SIS User ID": "s02",
        "LastName": "x",
        "FirstName": "y",
        "Section": "A",
    }
    row = ";".join(values[name] for name in people.split(","))
    done = export(book, "canvas", f"{people.replace(',', ';')};HW3 (42)\n{row};\n")
    assert b"\t" not in export(book, "canvas", f"{people.replace(',', chr(9))}\tHW3 (42)\n").data
    students = {7: ("x", "s02", "s02")} if "SIS" in people else {7: ("x", "", "")}
    read = canvas_import(done.data, students=students, assignments={42: "HW3"})
    assert read.grades == {(7, 42): "1.75"}


def test_canvas_is_refused_where_it_would_take_another_column_or_maximum(book: Gradebook) -> None:
    other = CANVAS.replace("HW3 (42)", "Homework three (42)")
    with pytest.raises(UsageError, match=r"no column called 'HW3'.*'HW2 \(41\)', 'Homework three \(42\)'"):
        export(book, "canvas", other)
    done = export(book, "canvas", other, column="Homework three (42)")
    assert canvas_import(done.data, students=CANVAS_STUDENTS, assignments={42: "Homework three"}).grades
    larger = CANVAS.replace("10.00,10.00", "10.00,100")
    with pytest.raises(UsageError, match="the maximum there is 100, and this assignment is worth 10"):
        export(book, "canvas", larger)
    done = export(book, "canvas", larger, maximum="scale")
    read = canvas_import(done.data, students=CANVAS_STUDENTS, assignments={42: "HW3"})
    assert (read.grades[901, 42], read.possible) == ("17.50", {42: "100"})
    grouped = CANVAS.replace("10.00,10.00", '10.00,"1,000.00"')
    with pytest.raises(UsageError, match="the maximum there is 1000, and"):
        export(book, "canvas", grouped)
    with pytest.raises(UsageError, match="everybody would get 0"):
        export(book, "canvas", CANVAS.replace("10.00,10.00", '10.00,"0,0"'), maximum="scale")
    with pytest.raises(UsageError, match="not Canvas's"):
        export(book, "canvas", "id,name\ns01,Ada\n")


GERMAN = MoodleWords(
    "ID", "Bewertung", "Zuletzt geändert (Bewertung)", "Feedback als Kommentar", "Teilnehmer/in", ","
)
KEPT = "<p>Meet me.</p>"
LOCKED_IN_MOODLE = "s09"


def worksheet(words: MoodleWords, *, maximum: str, blind: bool = False) -> str:
    """A worksheet as Moodle writes it; whoever is blind is known by number alone."""
    names = [] if blind else ["Vollständiger Name", "E-Mail-Adresse"]
    tail = [
        "Status",
        words.grade,
        "Bestwertung",
        "Änderbar",
        "Zuletzt geändert (Abgabe)",
        words.modified,
        words.comments,
    ]
    lines = io.StringIO()
    write = csv.writer(lines)
    write.writerow([words.identifier, *names, *tail])
    for n, sis in enumerate(SIS):
        person = [] if blind else [NAMES[sis], f"{sis}@example.edu"]
        before = KEPT if sis == "s02" else ""
        free = "Nein" if sis == LOCKED_IN_MOODLE and not blind else "Ja"
        write.writerow(
            [f"{words.participant}{2000 + n}", *person, "Abgegeben", "", maximum, free, "-", "-", before]
        )
    return lines.getvalue()


@pytest.mark.parametrize(("words", "maximum"), [(MoodleWords(), "10.00"), (GERMAN, "10,00")])
def test_moodle_fills_the_worksheet_in_and_leaves_the_rest(
    book: Gradebook, words: MoodleWords, maximum: str
) -> None:
    sheet = worksheet(words, maximum=maximum)
    done = export(book, "moodle", sheet)
    read = moodle_import(
        done.data, participants={2000 + n for n in range(len(SIS))}, maximum=10.0, words=words
    )
    given = [one for one in (*DECIDED, "s15") if one != LOCKED_IN_MOODLE]
    assert done.filled.skipped == {LOCKED_IN_MOODLE: LOCKED}
    assert {who: grade for who, (grade, _) in read.items()} == {
        2000 + SIS.index(sis): final(sis) for sis in given
    }
    assert read[2000][1] == (
        '<div class="chainrule">1.10 Linear layer: 1.5 of 6<br />2 Why?: 0.5 of 4: =1+1 '
        "&lt;script&gt;alert(1)&lt;/script&gt;<br />second line</div>"
    )
    assert read[2001][1].startswith(KEPT)
    before, after = (list(csv.reader(io.StringIO(text))) for text in (sheet, done.data.decode("utf-8-sig")))
    filled = {before[0].index(words.grade), before[0].index(words.comments)}
    changed = {
        (line, place)
        for line, (old, new) in enumerate(zip(before, after, strict=True))
        for place, (was, now) in enumerate(zip(old, new, strict=True))
        if was != now
    }
    assert {place for _, place in changed} == filled
    assert {line - 1 for line, _ in changed} == {SIS.index(sis) for sis in given}
    again = export(book, "moodle", done.data.decode("utf-8-sig"))
    assert again.data == done.data  # our own part of the comments is replaced


def test_a_blind_worksheet_is_filled_by_the_numbers_that_were_handed_in_with(tmp_path: Path) -> None:
    sheet = worksheet(GERMAN, maximum="10,00", blind=True)
    (tmp_path / "blind.csv").write_text(sheet)
    with Gradebook.open(str(tmp_path / "gradebook.sqlite")) as gradebook:
        read_given_roster(tmp_path / "blind.csv", HW, gradebook)
        row = gradebook.add_submission(NewSubmission(HW, "x", "x", "2003"))
        gradebook.store_result(stored("x", Points(425)), [row], author="ada", reason="batch")
        assert gradebook.roster(HW) == ("blind.csv", sheet.encode())
        assert gradebook.add_roster(HW, "blind.csv", sheet.encode()) is False
        done = export(gradebook, "moodle", sheet)
    read = moodle_import(done.data, participants={2003, 2004}, maximum=10.0, words=GERMAN)
    assert {who: grade for who, (grade, _) in read.items()} == {2003: 4.25}


def test_moodle_skips_nothing_without_a_word(book: Gradebook) -> None:
    low = worksheet(MoodleWords(), maximum="2.00")
    done = export(book, "moodle", low, maximum="keep")
    read = moodle_import(
        done.data, participants={2000 + n for n in range(20)}, maximum=2.0, words=MoodleWords()
    )
    assert len(read) == len(done.filled.students) == 3
    whys = {sis: why for sis, why in done.filled.skipped.items() if sis != LOCKED_IN_MOODLE}
    assert all("above the maximum in Moodle" in why for why in whys.values())
    assert len(done.filled.skipped) + 3 == len(done.found.rows)
    with pytest.raises(UsageError, match="not a grading worksheet"):
        export(book, "moodle", CANVAS)


def test_who_is_undecided_is_left_out_and_named(book: Gradebook) -> None:
    found = leaving(class_rows(book, HW))
    assert dict(found.undecided) == {
        "s12": "4 points undecided (2)",
        "s14": "s14.zip: handed in, but cannot be graded: damaged",
    }
    assert found.absent == ["s13"]
    whole = json.loads(b"".join(as_json(found, None, [], assignment=HW)))
    assert {one["student"] for one in whole["left_out"]} == {"s12", "s13", "s14"}
    assert [one["id"] for one in whole["students"]] == [*DECIDED, "s15"]
    assert whole["students"][0]["items"] == {"1.10": 1.5, "2": 0.5}


def test_of_a_large_class_little_is_held(book: Gradebook) -> None:
    row = next(row for row in class_rows(book, HW) if row.student.id == "s01")

    def people(number: int) -> Iterator[ClassRow]:
        for one in range(number):
            mark = Mark(1, "2", Points(50), f"{one} " * 500)
            assert row.total is not None
            items = tuple(replace(item, mark=mark) for item in row.total.items)
            yield replace(row, student=Student(f"x{one}"), total=replace(row.total, items=items))

    def held(number: int) -> int:
        tracemalloc.start()
        sheet = Sheet(("id\n" + "".join(f"x{one}\n" for one in range(number))).encode(), source="r.csv")
        found = leaving(people(number))
        owners = [f"x{one}" for one in range(number)]
        for data in (as_csv(found, sheet, owners), as_json(found, sheet, owners, assignment=HW)):
            assert sum(map(len, data)) > 20 * number
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    held(10)
    assert held(600) - held(100) < 500 * 500, "bytes for each of 500 students"


def test_the_table_keeps_the_rosters_columns_and_survives_a_spreadsheet(book: Gradebook) -> None:
    roster = "Matrikel;id;name\n007;s01;=cmd\n1E5;s02;b\n"
    sheet = read_sheet(roster.encode(), source="r.csv")
    found = leaving(class_rows(book, HW))
    data = b"".join(as_csv(found, sheet, matched(sheet, book.students(), book, HW).students))
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0][:4] == ["key", "Matrikel", "id", "name"]
    assert rows[0][-2:] == ["#1.10", "#2"]
    assert rows[1][:4] == ["#s01", "007", "s01", "'=cmd"]
    assert len(rows) == 1 + len(found.rows)


def test_a_name_decides_only_where_a_sheet_tells_nothing_else(tmp_path: Path) -> None:
    with Gradebook.open(str(tmp_path / "gradebook.sqlite")) as gradebook:
        gradebook.add_students([Student("s1", "Ada Lovelace"), Student("s2", "Bob"), Student("s3", "Cyd")])
        sheets = {
            "id,name\ns9,Ada Lovelace\ns2,Ada Lovelace\n": ["", "s2"],
            "Identifier,Full name\nParticipant 7,Ada Lovelace\nParticipant 8,Eve\n": ["s1", ""],
            "id,name\ns2,Bob\ns2,Bob B.\n": ["", ""],
        }
        for text, students in sheets.items():
            sheet = read_sheet(text.encode(), source="r.csv")
            found = matched(sheet, gradebook.students(), gradebook, HW)
            assert found.students == students
            assert found.strangers


MANIFEST = f"""title = "{HW}"
points = 10
[[item]]
id = "1.10"
title = "Linear layer"
points = 6
[[item]]
id = "2"
title = "Why?"
kind = "written"
points = 4
rubric = [{{ points = 4, text = "Says why." }}]
"""


def test_the_command_writes_the_file_and_names_who_is_not_in_it(book: Gradebook, tmp_path: Path) -> None:
    (tmp_path / "assignment.toml").write_text(MANIFEST)
    where = ["--assignment", str(tmp_path), "--db", book.place]
    done = CliRunner().invoke(cli, ["export", "canvas", str(tmp_path / "c.csv"), *where])
    assert done.exit_code == 1, done.output
    assert "c.csv: 11 grades; 3 left out, 1 handed in nothing" in done.output
    assert "left out: s12: 4 points undecided (2)\n" in done.output
    assert "left out: s15: excused in Canvas\n" in done.output
    read = canvas_import((tmp_path / "c.csv").read_bytes(), students=CANVAS_STUDENTS, assignments={42: HW})
    assert len(read.grades) == len(DECIDED)
    done = CliRunner().invoke(cli, ["export", "moodle", str(tmp_path / "m.csv"), *where])
    assert isinstance(done.exception, UsageError)
    assert "not a grading worksheet with points; get it there" in str(done.exception)
    assert not (tmp_path / "m.csv").exists()
