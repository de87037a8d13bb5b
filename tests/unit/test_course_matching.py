"""Whose file it is: hints of every layout against rosters, and never somebody else's grade."""

import re
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.matching import Matcher, name_keys, several, without_roster
from grader.gradebook.rows import Student
from grader.handed_in.collect import collect
from grader.handed_in.graded_file import Expected
from grader.model.owner_hints import OwnerHint

ADA = Student("al1", "Ada Lovelace", "ada@example.edu")
JAN = Student("0815", "van der Berg, Jan", "jan.berg@example.edu")
ZOE = Student("zs", "Zoë Müller-Šimić", "zoe@example.edu")
LEE = Student("lee", "李小龙")
CAROL = Student("co", "Carol O'Neill", "carol@example.edu")
MATCHER = Matcher([ADA, JAN, ZOE, LEE, CAROL])


def plain(*words: str) -> OwnerHint:
    return OwnerHint(words=words, label="/".join(words))


@pytest.mark.parametrize(
    ("hint", "student"),
    [
        (OwnerHint(id="al1"), ADA),
        (OwnerHint(id="AL1"), ADA),
        (OwnerHint(id="unknown", email="Ada@Example.edu"), ADA),
        (OwnerHint(id="jan.berg"), JAN),
        (OwnerHint(name="lovelaceada", number="4711"), ADA),
        (OwnerHint(name="vanderbergjan", number="4712"), JAN),
        (OwnerHint(name="Jan van der Berg", number="4712"), JAN),
        (OwnerHint(name="müllersimiczoë"), ZOE),
        (OwnerHint(name="Zoe Muller Simic"), ZOE),
        (OwnerHint(name="李小龙"), LEE),
        (OwnerHint(name="oneillcarol"), CAROL),
        (OwnerHint(name="Ada King"), None),
        (plain("hw3", "ada", "section B"), ADA),
        (plain("Lovelace, Ada"), ADA),
        (plain("jan.berg"), JAN),
        (plain("carol@example.edu"), CAROL),
        (plain("Carol_ONeill"), CAROL),
        (OwnerHint(id="815"), None),
        (OwnerHint(), None),
    ],
)
def test_whom_a_hint_means(hint, student):
    assert MATCHER.match(hint).student == student


def test_nobody_is_said_in_a_line_that_tells_what_to_do():
    why = MATCHER.match(OwnerHint(name="Mallory", number="13")).why
    assert why == "nobody on the roster is Mallory / 13; add them, or rename the file to their id"


def test_two_of_one_name_are_nobody_unless_something_else_tells():
    twins = Matcher([Student("1", "Li Na Wang", "a@x.edu"), Student("2", "Lina Wang", "b@x.edu")])
    unknown = twins.match(OwnerHint(name="wanglina", number="99"))
    assert unknown.student is None
    assert "Li Na Wang (1), Lina Wang (2)" in unknown.why
    for hint in (OwnerHint(name="wanglina", email="b@x.edu"), OwnerHint(name="wanglina", number="2")):
        assert twins.match(hint).student.id == "2"


def test_evidence_for_two_people_is_evidence_for_nobody():
    for hint in (
        OwnerHint(id="al1", email="jan.berg@example.edu"),
        plain("ada", "zoe"),
        OwnerHint(id="zs", name="Ada Lovelace"),
    ):
        answer = MATCHER.match(hint)
        assert answer.student is None
        assert "may be" in answer.why


def test_a_platforms_number_alone_is_no_id():
    assert MATCHER.match(OwnerHint(number="0815")).student is None
    assert MATCHER.match(OwnerHint(name="Ada Lovelace", number="0815")).student == ADA
    assert Matcher([Student("0815")]).match(OwnerHint(name="somebody", number="0815")).student.id == "0815"


def test_what_else_a_roster_calls_a_student():
    known = [Student("M2", "John Smith"), Student("M3", "Ann Smith")]
    matcher = Matcher(known, logins={"j_smith": "M2", "smith": "M3", "old": "gone"}, numbers={"7": "M3"})
    hints = [OwnerHint(id="J_Smith"), plain("hw3", "smith"), OwnerHint(id="old")]
    assert [matcher.match(hint).student for hint in hints] == [*known, None]
    # The platform's number is certain, whatever the name; another account of the name is another person.
    assert matcher.match(OwnerHint(name="smithannaprefers", number="7")).student == known[1]
    two = [OwnerHint(name="Ann Smith", number="7"), OwnerHint(name="Ann Smith", number="8")]
    assert [match.student for match in matcher.match_all(two)] == [known[1], None]


def test_two_accounts_of_one_name_are_two_people():
    two = [
        OwnerHint(name="lovelaceada", number="4711"),
        OwnerHint(name="lovelaceada", number="4712"),
        plain("ada"),
    ]
    first, second, third = MATCHER.match_all(two)
    assert (first.student, second.student, third.student) == (None, None, ADA)
    assert "the numbers 4711, 4712" in first.why
    assert [match.student for match in MATCHER.match_all([two[0], two[0]])] == [ADA, ADA]


