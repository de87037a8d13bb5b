"""What a gradebook promises, held by SQLite and by PostgreSQL alike."""

import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from grader.gradebook import schema, store
from grader.gradebook.database import writing
from grader.gradebook.marker_notes import OPINION
from grader.gradebook.rows import (
    Arrival,
    Extension,
    ItemPoints,
    Mark,
    NewSubmission,
    Owner,
    Refusal,
    StoredResult,
    Student,
)
from grader.gradebook.rubrics import Ruling
from grader.gradebook.store import Gradebook
from grader.model.errors import GradebookError
from grader.model.points import Points

HW = "HW3"
ITEM = ItemPoints("3.1.1", "Linear layer", "code", 400, 600, decided=True)
PRINTS = (("4.1.ii", "run abc"),)
NOON = "2026-11-20T12:00:00+00:00"
WHO = {"author": "ada", "reason": "batch"}


def a_result(key: str = "k1", *, sha256: str = "aa", earned: int = 20, record: bytes = b"{}") -> StoredResult:
    return StoredResult(
        key,
        HW,
        sha256,
        {"3.1.1": "x"},
        (ITEM,),
        PRINTS,
        record,
        Points.of(earned),
        Points.of(46),
        Points.of(30),
    )


def a_submission(name: str = "ada.ipynb", **fields: str) -> NewSubmission:
    return NewSubmission(assignment=HW, name=name, sha256="aa", **fields)


def test_a_student_is_what_was_last_written(gradebook: Gradebook) -> None:
    ada = Student("1", "Ada", "ada@example.org")
    assert gradebook.add_students([ada, Student("2", "Bob")]) == 2
    assert gradebook.add_students([ada]) == 0
    assert gradebook.add_students([Student("1", "Ada L.", "ada@example.org")]) == 1
    assert {student.name for student in gradebook.students().values()} == {"Ada L.", "Bob"}


def test_the_same_submission_has_one_row(gradebook: Gradebook) -> None:
    first = gradebook.add_submission(a_submission(student="1"))
    assert gradebook.add_submission(a_submission(student="1")) == first
    assert gradebook.add_submission(a_submission(student="2")) != first
    assert (
        gradebook.add_submission(a_submission(student="1", submitted_at="2026-11-01T00:00:00+00:00")) != first
    )
    assert [row.student for row in gradebook.submissions(HW)] == ["1", "2", "1"]
    assert list(gradebook.submissions("HW4")) == []


def test_a_result_is_kept_once_and_found_by_key_and_content(gradebook: Gradebook) -> None:
    record = b'{"printed": "\xc3\xa9\x00"}' * 1000
    first = a_result(record=record)
    assert gradebook.add_result(first)
    assert not gradebook.add_result(first)
    assert gradebook.result("k1") == first
    assert gradebook.result("k2") is None
    later = a_result("k2", earned=21)
    gradebook.add_result(later)
    assert gradebook.latest_result(HW, "aa") == later
    assert gradebook.latest_result(HW, "bb") is None
    assert gradebook.known_keys(["k1", "k3", "k2"]) == {"k1", "k2"}
    assert gradebook.known_keys([f"k{number}" for number in range(1200)]) == {"k1", "k2"}


def test_records_are_read_by_their_keys(gradebook: Gradebook) -> None:
    keys = [f"k{number}" for number in range(120)]
    for key in keys:
        gradebook.add_result(a_result(key, record=key.encode()))
    found = dict(gradebook.records(["none", *keys[1:], keys[1]]))
    assert found == {key: key.encode() for key in keys[1:]}


