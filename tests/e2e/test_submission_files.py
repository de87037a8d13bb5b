"""Submissions of several files, in a real sandbox: what lies where, what is graded, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files
from support.boxes import mode_here
from support.notebooks import as_bytes, code, notebook, prose

from grader.grading import assignment_folder, opening
from grader.grading.execution import Progress, Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.grading.pipeline import grade_file
from grader.handed_in.named import package_of
from grader.handed_in.package import load
from grader.model.isolation import Mode
from grader.model.records import CellStatus, Grade, ItemResult
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.notebook import Notebook

MANIFEST = manifest(Item("1", "One"), Item("2", "Two"), given=["given/kit.py"], limits={"cell_seconds": 2})
HW = MANIFEST.replace('title = "Tiny"', 'title = "Tiny"\nnotebook = "reference/hw.py"')
CHECKS = """
from grader import assert_close, item, points


@item("1")
@points(1, hint="the author's hint")
def test_one(student):
    assert_close(student.one(), 1)


@item("2")
@points(1, hint="the author's hint")
def test_two(student):
    assert_close(student.two(), 2)
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcesses]:
    with WarmProcesses() as processes:
        yield processes


Run = Callable[..., Grade]


@pytest.fixture
def run(warm: WarmProcesses, tmp_path: Path) -> Run:
    """Grades these files as one student's folder."""

    def graded(
        files: Mapping[str, str | bytes],
        *,
        checks: str = CHECKS,
        toml: str = MANIFEST,
        mode: Mode | None = None,
        public: bool = False,
    ) -> Grade:
        home = write_files(
            tmp_path / "course",
            {"assignment.toml": toml, "hidden_tests/test_it.py": checks, "given/kit.py": "given = 'given'\n"},
        )
        write_files(home, {"public_tests/test_it.py": checks} if public else {})
        folder = tmp_path / "ada"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        course = assignment_folder.load(home)
        submission = load(package_of(folder, course.expected, into=tmp_path / "unpacked"))

        def opener(job: GradeJob, part: SubmissionFiles, progress: Progress) -> Notebook:
            if mode is None:
                return warm.open_notebook(job, part, progress)
            spec = opening.replace(opening.box_spec(job), mode=mode)
            return opening.open_sandboxed(job, part, warm.zygote(opening.preload(part)), spec)

        job = GradeJob(folder, course, seed=1, public=public)
        return grade_file(job, submission, opener=opener, progress=Silent()).grade

    return graded


def ipynb(*sources: str) -> bytes:
    """A notebook of code cells; those that begin with # and a blank are prose."""
    return as_bytes(notebook(prose(text) if text.startswith("# ") else code(text) for text in sources))


def earned(grade: Grade) -> list[str]:
    return [str(item.earned) if item.decided else "undecided" for item in grade.items]


def message(item: ItemResult) -> str:
    (check,) = item.checks
    return check.message


BOTH = "def one(): return 1\ndef two(): return 2"


@pytest.mark.parametrize("mode", sorted({mode_here(), Mode.LANDLOCK, Mode.NONE}))
def test_modules_and_data_lie_where_the_student_laid_them(run, mode):
    files = {
        "hw.ipynb": ipynb(
            "from layers.conv import one", "def two(): return float(open('data/two.txt').read())"
        ),
        "layers/__init__.py": "",
        "layers/conv.py": "from . import deep\ndef one(): return deep.ONE",
        "layers/deep.py": "ONE = 1",
        "data/two.txt": "2",
    }
    grade = run(files, mode=mode)
    assert earned(grade) == ["1", "1"], grade.cells
    assert [file.place for file in grade.submission.files] == sorted(files)
    assert grade.notices == ()


def test_what_lies_around_a_notebook_in_a_folder_lies_around_it_while_it_runs(run):
    files = {"code/hw.ipynb": ipynb("import own", "one, two = own.one, own.two"), "code/own.py": BOTH}
    assert earned(run(files)) == ["1", "1"]


