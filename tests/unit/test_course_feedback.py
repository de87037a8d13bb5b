"""What students get back: their own notebook, what is safe to say beside its cells, and only what changed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import zipfile
from html import unescape
from pathlib import Path

import msgspec
import nbformat
import pytest
from click.testing import CliRunner
from support.browser import chromium
from support.feedback_class import ALERT, MANIFEST, add, graded, hand_in, make_course, store
from support.importers import canvas_files, moodle_files
from support.inert_page import RUNS, Page, assert_inert
from support.marked_secrets import NUMBER, SECRET, records
from support.notebooks import as_bytes, code, notebook, prose

from grader.cli.feedback import command
from grader.course import feedback
from grader.course.feedback import make, wanted_of
from grader.course.feedback_notebook import KEY, Part, feedback_notebooks, one_notebook, parts_of, written
from grader.course.packages import kept
from grader.course.table import class_rows
from grader.gradebook.rows import Arrival, Mark, NewSubmission, Refusal, Student
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.handed_in.collect import Refused, Submission, collect
from grader.handed_in.graded_file import Expected
from grader.model.assignment import parse
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.model.records import Grade
from grader.notebooks.submission_file import from_bytes, read
from grader.notebooks.submission_files import SubmissionFiles
from grader.reports.feedback_notebook import escaped
from grader.reports.feedback_page import Told, render, runs
from grader.reports.safe_words import SafeGrade, safe_grade

ADA, BOB = Student("ada", "Ada_A Lovelace", "ada@example.edu"), Student("bob", "Bob B")
ASSIGNMENT = parse(MANIFEST)
FOLDERS = {
    "ada": "Ada A Lovelace_11_assignsubmission_file_/hw.ipynb",
    "bob": "Bob B_22_assignsubmission_file_/hw.ipynb",
}


class Course:
    """A course's folder with a class of two, and `grade feedback` on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = make_course(folder / "course")
        self.db = folder / "out" / "gradebook.sqlite"
        self.out = folder / "out" / "feedback"
        self.rows: dict[str, int] = {}

    def hand_in(self, student: Student, grade: Grade, *, name: str = "", reason: str = "batch") -> None:
        path = self.db.parent.parent / f"{student.id}.ipynb"
        if not path.exists():
            hand_in(path)
        with Gradebook.open(str(self.db)) as book:
            called = name or FOLDERS[student.id]
            self.rows[student.id] = add(book, grade, path, student, name=called, reason=reason)

    def mark(self, student: str, item: str, points: float, comment: str) -> None:
        with Gradebook.open(str(self.db)) as book:
            book.add_marks([Mark(self.rows[student], item, Points.of(points), comment, "eve", "marked")])

    def run(self, *options: str, status: int = 0) -> str:
        where = ("--assignment", str(self.folder), "--db", str(self.db), "--workers", "1")
        found = CliRunner().invoke(command, [*options, *where], catch_exceptions=False)
        assert found.exit_code == status, found.output
        return found.output

    def notebook(self, student: str) -> nbformat.NotebookNode:
        made = nbformat.read(self.out / student / f"{student}.feedback.ipynb", as_version=4)
        nbformat.validate(made)
        return made

    def page(self, student: str) -> Page:
        return Page((self.out / student / "feedback.html").read_text(encoding="utf-8"))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = Course(tmp_path)
    for student in (ADA, BOB):
        made.hand_in(student, graded(ASSIGNMENT, "0" * 64))
    return made


def test_a_student_gets_their_own_notebook_with_what_is_said_after_their_cells(course: Course) -> None:
    course.run()
    cells = course.notebook("ada").cells
    own = [cell for cell in cells if "number" in cell.metadata[KEY]]
    handed_in = read(course.db.parent.parent / "ada.ipynb").cells
    assert [cell.source for cell in own] == [cell.source for cell in handed_in]
    said = {
        item: own[-1].metadata[KEY]["number"]
        for at, cell in enumerate(cells)
        for item in cell.metadata[KEY].get("items", [])
        if (own := [before for before in cells[:at] if "number" in before.metadata[KEY]])
    }
    assert said == {"1": 3, "2": 4, "3.i": 6}, "after the definition, the answer, the plot"
    assert "printed" in own[2].outputs[0].text
    assert own[5].outputs[0].data["image/png"]
    assert "text/html" not in json.dumps(cells)
    page = course.page("ada")
    assert "double(x) is twice x wrong value" in page.text
    assert "Nothing recorded was found for 3.i: run the cells of 3" in page.text
    assert "This answer has not been marked yet." in page.text
    assert "data.csv was left out" in page.text
    assert "Cell 7 raised an exception while it was graded. NameError" in page.text
    assert "expected 6" not in page.text + json.dumps(cells)


