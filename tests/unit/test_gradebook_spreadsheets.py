"""CSV files as people and platforms write them."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.rows import Student
from grader.gradebook.spreadsheets import parse_points, read_roster, read_table, write_table
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
    assert read_roster(CANVAS.encode(), source="c.csv") == [
        Student("901", "Lovelace, Ada", "", "A"),
        Student("902", "Turing, Alan", "", "B"),
    ]


def test_a_roster_of_moodle_with_semicolons_and_a_byte_order_mark() -> None:
    found = read_roster(b"\xef\xbb\xbf" + MOODLE.encode(), source="m.csv")
    assert found == [Student("s1", "Ada Lovelace", "ada@example.org")]


def test_a_roster_of_gradescope() -> None:
    found = read_roster(GRADESCOPE.replace("\n", "\r\n").encode("utf-16"), source="g.csv")
    assert found == [Student("s1", "Ada Lovelace", "ada@example.org")]


def test_who_has_no_id_is_known_by_the_address() -> None:
    assert read_roster(b"email,name\na@b.c,Ada\n", source="r.csv")[0].id == "a@b.c"


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