def test_a_check_reaches_a_module(run):
    checks = CHECKS.replace("student.one()", 'student.module("layers.conv").one()').replace(
        "student.two()", 'student.module("nowhere").two()'
    )
    grade = run({"hw.ipynb": ipynb("x = 1"), "layers/conv.py": BOTH}, checks=checks)
    assert earned(grade) == ["1", "0"]
    assert (
        message(grade.items[1])
        == "Your code raised ModuleNotFoundError: No module named '…'. the author's hint"
    )


def test_what_the_course_gives_is_used_in_place_of_a_copy_and_a_changed_copy_is_named(run):
    own = ipynb("import kit", "def one(): return 1 if kit.given == 'given' else 0", "def two(): return 2")
    grade = run({"hw.ipynb": own, "kit.py": "given = 'changed'\n"})
    assert earned(grade) == ["1", "1"]
    assert [notice for notice in grade.notices if "kit.py" in notice]
    assert not run({"hw.ipynb": own, "kit.py": "given = 'given'\n"}).notices


def test_another_notebook_runs_by_its_name(run):
    files = {
        "hw.ipynb": ipynb("%run other.ipynb", "two = twice"),
        "other.ipynb": ipynb("def one(): return 1", "def twice(): return 2"),
    }
    assert earned(run(files, toml=HW)) == ["1", "1"]


SCRIPT = """
import sys, pickle, inspect
from pathlib import Path

class Point:
    x = 1

def one():
    assert sys.argv == [Path(__file__).name], sys.argv
    return pickle.loads(pickle.dumps(Point())).x

def two():
    return 2 if "return 2" in inspect.getsource(two) and (Path(__file__).parent / "data.txt").exists() else 0

if __name__ == "__main__":
    raise SystemExit("it ran")
"""


def test_a_script_knows_its_place(run):
    assert earned(run({"hw.py": SCRIPT, "data.txt": "x"})) == ["1", "1"]


TWO = MANIFEST + '\n[submission]\nnotebooks = ["part1.ipynb", "part2.ipynb"]\n'


def test_two_notebooks_have_two_states_and_an_item_finds_its_own_by_its_heading(run):
    files = {
        "part1.ipynb": ipynb("# ## 1 One", "state = 'first'", "def one(): return 1"),
        "part2.ipynb": ipynb("# ## 2 Two", "def two(): return 2 if 'state' not in globals() else 0"),
    }
    grade = run(files, toml=TWO)
    assert earned(grade) == ["1", "1"]
    assert [(cell.file, cell.cell) for cell in grade.cells] == [
        ("part1.ipynb", 2),
        ("part1.ipynb", 3),
        ("part2.ipynb", 2),
    ]


def test_an_item_may_name_its_notebook(run):
    toml = TWO.replace('title = "Two"', 'title = "Two"\nnotebook = "part2.ipynb"')
    files = {"part1.ipynb": ipynb("def one(): return 1"), "part2.ipynb": ipynb("def two(): return 2")}
    assert earned(run(files, toml=toml)) == ["1", "1"]


def test_a_notebook_that_was_not_handed_in_leaves_its_items_undecided(run):
    toml = TWO.replace('title = "Two"', 'title = "Two"\nnotebook = "part2.ipynb"')
    grade = run({"part1.ipynb": ipynb("def one(): return 1")}, toml=toml)
    assert earned(grade) == ["1", "undecided"]
    assert grade.attention == ("no notebook was handed in for 2",)


def test_a_file_that_defines_nothing_of_what_is_asked_for_is_one_headline(run):
    grade = run({"hw.ipynb": ipynb("x = 1")})
    assert earned(grade) == ["undecided", "undecided"]
    assert grade.attention == (
        "hw.ipynb defines none of the names asked for (`one`, `two`); is it the right file?",
    )
    assert not any(item.checks for item in grade.items)