def test_a_page_runs_nothing_and_fetches_nothing(course: Course) -> None:
    course.mark("ada", "2", 1, f"-1: no reason {ALERT}")
    course.run()
    html = (course.out / "ada" / "feedback.html").read_text(encoding="utf-8")
    assert_inert(html, without=RUNS)
    assert "<script" not in html
    links = [str(one["href"]).removeprefix("#") for one in course.page("ada").all("a")]
    assert set(links) <= {attributes.get("id") for _, attributes in course.page("ada").elements}
    told = [cell.source for cell in course.notebook("ada").cells if "items" in cell.metadata[KEY]]
    assert not any("<" in source for source in told), "in Markdown, too, their words do nothing"


def test_again_only_what_changed_is_written_with_what_and_why(course: Course) -> None:
    course.run()
    before = {path: path.read_bytes() for path in course.out.glob("*/*")}
    assert "2 students, 0 new or changed" in course.run()
    course.mark("bob", "2", 1.5, "-0.5: no reason")
    course.hand_in(ADA, graded(ASSIGNMENT, "1" * 64, earned=0), reason="1 accepts tuples")
    assert "2 students, 2 new or changed" in course.run()
    page = course.page("bob").text
    assert "2 Why: 1.5 of 2 points, before: not decided yet, of 2 points; a person has marked it" in page
    assert "-0.5: no reason" in page
    assert (
        "1 Doubling: 0 of 3 points, before: 1 of 3 points; graded again (1 accepts tuples)"
        in course.page("ada").text
    )
    changed = [path for path, data in before.items() if path.read_bytes() != data]
    assert len(changed) == len(before)
    assert "2 students, 0 new or changed" in course.run()


def test_what_being_late_costs_is_told_and_why_it_no_longer_does(course: Course) -> None:
    with Gradebook.open(str(course.db)) as book:
        arrived = [(course.rows["bob"], Arrival("2026-11-22T01:00+00:00"))]
        book.add_arrivals(arrived, author="eve", reason="batch")
    late = ("--deadline", "2026-11-20T23:59+00:00", "--late-percent", "5")
    course.run(*late)
    words = "Handed in late (2 days): 0.7 points taken off, 0.3 of 7 count so far"
    assert words in course.page("bob").text
    assert unescape(course.notebook("bob").cells[0].source).count(words) == 1
    assert "late" not in course.page("ada").text
    assert "2 students, 0 new or changed" in course.run(*late)
    course.run()
    assert "Nothing is taken off for being late any more" in course.page("bob").text


def test_moodle_gets_each_file_under_its_participant_and_later_only_what_changed(course: Course) -> None:
    to = course.out.parent / "up.zip"
    course.run("--zip", "moodle", "--to", str(to))
    names = zipfile.ZipFile(to).namelist()
    files = moodle_files(names, participants={11, 22})
    assert sorted(files.values()) == [
        (11, "ada.feedback.ipynb"), (11, "feedback.html"), (22, "bob.feedback.ipynb"), (22, "feedback.html")
    ]  # fmt: skip
    course.mark("bob", "2", 1, "")
    course.run("--zip", "moodle", "--to", str(to))
    assert {
        number for number, _ in moodle_files(zipfile.ZipFile(to).namelist(), participants={11, 22}).values()
    } == {22}
    course.run("--zip", "moodle", "--to", str(to), "--all")
    assert len(zipfile.ZipFile(to).namelist()) == 4