@pytest.mark.parametrize(
    ("hint", "id_"),
    [
        (OwnerHint(id="al1", name="Ada", email="a@b", number="3", label="x"), "al1"),
        (OwnerHint(name="Ada", email="a@b", number="3", label="x"), "a@b"),
        (OwnerHint(name="Ada", number="3", label="Ada 3"), "3"),
        (plain("section B", "ada"), "section B/ada"),
    ],
)
def test_without_a_roster_the_hint_is_the_student(hint, id_):
    student = without_roster(hint)
    assert (student.id, student.name) == (id_, hint.name)


def table_of_layouts() -> list[tuple[str, str]]:
    """Each layout's example in the instructors' page, and the id that it says it gives."""
    text = (Path(__file__).parents[2] / "docs/instructors.md").read_text(encoding="utf-8")
    table = text.split("whose it is without a roster |\n|---|---|\n")[1].split("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`", line) for line in table.splitlines()]
    return [(row[0], row[-1]) for row in rows]


@pytest.mark.parametrize(("example", "id_"), table_of_layouts())
def test_the_instructors_page_says_whose_a_file_is(tmp_path, example, id_):
    path = tmp_path / "class" / example
    path.parent.mkdir(parents=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("work/hw3.ipynb", "{}")
        (path.parent / "bob.ipynb").write_bytes(b"{}")
    else:
        path.write_bytes(b"{}")
    if example.startswith("submission_"):
        lines = (
            "submission_101:\n  :submitters:\n  - :name: Ada\n    :sid: al1\n    :email: ada@example.edu\n"
        )
        (tmp_path / "class/submission_metadata.yml").write_text(lines, encoding="utf-8")
    found = next(collect(tmp_path / "class", into=tmp_path / "kept", expected=Expected(("hw3.ipynb",))))
    assert without_roster(found.who).id == id_


def test_who_handed_in_several_files_is_told_and_which_counts():
    files = [("ada", "a.ipynb", ""), ("bob", "b.ipynb", ""), ("ada", "c.ipynb", "")]
    assert list(several(files)) == ["ada handed in 2 files: a.ipynb, c.ipynb; the latest counts: c.ipynb"]
    timed = [("ada", "a.ipynb", "2026-11-20T10:00:00+00:00"), ("ada", "c.ipynb", "2026-11-19T10:00:00+00:00")]
    assert next(several(timed)).endswith("the latest counts: a.ipynb")
    many = [("ada", f"{n}.ipynb", "") for n in range(9)]
    assert "3.ipynb and 5 more" in next(several(many))


NAMES = st.one_of(
    st.text(st.sampled_from("aAbé ö-' ,.ßıİσςが李́"), max_size=8),
    st.sampled_from(
        [
            "Ada Lovelace",
            "Lovelace Ada",
            "adalovelace",
            "Li Na Wang",
            "Lina Wang",
            "Wang, Li Na",
            "José",
            "Jose",
        ]
    ),
    st.text(max_size=12),
)
IDS = st.one_of(
    st.sampled_from(["ada", "Ada", "1", "2", "lovelace", "ada@x.edu"]), st.text(min_size=1, max_size=4)
)
EMAILS = st.sampled_from(["", "ada@x.edu", "ADA@y.edu", "lovelace@x.edu", "1@x.edu", "2@y.edu"])
ROSTERS = st.lists(
    st.builds(Student, IDS, NAMES, EMAILS), min_size=1, max_size=6, unique_by=lambda one: one.id
)


def of_canvas(name: str) -> str:
    """A name as Canvas puts it before a file: word characters in lower case."""
    return "".join(sign for sign in name if sign == "_" or unicodedata.category(sign)[0] in "LNM").lower()


def hints_of(student: Student) -> list[OwnerHint]:
    """What the layouts make of one student."""
    turned = " ".join(reversed(student.name.rsplit(" ", 1)))
    return [
        OwnerHint(id=student.id),
        OwnerHint(id=student.id, name=student.name, email=student.email),
        OwnerHint(name=student.name, number="4711", label=student.name),
        OwnerHint(name=unicodedata.normalize("NFD", student.name)),
        OwnerHint(name=student.name.upper()),
        OwnerHint(name=of_canvas(student.name), number="4711"),
        OwnerHint(name=of_canvas(turned), number=student.id),
        plain(student.id),
        plain(student.name, "section"),
        plain("hw3", student.email.partition("@")[0]),
        plain(student.email),
    ]


@given(ROSTERS, st.data())
def test_a_students_hint_never_means_another_student(students, data):
    own = data.draw(st.sampled_from(students))
    matcher = Matcher(students)
    for hint in hints_of(own):
        assert matcher.match(hint).student in (own, None), hint


@given(NAMES)
def test_a_name_is_found_in_every_way_to_write_it(name):
    if name_keys(name):
        alone = Matcher([Student("one", name)])
        turned = " ".join(reversed(name.rsplit(" ", 1)))
        for written in (name, turned, of_canvas(name), of_canvas(turned), unicodedata.normalize("NFD", name)):
            assert alone.match(OwnerHint(name=written)).student is not None, written


@given(st.lists(st.builds(OwnerHint, id=IDS, name=NAMES, email=EMAILS), max_size=6))
def test_without_a_roster_one_id_is_never_two_peoples(hints):
    ids = {hint.id: without_roster(hint).id for hint in hints}
    assert len(set(ids.values())) == len(ids)