@pytest.mark.parametrize("source", ["def one(:\n  return 1", "def one(): return 1\nraise ValueError"])
def test_a_broken_definition_is_no_wrong_file(run, source):
    grade = run({"hw.ipynb": ipynb(source)})
    assert earned(grade)[1] == "0"
    assert not grade.attention


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        (["def ones(): return 1", "def two(): return 2"], "your notebook defines `ones`"),
        (["def One(): return 1", "def two(): return 2"], "your notebook defines `One`"),
        (["x", "def two(): return 2"], "`one` is not defined in your notebook."),
        (["1 / 0\ndef one(): return 1", "def two(): return 2"], "cell 1 should define it, but it raised an"),
        (["from nowhere import one", "def two(): return 2"], "imports it from `nowhere`"),
    ],
)
def test_a_missing_name_is_named_with_its_reason_or_the_nearest(run, sources, says):
    grade = run({"hw.ipynb": ipynb(*sources)})
    assert earned(grade) == ["0", "1"]
    assert message(grade.items[0]).startswith("`one` is not defined")
    assert says in message(grade.items[0])


@pytest.mark.parametrize(
    ("name", "source"),
    [("own.py", "def one(): return 1"), ("notes.ipynb", ipynb("def one(): return 1"))],
)
def test_what_another_file_defines_is_no_silent_zero(run, name, source):
    """The notebook may use it as ``own.one``, or it may be a second graded notebook."""
    grade = run({"hw.ipynb": ipynb("import kit", "def two(): return 2"), name: source}, toml=HW)
    assert earned(grade) == ["undecided", "1"]
    assert grade.attention[0].startswith(f"item 1: {name} defines `one`, hw.ipynb does not")
    assert message(grade.items[0]) == f"`one` is not defined in your notebook; {name} defines it."


def test_what_is_imported_from_a_broken_module_is_the_students_fault(run):
    for importing in ("from own import *", "from own import one"):
        grade = run({"hw.ipynb": ipynb(importing, "def two(): return 2"), "own.py": "def one(): 1\n1 / 0"})
        assert earned(grade) == ["0", "1"]
        assert "imports it from `own`, and the import did not succeed" in message(grade.items[0])


TELL = "raise ValueError('these words of theirs')"
TWO_IS_RIGHT = "def two(): return 2"
IN_A_CELL = {"hw.ipynb": ipynb("x = 1", f"def one():\n    {TELL}", TWO_IS_RIGHT)}
IN_A_MODULE = {
    "hw.ipynb": ipynb("import own\nx = 1\none = own.one", TWO_IS_RIGHT),
    "own.py": f"#\ndef one(): {TELL}",
}
IN_A_SCRIPT = {"hw.py": f"x = 1\n\ndef one():\n    {TELL}\n\n{TWO_IS_RIGHT}"}
OF_OWN_KIND = {
    "hw.ipynb": ipynb("class OwnError(Exception): pass", "def one(): raise OwnError('x')", TWO_IS_RIGHT)
}
OF_A_TOLD_KIND = {
    "hw.ipynb": ipynb("def one():\n    raise type('secret', (Exception,), {})('x')", TWO_IS_RIGHT)
}
AT_A_TOLD_LINE = {
    "hw.ipynb": ipynb(
        "def one():\n    exec(compile('\\n' * 4711 + 'raise ValueError', '<ipython-input-1-ab>', 'exec'))",
        TWO_IS_RIGHT,
    )
}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (IN_A_CELL, "ValueError in cell 2, line 2: these words of theirs."),
        (IN_A_MODULE, "ValueError in own.py, line 2: these words of theirs."),
        (IN_A_SCRIPT, "ValueError in hw.py, line 4: these words of theirs."),
        (OF_OWN_KIND, "OwnError in cell 2, line 1: x."),
        (OF_A_TOLD_KIND, "an exception in cell 1, line 2."),
        (AT_A_TOLD_LINE, "ValueError in cell 1, line 2."),
    ],
)
def test_in_a_hidden_check_the_kind_of_the_error_and_its_line_are_the_students_to_read(run, files, says):
    grade = run(files)
    assert earned(grade) == ["0", "1"]
    assert message(grade.items[0]) == f"Your code raised {says} the author's hint"