def test_canvas_gets_the_notebook_under_the_name_of_its_own_download(course: Course) -> None:
    course.hand_in(Student("cyd"), graded(ASSIGNMENT, "2" * 64), name="cyd_LATE_33_444_hw.ipynb")
    course.hand_in(Student("dan"), graded(ASSIGNMENT, "3" * 64), name="dan_55_666_hw.py")
    to = course.out.parent / "up.zip"
    said = course.run("--zip", "canvas", "--to", str(to), status=1)
    names = zipfile.ZipFile(to).namelist()
    assert canvas_files(names, attachments={444: 33, 666: 55}) == {"cyd_LATE_33_444_hw.ipynb": (33, 444)}
    assert nbformat.reads(zipfile.ZipFile(to).read(names[0]).decode(), as_version=4).cells
    assert "dan: handed in hw.py, and Canvas would show a notebook under that name" in said
    assert "Ada_A Lovelace: no number of Canvas's" in said


def test_canvas_gets_each_of_several_notebooks_under_its_own_name(course: Course) -> None:
    two = MANIFEST.replace('title = "Tiny"', 'title = "Tiny"\nsubmission.notebooks = ["a.ipynb", "b.ipynb"]')
    (course.folder / "assignment.toml").write_text(two)
    home = assignment_folder.load(course.folder)
    download, kept_in = course.out.parent / "download", course.out.parent / "kept"
    download.mkdir(parents=True)
    names = {"cyd_33_444_a.ipynb", "cyd_33_445_b-1.ipynb", "dan_55_666_a.ipynb", "dan_55_667_b.ipynb"}
    for name in names:
        hand_in(download / name)
    with Gradebook.open(str(course.db)) as book:
        for one in collect(download, into=kept_in, expected=home.expected):
            assert isinstance(one, Submission)
            where = kept(one.package, kept_in)
            new = NewSubmission(ASSIGNMENT.title, one.name, one.sha256, one.who.label, where)
            store(book, graded(ASSIGNMENT, one.sha256), new)
    for _ in range(2):  # made, then as they were made
        to = course.out.parent / "up.zip"
        course.run("--zip", "canvas", "--to", str(to), "--all", status=1)
        users = {444: 33, 445: 33, 666: 55, 667: 55}
        assert canvas_files(zipfile.ZipFile(to).namelist(), attachments=users).keys() == names


def test_feedback_that_was_given_back_is_nobodys_work_however_it_comes_back(
    course: Course, tmp_path: Path
) -> None:
    course.run()
    of_bob = (course.out / "bob" / "bob.feedback.ipynb").read_bytes()
    place = tmp_path / "class"
    shutil.copytree(course.out, place / "feedback")
    for name in ("ada/hw.ipynb", "bob/hw.ipynb"):
        (place / name).parent.mkdir()
        hand_in(place / name)
    (place / "ada" / "hw.feedback (1).ipynb").write_bytes(of_bob)
    expected = Expected(("hw.ipynb",))
    found = list(collect(place, into=tmp_path / "kept", expected=expected))
    assert [one.name for one in found if isinstance(one, Submission)] == ["ada/hw.ipynb", "bob/hw.ipynb"]
    (told,) = (one for one in found if isinstance(one, Refused))
    assert (told.name, told.is_ours) == ("feedback", True)
    assert "feedback that `grade feedback` wrote" in told.why

    # Uploaded again under the name of a hand-in, by a student who is told so.
    download = tmp_path / "download.zip"
    with zipfile.ZipFile(download, "w") as archive:
        archive.writestr("ada_1_2_hw.ipynb", of_bob)
        archive.writestr("bob_3_4_hw.ipynb", hand_in(tmp_path / "b.ipynb").read_bytes())
    found = list(collect(download, into=tmp_path / "kept", expected=expected))
    assert [(type(one), one.name) for one in found] == [
        (Refused, "ada_1_2_hw.ipynb"),
        (Submission, "bob_3_4_hw.ipynb"),
    ]
    assert not found[0].is_ours


