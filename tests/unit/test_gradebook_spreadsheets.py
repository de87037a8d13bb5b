"""CSV files as people and platforms write them."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.rows import Student
from grader.gradebook.spreadsheets import (
    TimeGiven,
    parse_points,
    read_roster,
    read_table,
    read_times,
    write_table,
)
from grader.gradebook.times import time_in_utc
from grader.model.errors import UsageError
from grader.model.points import Points

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,HW3 (123)
    Points Possible,,,,,46
"Lovelace, Ada",901,s1,ada,A,
"Turing, Alan",902,s2,alan,B,
"""
MOODLE = """First name;Last name;ID number;Email address
Ada;Lovelace;s1;ada@example.org
"""
GRADESCOPE = """Name,SID,Email,Total Score
Ada Lovelace,s1,ada@example.org,
"""


def test_a_roster_of_canvas() -> None:
    assert read_roster(CANVAS.encode(), source="c.csv").students == [
        Student("901", "Lovelace, Ada", "", "A"),
        Student("902", "Turing, Alan", "", "B"),
    ]


REAL_CANVAS = """Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,Exam (42)
,,,,,,Manual Posting
    Points Possible,,,,,,40.00
"Lovelace, Ada",901,s1,ada@example.edu,,A
"Turing, Alan",902,s2,Alan
"Student, Test",204272,,,12345678,A,
"""
BLACKBOARD = """"Last Name","First Name","Username","Student ID","PF 25 [Total Pts: 2 Score] |574283"
"Smith","John","j_smith","M2","2"
"Smith","Ann","smith","M3","2"
"Odd","Two","m2","M4","2"
"Odd","One","twice","M5","2"
"Odd","Other","twice","M6","2"
"""
BRIGHTSPACE = """OrgDefinedId,Username,Last Name,First Name,HW3 Points Grade <Max:9>,End-of-Line Indicator
#123456,#zl5717,Li,Selena,,#
"""


def test_what_canvas_calls_a_student_beside_the_id() -> None:
    roster = read_roster(REAL_CANVAS.encode(), source="c.csv")
    assert [(student.id, student.section) for student in roster.students] == [("901", "A"), ("902", "")]
    assert roster.numbers == {"901": "901", "902": "902"}
    assert roster.logins == {"s1": "901", "ada@example.edu": "901", "s2": "902", "alan": "902"}


def test_a_login_that_means_somebody_else_too_is_nobodys() -> None:
    roster = read_roster(BLACKBOARD.encode(), source="b.csv")
    assert [student.id for student in roster.students] == ["M2", "M3", "M4", "M5", "M6"]
    assert roster.logins == {"j_smith": "M2", "smith": "M3"}


def test_a_roster_of_brightspace_loses_its_number_signs() -> None:
    roster = read_roster(BRIGHTSPACE.encode(), source="d.csv")
    assert (roster.students, roster.logins) == ([Student("123456", "Selena Li")], {"zl5717": "123456"})
    without = BRIGHTSPACE.replace("OrgDefinedId", "X")
    assert read_roster(without.encode(), source="d.csv").students == [Student("zl5717", "Selena Li")]


def test_a_row_that_ends_early_has_empty_cells() -> None:
    assert read_table(b"id,until,reason\nada\nbob,12:00\n", source="t.csv") == [
        {"id": "ada", "until": "", "reason": ""},
        {"id": "bob", "until": "12:00", "reason": ""},
    ]


def test_a_roster_of_moodle_with_semicolons_and_a_byte_order_mark() -> None:
    found = read_roster(b"\xef\xbb\xbf" + MOODLE.encode(), source="m.csv").students
    assert found == [Student("s1", "Ada Lovelace", "ada@example.org")]


def test_a_roster_of_gradescope() -> None:
    found = read_roster(GRADESCOPE.replace("\n", "\r\n").encode("utf-16"), source="g.csv").students
    assert found == [Student("s1", "Ada Lovelace", "ada@example.org")]


WORKSHEET = """Identifier,Full name,Email address,Status,Last modified (submission),Last modified (grade)
Participant 2012,Ada Lovelace,ada@example.org,Submitted,"Friday, 20 November 2026, 11:59 PM",-
Participant 2013,Bob Hall,bob@example.org,No submission,-,-
"""
BLIND = """Identifier,Status,Grade,Last modified (submission)
Participant 2012,Submitted,,"Friday, 20 November 2026, 11:59 PM"
"""