def test_the_last_grade_counts_and_the_history_stays(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    assert gradebook.store_result(a_result(), [row], **WHO) == 1
    assert gradebook.store_result(a_result(), [row], **WHO) == 0
    gradebook.add_result(a_result("k2", earned=22))
    assert gradebook.add_grade(row, "k2", author="bob", reason="test of 3.1.1 was wrong")
    [grade] = gradebook.grades(HW)
    assert (grade.earned, grade.author, grade.submission.row) == (Points.of(22), "bob", row)
    assert grade.items == (ITEM,)
    assert list(gradebook.fingerprints(HW)) == [("ada.ipynb", "", frozenset(PRINTS))]
    assert [key for key, *_ in gradebook.grade_history(row)] == ["k1", "k2"]
    assert gradebook.add_grade(row, "k1", author="bob", reason="it was right after all")
    assert [key for key, *_ in gradebook.grade_history(row)] == ["k1", "k2", "k1"]


def test_booking_is_all_or_nothing(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    with pytest.raises(GradebookError):
        gradebook.store_result(a_result(), [row, row + 1000], **WHO)
    assert gradebook.result("k1") is None
    assert list(gradebook.grades(HW)) == []


def test_the_last_mark_counts_and_can_be_withdrawn(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    mark = Mark(row, "3.2.3.i", Points.of("1.5"), "good", "ada", "rubric")
    assert gradebook.add_marks([mark]) == 1
    assert gradebook.add_marks([mark]) == 0
    assert gradebook.add_marks([msgspec.structs.replace(mark, points=Points.of(2), author="bob")]) == 1
    [found] = gradebook.marks(HW).values()
    assert (found.points, found.author, found.comment) == (Points.of(2), "bob", "good")
    assert gradebook.add_marks([msgspec.structs.replace(mark, points=None, comment="")]) == 1
    assert gradebook.marks(HW) == {}
    assert [entry.points for entry in gradebook.mark_history(row, "3.2.3.i")] == [
        Points.of("1.5"),
        Points.of(2),
        None,
    ]


def test_a_mark_of_no_submission_is_refused_with_all_that_came_with_it(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    with pytest.raises(GradebookError):
        gradebook.add_marks([Mark(row, "a", Points.of(1)), Mark(row + 7, "a", Points.of(1))])
    assert gradebook.marks(HW) == {}


def write_marking(gradebook: Gradebook, row: int) -> None:
    """A row in each of the markers' tables."""
    marking, notes = gradebook.marking(HW), gradebook.marker_notes(HW)
    marking.begin_rubric("b", [(Points.of(1), "line")])
    marking.save("b", Ruling(), {row: 0}, Points.of(1), author="ada", origins={}, action="a", also=OPINION)
    notes.flag(row, "b", words="look", author="ada")
    request = notes.add_request(row, "b", words="why?", author="eve")
    notes.reply(request, words="because", author="ada")


@pytest.mark.parametrize("table", [table.name for table in schema.FACTS])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_rows_cannot_be_changed_or_deleted(gradebook: Gradebook, table: str, statement: str) -> None:
    row = gradebook.add_submission(a_submission())
    gradebook.add_students([Student("1", "Ada")])
    gradebook.store_result(a_result(), [row], **WHO)
    gradebook.add_marks([Mark(row, "a", Points.of(1))])
    gradebook.add_arrivals([(row, Arrival(NOON))], **WHO)
    gradebook.add_owners([Owner(row, "1")])
    gradebook.add_extensions(HW, [Extension("1", NOON)])
    gradebook.add_participants(HW, {"2012": "1"})
    gradebook.add_refusals(HW, [Refusal("a.zip", "damaged", "1")])
    gradebook.add_roster(HW, "r.csv", b"id\n1\n")
    write_marking(gradebook, row)
    column = schema.metadata.tables[table].columns.keys()[1]
    with (
        pytest.raises(GradebookError, match="never changed or deleted"),
        writing(gradebook._engine) as connection,
    ):
        connection.execute(text(statement.format(table, column, column)))


def test_what_cannot_be_read_is_known_until_it_can_be(gradebook: Gradebook) -> None:
    damaged, empty = Refusal("a.zip", "damaged", "1"), Refusal("b", "empty")
    assert gradebook.add_refusals(HW, [damaged, empty]) == 2
    assert gradebook.add_refusals(HW, [damaged, Refusal("b", "")]) == 1
    assert gradebook.refusals(HW) == [damaged]
    assert gradebook.refusals("HW9") == []


def test_tables_cannot_be_emptied(gradebook: Gradebook) -> None:
    if gradebook._engine.dialect.name == "postgresql":
        with pytest.raises(GradebookError, match="never changed"), writing(gradebook._engine) as connection:
            connection.execute(text("TRUNCATE grade"))


def test_a_reader_that_stops_halfway_keeps_nobody_waiting(
    gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PAGE", 50)
    gradebook.add_submissions(a_submission(f"{number:04}") for number in range(51))
    rows = gradebook.submissions(HW)
    assert next(rows).name == "0000"
    gradebook.add_submission(a_submission("last"))
    assert [row.name for row in rows] == [*(f"{number:04}" for number in range(1, 51)), "last"]


def test_times_are_utc_and_in_order(gradebook: Gradebook) -> None:
    gradebook.add_submission(a_submission("a"))
    gradebook.add_submission(a_submission("b"))
    first, second = (row.received_at for row in gradebook.submissions(HW))
    assert first < second
    assert first.endswith("+00:00")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.binary())
def test_any_text_and_bytes_come_back(gradebook: Gradebook, words: str, data: bytes) -> None:
    row = gradebook.add_submission(a_submission(f"n{words}", student=words))
    gradebook.add_marks([Mark(row, "item", Points.of(1), words + "!")])
    assert next(entry for entry in gradebook.submissions(HW) if entry.row == row).student == words
    assert gradebook.marks(HW)[row, "item"].comment == words + "!"
    key = f"key {words!r} {data!r}"
    gradebook.add_result(a_result(key, record=data))
    found = gradebook.result(key)
    assert found is not None
    assert found.record == data


def test_many_writers_lose_nothing(gradebook: Gradebook, url: str) -> None:
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with Gradebook.open(url) as own:
                for step in range(10):
                    row = own.add_submission(a_submission(f"{number}-{step}"))
                    own.store_result(a_result(f"{number}-{step}"), [row], **WHO)
        except BaseException as error:  # noqa: BLE001  # shown below
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert len(list(gradebook.grades(HW))) == 40


def test_what_is_known_of_some_submissions_alone(
    gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_AT_ONCE", 2)
    rows = gradebook.add_submissions([a_submission(str(number)) for number in range(6)])
    for row in rows:
        for again in ("old", "new"):
            gradebook.store_result(a_result(f"{again}{row}"), [row], **WHO)
            gradebook.add_marks([Mark(row, "item", Points(row), again)])
    of = [rows[4], rows[0], rows[2]]
    assert {one.row for one in gradebook.submissions(HW, of=of)} == set(of)
    assert {one.key for one in gradebook.grades(HW, of=of)} == {f"new{row}" for row in of}
    assert gradebook.marks(HW, of=of) == {
        key: mark for key, mark in gradebook.marks(HW).items() if key[0] in of
    }
    assert not [*gradebook.submissions(HW, of=[]), *gradebook.grades(HW, of=[]), *gradebook.marks(HW, of=[])]
    assert not list(gradebook.grades("HW4", of=of))


def test_one_batch_at_a_time(gradebook: Gradebook, url: str) -> None:
    with Gradebook.open(url) as other:
        with gradebook.one_batch(HW, who="batch 17 on here"):
            second = other.one_batch(HW, who="me")
            with pytest.raises(GradebookError, match=r"running already \(batch 17 on here"), second:
                pytest.fail("two batches at once")
        with other.one_batch(HW, who="me"):
            pass


def test_the_result_kept_last(gradebook: Gradebook) -> None:
    assert gradebook.latest_result(HW) is None
    gradebook.add_result(a_result("k1"))
    gradebook.add_result(a_result("k0", sha256="bb"))
    found = gradebook.latest_result(HW)
    assert found is not None
    assert found.key == "k0"


def test_when_a_submission_came_is_learnt_later_and_the_last_word_counts(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission(student="1"))
    one = {"author": "eve", "reason": "times.csv"}
    assert gradebook.add_arrivals([(row, Arrival(late=True))], **one) == 1
    assert gradebook.add_arrivals([(row, Arrival(NOON))], **one) == 1
    assert (
        gradebook.add_arrivals([(row, Arrival()), (row, Arrival(NOON)), (row, Arrival(late=True))], **one)
        == 0
    )
    [found] = gradebook.submissions(HW)
    assert (found.submitted_at, found.late) == (NOON, True)
    assert gradebook.add_arrivals([(row, Arrival("2026-11-21T12:00:00+00:00", late=False))], **one) == 1
    gradebook.store_result(a_result(), [row], **WHO)
    [grade] = gradebook.grades(HW)
    assert (grade.submission.submitted_at, grade.submission.late) == ("2026-11-21T12:00:00+00:00", False)
    assert gradebook.add_submission(a_submission(student="1")) == row  # its time is not what it is known by


def test_a_submission_of_nobody_is_given_to_a_student_and_stays_theirs(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    gradebook.store_result(a_result(), [row], **WHO)
    assert gradebook.add_owners([Owner(row, "1", "eve", "wrote to me")]) == 1
    assert gradebook.add_owners([Owner(row, "1", "bob", "again")]) == 0
    assert [entry.student for entry in gradebook.submissions(HW)] == ["1"]
    assert [grade.submission.student for grade in gradebook.grades(HW)] == ["1"]
    assert gradebook.add_submission(a_submission(student="1")) == row
    assert gradebook.add_submission(a_submission()) == row
    gradebook.add_owners([Owner(row, "2", "eve", "no, from Bob")])
    assert {key: owner.student for key, owner in gradebook.owners(HW).items()} == {("ada.ipynb", "aa"): "2"}
    assert gradebook.add_submission(a_submission(student="1")) != row


def test_an_owner_of_no_submission_is_refused_with_all_that_came_with_it(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    with pytest.raises(GradebookError, match="no submission"):
        gradebook.add_owners([Owner(row, "1"), Owner(row + 7, "1")])
    assert gradebook.owners(HW) == {}


def test_the_last_extension_counts_and_can_be_withdrawn(gradebook: Gradebook) -> None:
    first = Extension("1", NOON, "eve", "ill")
    assert gradebook.add_extensions(HW, [first, Extension("2", NOON)]) == 2
    assert gradebook.add_extensions(HW, [first]) == 0
    assert (
        gradebook.add_extensions(HW, [Extension("1", "2026-11-22T12:00:00+00:00", "eve", "still ill")]) == 1
    )
    found = gradebook.extensions(HW)["1"]
    assert (found.until, found.author, found.reason) == ("2026-11-22T12:00:00+00:00", "eve", "still ill")
    assert found.at
    assert gradebook.add_extensions(HW, [Extension("1", ""), Extension("3", "")]) == 1
    assert set(gradebook.extensions(HW)) == {"2"}
    assert gradebook.extensions("HW4") == {}


def test_a_platforms_numbers_belong_to_one_assignment(gradebook: Gradebook) -> None:
    assert gradebook.add_participants(HW, {"2012": "ada", "2013": "bob"}) == 2
    assert gradebook.add_participants(HW, {"2012": "ada", "2013": "cyd"}) == 1
    assert gradebook.participants(HW) == {"2012": "ada", "2013": "cyd"}
    assert gradebook.participants("HW4") == {}


def test_why_a_result_needs_attention_is_known_without_its_record(gradebook: Gradebook) -> None:
    row = gradebook.add_submission(a_submission())
    result = msgspec.structs.replace(a_result(), attention="defines none of the names asked for")
    gradebook.store_result(result, [row], **WHO)
    assert gradebook.result("k1") == result
    assert [grade.attention for grade in gradebook.grades(HW)] == [result.attention]