def test_who_works_on_in_their_feedback_hands_in_their_own_cells(course: Course) -> None:
    course.run()
    tree = json.loads((course.out / "ada" / "ada.feedback.ipynb").read_bytes())
    own = read(course.db.parent.parent / "ada.ipynb").cells
    answer = next(cell for cell in tree["cells"] if "Because" in "".join(cell["source"]))
    answer["source"] = "#### Answer 2\n\nFor another reason."
    again = from_bytes(json.dumps(tree).encode(), name="hw.ipynb")
    assert [cell.source for cell in again.cells] == [
        cell.source if "Because" not in cell.source else answer["source"] for cell in own
    ]
    assert any("of our own feedback left out" in notice for notice in again.notices)


def test_a_table_for_mail_names_each_file_and_says_who_has_no_address(course: Course) -> None:
    to = course.out.parent / "mail.csv"
    assert "Bob B: no e-mail address on the roster" in course.run("--mail", str(to), status=1)
    rows = list(csv.DictReader(io.StringIO(to.read_text(encoding="utf-8-sig"))))
    assert [(row["email"], row["name"]) for row in rows] == [("ada@example.edu", "Ada_A Lovelace")]
    assert Path(rows[0]["file"]).is_file()


def test_one_student_and_one_item(course: Course) -> None:
    course.run("--student", "ada@example.edu", "--only", "2")
    assert [path.name for path in course.out.glob("[a-z]*")] == ["ada"]
    assert "double(0) is 0" not in course.page("ada").text
    assert "0 of 2 points" in course.page("ada").text


def test_cells_as_they_were_given_are_folded_unless_something_is_said_of_the_last() -> None:
    given, own, said = {"number": 1, "given": True}, {"number": 2}, {"items": ["1"]}
    cells = [prose("x") for _ in range(8)]
    for cell, facts in zip(cells, [given, given, own, given, said, given, given, given], strict=True):
        cell.metadata = nbformat.NotebookNode({KEY: facts})
    assert [(folded, len(several)) for folded, several in runs(cells)] == [(True, 2), (False, 3), (True, 3)]


def test_several_notebooks_come_back_each_with_its_own_items(course: Course) -> None:
    two = MANIFEST.replace('title = "Tiny"', 'title = "Tiny"\nsubmission.notebooks = ["a.ipynb", "b.ipynb"]')
    (course.folder / "assignment.toml").write_text(two)
    home = assignment_folder.load(course.folder)
    first = from_bytes(
        as_bytes(notebook([prose("### 1 Doubling"), code("def double(x): pass")])), name="a.ipynb"
    )
    other = from_bytes(as_bytes(notebook([prose("#### Answer 2\n\nSo.")])), name="b.ipynb")
    parts = parts_of(SubmissionFiles((first, other), "0" * 64), home, {"1": frozenset({"double"})})
    made = feedback_notebooks(safe_grade(graded(ASSIGNMENT, "0" * 64)), parts, "Ada", ())
    said = {
        name: [item for cell in one.cells for item in cell.metadata[KEY].get("items", [])]
        for name, one in made.items()
    }
    assert said == {"a.ipynb": ["1"], "b.ipynb": ["2", "3.i"]}, "what stands nowhere comes last"
    assert [cell.source for cell in one_notebook(made).cells if cell.source.endswith(".ipynb")] == [
        "a.ipynb",
        "b.ipynb",
    ]


def test_without_their_file_a_student_still_reads_what_is_said(course: Course) -> None:
    (course.db.parent.parent / "bob.ipynb").unlink()
    assert "Bob B: without their notebook: the file is no longer" in course.run(status=1)
    assert "Is it *twice* x?" in course.page("bob").text
    assert not list((course.out / "bob").glob("*.ipynb"))


def test_who_handed_in_what_cannot_be_read_is_named(course: Course) -> None:
    with Gradebook.open(str(course.db)) as book:
        book.add_refusals(ASSIGNMENT.title, [Refusal("cyd/hw.ipynb", "the file is empty", "cyd")])
    assert "cyd/hw.ipynb: handed in, but cannot be graded: the file is empty" in course.run(status=1)