def test_moodles_worksheet_has_numbers_and_times() -> None:
    roster = read_roster(WORKSHEET.encode(), source="w.csv")
    assert roster.students[0] == Student("ada@example.org", "Ada Lovelace", "ada@example.org")
    assert roster.numbers == {"2012": "ada@example.org", "2013": "bob@example.org"}
    assert roster.times == {"ada@example.org": "Friday, 20 November 2026, 11:59 PM"}


def test_in_a_blind_worksheet_the_number_is_the_student() -> None:
    roster = read_roster(BLIND.encode(), source="w.csv")
    assert (roster.students, roster.numbers) == ([Student("2012")], {"2012": "2012"})
    assert list(roster.times) == ["2012"]


GERMAN = """ID,"Vollständiger Name",E-Mail-Adresse,Status,Gruppe,Bewertung,Bestwertung,\
"Bewertung kann geändert werden","Zuletzt geändert (Abgabe)","Zuletzt geändert (Bewertung)",\
"Feedback als Kommentar"
Teilnehmer/in2012,"Ada Lovelace",ada@example.org,"Zur Bewertung abgegeben",A,,"100,00",Ja,\
"Freitag, 20. März 2026, 23:59","Samstag, 21. März 2026, 08:00",
Teilnehmer/in2013,"Bob Hall",bob@example.org,"Keine Abgabe",B,,"100,00",Ja,-,-,
"""
FRENCH = """Identifiant,"Nom complet","Adresse de courriel",Statut,Note,"Note maximale",\
"La note peut être modifiée","Dernière modification (travail remis)","Dernière modification (note)",\
"Feedback par commentaires"
Participant 2012,"Ada Lovelace",ada@example.org,"Remis pour évaluation",,"100,00",Oui,\
"vendredi 20 mars 2026, 23:59",-,
Participant2013,"Bob Hall",bob@example.org,"Aucune remise",,"100,00",Oui,-,-,
"""
SPANISH_BLIND = """Identificador,Estado,Calificación,"Calificación máxima",\
"La calificación puede ser cambiada",\
"Última modificación (entrega)","Última modificación (calificación)"
Participante 2012,"Enviado para calificar",,"10,00",Sí,"viernes, 20 de marzo de 2026, 23:59",-
"""
RUSSIAN = """Идентификатор,Имя,Почта,Состояние,Оценка,Максимум,Изменяемо,Изменено
Участник2012,Ада,ada@example.org,Ответ,,100,Да,-
"""


@pytest.mark.parametrize(
    ("text", "time", "sections"),
    [
        (GERMAN, "Freitag, 20. März 2026, 23:59", ["A", "B"]),
        (FRENCH, "vendredi 20 mars 2026, 23:59", ["", ""]),
    ],
    ids=["german", "french"],
)
def test_a_worksheet_in_another_language_says_the_same(text: str, time: str, sections: list[str]) -> None:
    roster = read_roster(text.encode(), source="w.csv")
    assert roster.students == [
        Student("ada@example.org", "Ada Lovelace", "ada@example.org", sections[0]),
        Student("bob@example.org", "Bob Hall", "bob@example.org", sections[1]),
    ]
    assert roster.numbers == {"2012": "ada@example.org", "2013": "bob@example.org"}
    assert roster.times == {"ada@example.org": time}
    assert time_in_utc(time) == "2026-03-20T23:59:00+00:00"


def test_a_blind_worksheet_in_another_language_has_numbers_and_times() -> None:
    roster = read_roster(SPANISH_BLIND.encode(), source="w.csv")
    assert (roster.students, roster.numbers) == ([Student("2012")], {"2012": "2012"})
    assert time_in_utc(roster.times["2012"]) == "2026-03-20T23:59:00+00:00"


def test_in_a_language_without_a_translation_numbers_and_addresses_are_found() -> None:
    roster = read_roster(RUSSIAN.encode(), source="w.csv")
    assert roster.students == [Student("ada@example.org", "", "ada@example.org")]
    assert (roster.numbers, roster.times) == ({"2012": "ada@example.org"}, {})


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("id,name,a,b,c,d\nada01,Ada,,,,\nada02,Eve,,,,\n", ["ada01", "ada02"]),
        ("group,id\nGroup 1,s1\nGroup 2,s2\n", ["s1", "s2"]),
        ("id,comment\ns1,see x@y.org\ns2,see z@y.org\n", ["s1", "s2"]),
    ],
)
def test_a_table_that_only_looks_like_a_worksheet_is_read_by_its_names(text: str, ids: list[str]) -> None:
    roster = read_roster(text.encode(), source="r.csv")
    assert [student.id for student in roster.students] == ids
    assert roster.numbers == {}
    with pytest.raises(UsageError, match="no column for the students' ids"):
        read_roster(b"Zimmer,Person\nRaum 1,Ada\nRaum 2,Eve\n", source="r.csv")


