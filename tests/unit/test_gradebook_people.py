"""Students found by whatever a person calls them."""

from __future__ import annotations

import pytest

from grader.gradebook.people import People
from grader.gradebook.rows import Student
from grader.model.errors import UsageError

ADA = Student("s1", "Lovelace, Ada", "ada@example.edu")
BOB = Student("s2", "Bob Hall", "bob@example.edu")
OTHER = Student("s3", "Bob Hall", "hall@example.edu")
LOGINS = {"adal": "s1", "gone": "s7"}
PEOPLE = People({one.id: one for one in (ADA, BOB, OTHER)}, logins=LOGINS, place="book")


@pytest.mark.parametrize(
    "word", ["s1", " S1 ", "AdaL", "ada@example.edu", "ADA", "Ada Lovelace", "lovelace ada"]
)
def test_a_student_has_many_names(word: str) -> None:
    assert PEOPLE.find(word) == ADA


def test_an_id_comes_before_a_name_and_who_is_meant_must_be_clear() -> None:
    assert PEOPLE.find("hall") == OTHER
    with pytest.raises(UsageError, match=r"may be Bob Hall \(s2\), Bob Hall \(s3\); write the id"):
        PEOPLE.find("bob hall")
    for nobody in ("zed", "gone", "", " "):
        with pytest.raises(UsageError, match="nobody in book is"):
            PEOPLE.find(nobody)


def test_without_a_roster_people_are_taken_at_their_word() -> None:
    alone = People({}, others=["s9", ""])
    assert [alone.find(word).id for word in ("S9", "s10")] == ["s9", "s10"]
    with pytest.raises(UsageError):
        alone.find("")