def test_a_file_that_breaks_us_keeps_nobody_waiting(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = feedback.feedback_notebooks

    def broken(told: SafeGrade, parts: tuple[Part, ...], whose: str, changes: tuple[str, ...]) -> object:
        if parts and whose == "Bob B":
            raise RecursionError("too deep")
        return whole(told, parts, whose, changes)

    monkeypatch.setattr(feedback, "feedback_notebooks", broken)
    assert "Bob B: without their notebook: a defect in Chainrule: RecursionError" in course.run(status=1)
    assert "Is it *twice* x?" in course.page("bob").text
    monkeypatch.undo()
    assert "1 new or changed" in course.run(), "it is tried again"
    assert course.notebook("bob").cells


def test_text_without_end_is_shown_as_it_is_written() -> None:
    cells = [prose("**x** " * 100_000)]
    cells[0].metadata = nbformat.NotebookNode({KEY: {"number": 1}})
    page = render(notebook(cells), Told(safe_grade(graded(ASSIGNMENT, "0" * 64)), "Ada"))
    assert "<strong>x" not in page
    assert "**x**" in page


def test_without_the_libraries_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, course: Course
) -> None:
    monkeypatch.setattr("grader.cli.feedback.is_installed", lambda _: False)
    with pytest.raises(UsageError, match=r"nbconvert and latex2mathml: pip install 'chainrule\[feedback\]'"):
        course.run()


def test_statements_of_a_script_stay_together_until_something_is_said(course: Course) -> None:
    home = assignment_folder.load(course.folder)
    text = b"import numpy\nA = 1\n\ndef double(x):\n    return x\n# then\nB = 2\nC = 3\n"
    script = from_bytes(text, name="hw.py")
    told = safe_grade(graded(ASSIGNMENT, "0" * 64))
    told = msgspec.structs.replace(told, cells=())
    files = SubmissionFiles((script,), script.sha256, {"hw.py": text}, places=("hw.py",))
    parts = parts_of(files, home, {"1": frozenset({"double"})})
    cells = one_notebook(feedback_notebooks(told, parts, "Ada", ())).cells
    own = [cell.source for cell in cells if cell.cell_type == "code"]
    assert own == ["import numpy\nA = 1\n\ndef double(x):\n    return x", "# then\nB = 2\nC = 3"]
    assert [cell.metadata[KEY]["line"] for cell in cells if cell.cell_type == "code"] == [1, 6]
    assert cells[-2].source == "## Not in a cell of your notebook"


@pytest.mark.parametrize(
    "text", ["a*b*", "<b>", "# no", "1. x", "- x", "$x$", "\\(x\\)", "[a](b)", "&amp;", "`x`", "| a |"]
)
def test_markdown_of_a_text_shows_that_text(text: str) -> None:
    assert not set("*<$\\[]`|()-") & set(escaped(text))
    assert unescape(escaped(text)) == text


def test_no_secret_is_in_any_page_or_notebook(course: Course) -> None:
    home = assignment_folder.load(course.folder)
    data = hand_in(course.out.parent / "eve.ipynb").read_bytes()
    files = SubmissionFiles.of_file(from_bytes(data, name="hw3.ipynb"))
    parts = parts_of(files, home, {})
    for grade in records(25):
        told = safe_grade(grade)
        notebooks = feedback_notebooks(told, parts, "Ada", ())
        texts = [
            render(one_notebook(notebooks), Told(told, "Ada")),
            *(written(one).decode() for one in notebooks.values()),
        ]
        for text in texts:
            assert SECRET not in text
            assert str(NUMBER) not in text


def test_what_is_kept_to_tell_changes_holds_no_secret(course: Course) -> None:
    home = assignment_folder.load(course.folder)
    with Gradebook.open(str(course.db)) as book:
        wanted = next(wanted_of(book, list(class_rows(book, ASSIGNMENT.title))))
    made = make(wanted, home, course.out, "2026-11-28T00:00:00+00:00")
    assert made.is_new
    assert "expected" not in (course.out / ".told" / "ada.json").read_text(encoding="utf-8")
    assert hashlib.sha256(wanted.record).hexdigest() != made.digest


def test_each_page_also_as_pdf_by_a_browser(course: Course) -> None:
    chromium()
    course.run("--student", "ada", "--pdf")
    assert (course.out / "ada" / "feedback.pdf").read_bytes().startswith(b"%PDF-")