def test_a_worksheets_number_means_one_person() -> None:
    twice = WORKSHEET.replace("Participant 2013", "Teilnehmer/in 2012")
    with pytest.raises(UsageError, match=r"w\.csv, line 3: the participant 2012 is in two rows"):
        read_roster(twice.encode(), source="w.csv")


def test_canvas_test_student_is_nobody() -> None:
    lines = CANVAS + '"Student, Test",999,,,A,\n'
    assert "999" not in {student.id for student in read_roster(lines.encode(), source="c.csv").students}


def test_a_table_of_times() -> None:
    text = "login;Name;Time;Reason\nada;Ada;2026-11-20T23:59;\n;Bob;2026-11-21 10:00;ill\ncyd;Cyd;;\n"
    assert read_times(text.encode(), source="t.csv") == [
        TimeGiven("ada", "2026-11-20T23:59", "", "t.csv, line 2"),
        TimeGiven("Bob", "2026-11-21 10:00", "ill", "t.csv, line 3"),
    ]
    scores = (
        "First Name,SID,Status,Submission Time\nAda,s1,Graded,2022-06-25 13:16:26 -0600\nBob,s2,Missing\n"
    )
    assert read_times(scores.encode(), source="g.csv") == [
        TimeGiven("s1", "2022-06-25 13:16:26 -0600", "", "g.csv, line 2")
    ]
    for wrong, why in (("id,when\na,b\n", "needs a column time"), ("id,time\n,12:00\n", "no student")):
        with pytest.raises(UsageError, match=why):
            read_times(wrong.encode(), source="t.csv")


def test_who_has_no_id_is_known_by_the_address() -> None:
    assert read_roster(b"email,name\na@b.c,Ada\n", source="r.csv").students[0].id == "a@b.c"


def test_who_is_in_two_sections_is_one_person() -> None:
    rows = "id,name,email,section\n7,Ada,A@b.c,S1\n7,Ada,a@B.c,S2\n7,Ada,,S1\n"
    assert read_roster(rows.encode(), source="r.csv").students == [Student("7", "Ada", "A@b.c", "S1, S2")]
    with pytest.raises(UsageError, match="line 3"):
        read_roster(rows.replace("a@B.c", "other@b.c").encode(), source="r.csv")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("colour,size\nred,1\n", "no column for the students' ids"),
        ("id,name\n1,Ada\n1,Alan\n", "line 3: the id '1' stands for 'Ada' and for 'Alan'"),
    ],
)
def test_a_roster_that_cannot_be_used_is_explained(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read_roster(text.encode(), source="r.csv")


def test_a_table_of_gigabytes_is_refused() -> None:
    with pytest.raises(UsageError, match="at most"):
        read_table(b"id\n" + b"1\n" * 30_000_000, source="r.csv")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_usage_error(data: bytes) -> None:
    with contextlib.suppress(UsageError):
        read_table(data, source="r.csv")


@pytest.mark.parametrize(("text", "points"), [("1.5", "1.5"), ("1,5", "1.5"), ("2", "2"), ("0", "0")])
def test_points_as_people_write_them(text: str, points: str) -> None:
    assert parse_points(text, where="here") == Points.of(points)


@pytest.mark.parametrize("text", ["two", "1e3", "1.234", "NaN", "1.5.2", "99999999999"])
def test_points_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"marks\.csv, line 2"):
        parse_points(text, where="marks.csv, line 2")


def test_an_empty_cell_is_no_mark() -> None:
    assert parse_points("", where="here") is None


def test_cells_run_no_formula() -> None:
    text = "".join(write_table(["name", "points"], [["=HYPERLINK(1)", -1], ["@x\ny", "+3"]]))
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "points"],
        ["'=HYPERLINK(1)", "-1"],
        ["'@x y", "+3"],
    ]


@given(
    st.lists(
        st.lists(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])), min_size=2, max_size=2)
    )
)
def test_what_is_written_can_be_read(rows: list[list[str]]) -> None:
    text = "".join(write_table(["a", "b"], rows))
    found = list(csv.reader(io.StringIO(text)))
    assert found[0] == ["a", "b"]
    assert [[cell.removeprefix("'") for cell in row] for row in found[1:]] == [
        [" ".join(cell.split()).removeprefix("'") for cell in row] for row in rows
    ]