def test_errors_of_a_script_name_its_lines(run):
    grade = run({"hw.py": "import math\n\n\nx = 1 / 0\n\ndef one(): return 1\n\nif\n\ndef two(): return 2\n"})
    bad = [cell for cell in grade.cells if cell.status is not CellStatus.OK]
    assert [cell.line for cell in bad] == [4, 8]
    assert "hw.py, line 4" in bad[0].traceback
    assert "(hw.py, line 8)" in bad[1].error


def test_a_cells_traceback_has_the_files_own_number(run):
    grade = run({"hw.ipynb": ipynb("# prose", "# more", "import math\nx = 1\n1 / 0", BOTH)})
    (bad,) = [cell for cell in grade.cells if cell.status is not CellStatus.OK]
    assert bad.cell == 3
    assert "cell 3, line 3" in bad.traceback
    assert "In[" not in bad.traceback


@pytest.mark.parametrize("mode", sorted({mode_here(), Mode.LANDLOCK}))
def test_a_module_that_never_returns_and_one_that_imports_itself_cost_only_their_import(run, mode):
    files = {
        "hw.ipynb": ipynb("import endless", "from round import there", BOTH),
        "endless.py": "while True: pass",
        "round.py": "from trip import back\nthere = 1",
        "trip.py": "from round import there\nback = 1",
    }
    grade = run(files, mode=mode)
    assert earned(grade) == ["1", "1"]
    assert [cell.status for cell in grade.cells] == [CellStatus.TIMED_OUT, CellStatus.RAISED, CellStatus.OK]
    assert "circular import" in grade.cells[1].error


def test_a_module_with_the_name_of_an_installed_one_is_named_and_harms_nobody(run):
    files = {
        "hw.ipynb": ipynb(
            "import numpy, colorsys\ndef one(): return float(numpy.ones(1)[0])",
            "def two(): return colorsys.two",
        ),
        "numpy.py": "raise SystemExit",
        "colorsys.py": "two = 2",
        "traceback.py": "raise SystemExit",
        "grader/__init__.py": "raise SystemExit",
    }  # fmt: skip
    grade = run(files)
    assert earned(grade) == ["1", "1"], grade.cells
    assert any("colorsys, grader, numpy, traceback" in notice for notice in grade.notices)


def test_a_module_that_nobody_handed_in_is_named(run):
    grade = run({"hw.ipynb": ipynb("x = 1", "import layers.conv", BOTH)})
    (notice,) = grade.notices
    assert notice == "`layers` is imported (cell 2) and was not handed in; no installed package has that name"


def test_public_checks_run_beside_the_files(run):
    files = {
        "hw.ipynb": ipynb("from own_module_of_test import one", "def two(): return 2"),
        "own_module_of_test.py": BOTH,
    }
    grade = run(files, public=True)
    assert [str(check.outcome) for item in grade.items for check in item.checks] == ["passed", "passed"]


def test_a_place_that_leads_elsewhere_is_never_written(tmp_path, monkeypatch):
    from grader.inside.files import lay  # noqa: PLC0415

    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    (tmp_path / "in" / "given.py").write_text("given")
    for place in ("../a", "/tmp/a", "link/a", "a/../../b", "", "a//b", "a\0b", "given.py", "x" * 5000):
        assert not lay(place, b"x"), place
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert (tmp_path / "in" / "given.py").read_text() == "given"
    assert lay("a/b/c.txt", b"x")


def test_a_folder_is_graded_by_the_command_and_its_report_has_its_name(run, tmp_path):
    from click.testing import CliRunner  # noqa: PLC0415

    from grader.cli.submission import command  # noqa: PLC0415

    run({"hw.ipynb": ipynb("from own import one, two"), "own.py": BOTH})
    arguments = [
        str(tmp_path / "ada"),
        "--assignment",
        str(tmp_path / "course"),
        "--out",
        str(tmp_path / "out"),
    ]
    result = CliRunner().invoke(command, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["earned"] == 2
    assert (tmp_path / "out" / "ada" / "report.html").is_file()
