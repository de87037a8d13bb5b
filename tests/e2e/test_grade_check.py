"""`grade check`: what the reference and the untouched template make of the checks, kept for later grades."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files
from support.commands import run_grade
from support.notebooks import code, write_notebook
from support.small_course import SmallCourse, checks_by_name, points_by_item

from grader.grading import assignment_folder, kept_checks
from grader.grading.arbiter import NOT_PASSED
from grader.grading.execution import Silent
from grader.grading.outcomes import NOT_CARRIED_OUT
from grader.grading.pytest_run import forget
from grader.model.checked import Checked

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

RIGHT_CHECKS = '''
from grader import assert_close, item, points


@item("1")
@points(2)
def test_total(student, rng):
    """total(x) adds x up"""
    x = rng.normal(size=3)
    assert_close(student.total(x), x.sum(), name="total(x)")


@item("2")
@points(1)
def test_factor(student):
    """the factor is 2"""
    assert student.factor.value == 2


@item("2")
@points(0)
def test_name(student):
    """the course's name is there, for which there are no points"""
    assert student.course.value == "ml"
'''
WRONG_CHECK = RIGHT_CHECKS.replace("x.sum()", "x.mean()")
GIFT = RIGHT_CHECKS.replace("student.factor.value == 2", 'student.course.value == "ml"')
PUBLIC = RIGHT_CHECKS.replace("@points(2)\n", "").replace("@points(1)\n", "").replace("@points(0)\n", "")
REFERENCE = """\
# %%
course = "ml"

# %%
### BEGIN SOLUTION
def total(x):
    return sum(x)

factor = 2
### END SOLUTION
"""
CURVE = '''

@item("3")
@points(1)
def test_curve(evidence):
    """a loss was recorded"""
    evidence.recorded.curve("loss")
'''
ITEMS = (Item("1", "Total", points=2), Item("2", "Factor", points=1))


def make(folder: Path, checks: str = RIGHT_CHECKS, *items: Item, reference: str = REFERENCE) -> Path:
    return write_files(
        folder,
        {
            "assignment.toml": manifest(*(items or ITEMS), notebook="reference/hw.py"),
            "hidden_tests/test_all.py": checks,
            "reference/hw.py": reference,
            "reference/public_tests/test_public.py": PUBLIC,
        },
    )


@pytest.fixture
def caches(tmp_path: Path) -> dict[str, str]:
    """An environment with a cache folder of its own for our verdicts, and matplotlib's usual one."""
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "MPLCONFIGDIR": mpl_folder()}


def mpl_folder() -> str:
    import matplotlib as mpl  # noqa: PLC0415  # only where a program is started

    return mpl.get_cachedir()


def grade(folder: Path, *arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run_grade(*arguments, cwd=folder, env={**environ, "COLUMNS": "100"}, timeout=200)


def test_right_checks_pass_and_the_next_grade_says_so(tmp_path, caches):
    home = make(tmp_path / "home")
    (tmp_path / "hw.py").write_text("def total(x):\n    return 0\n", encoding="utf-8")
    before = grade(home, str(tmp_path / "hw.py"), environ=caches)
    assert "Checks: never tried on the reference; run: grade check" in before.stdout

    done = grade(home, "check", "--seeds", "2", environ=caches)

    assert (done.returncode, done.stderr) == (0, "")
    assert "seeds 1 to 2" in done.stdout
    assert done.stdout.count("passes all 3 checks") >= 2  # in the sandbox, and in public
    assert "earns nothing: fails 2 checks; passes test_name" in done.stdout
    after = grade(home, str(tmp_path / "hw.py"), environ=caches)
    assert "Checks: passed by the reference" in after.stdout
    (home / "hidden_tests/test_all.py").write_text(RIGHT_CHECKS + "\n# new\n", encoding="utf-8")
    stale = grade(home, str(tmp_path / "hw.py"), environ=caches)
    assert "and the checks have changed since; run: grade check" in stale.stdout
    write_files(tmp_path, {"class/ada/hw.py": REFERENCE})
    batch = grade(home, "batch", str(tmp_path / "class"), environ=caches)
    assert "checks: tried on" in batch.stderr


def test_a_check_that_the_reference_does_not_pass_is_named_with_its_reason(tmp_path, caches):
    home = make(tmp_path / "home", WRONG_CHECK)
    done = grade(home, "check", "--seeds", "2", environ=caches)
    assert done.returncode == 1
    assert "What the reference does not pass" in done.stdout
    assert "test_total" in done.stdout
    assert "ns-root with seeds 1, 2" in done.stdout or "ns-user with seeds 1, 2" in done.stdout
    assert "total(x): a single number" in done.stdout
    assert "costs nobody a point until then" in done.stdout
    (tmp_path / "hw.py").write_text(REFERENCE, encoding="utf-8")
    graded = grade(home, str(tmp_path / "hw.py"), environ=caches)
    assert "Checks: not right (the reference does not pass 1 check); see: grade check" in graded.stdout


def test_a_check_that_the_template_passes_is_named(tmp_path, caches):
    home = make(tmp_path / "home", GIFT)
    done = grade(home, "check", "--quick", "--json", environ=caches)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["template"]["gifts"] == [["2", "test_factor"]]
    shown = grade(home, "check", "--quick", environ=caches)
    assert "What the untouched template passes" in shown.stdout


def test_a_reference_whose_cell_raises_or_whose_check_cannot_be_imported_is_no_pass(tmp_path, caches):
    home = make(tmp_path / "home", reference=REFERENCE + "\n# %%\n1 / 0\n")
    write_files(home, {"hidden_tests/test_broken.py": "import nowhere_to_be_found\n"})
    done = grade(home, "check", "--quick", environ=caches)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "nowhere_to_be_found" in done.stdout


def test_evidence_that_the_reference_did_not_record_is_named_and_no_failure(tmp_path, caches):
    evidence = RIGHT_CHECKS + CURVE
    home = make(tmp_path / "home", evidence, *ITEMS, Item("3", "Curve", kind="evidence"))
    done = grade(home, "check", "--quick", environ=caches)
    assert done.returncode == 0, done.stdout
    assert "3: not judged" in done.stdout


def test_a_check_of_code_that_asks_for_a_recording_excuses_nobody(tmp_path, caches):
    """The reference cannot hold one: that it fails says nothing about the check."""
    asks = RIGHT_CHECKS.replace("def test_factor(student):", "def test_factor(student, evidence):").replace(
        "    assert student.factor", '    evidence.recorded.curve("loss")\n    assert student.factor'
    )
    home = make(tmp_path / "home", asks)
    with SmallCourse(home) as course:
        assert points_by_item(course.grade("course = 'ml'")) == {"1": "0", "2": "0"}
    done = grade(home, "check", "--quick", environ=caches)
    assert "2: not judged" in done.stdout


@pytest.mark.parametrize("remove", ["reference/hw.py", "assignment.toml", "hidden_tests/test_all.py"])
def test_what_cannot_be_tried_is_one_line(tmp_path, caches, remove):
    home = make(tmp_path / "home")
    (home / remove).unlink()
    if remove.startswith("hidden"):
        (home / "hidden_tests").rmdir()
    done = grade(home, "check", environ=caches)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    if remove == "reference/hw.py":
        assert "no reference to try the checks on: reference/hw.py does not exist" in done.stderr


class Asked(Silent):
    """Counts how often the reference was run."""

    times = 0

    def note(self, text: str) -> None:
        self.times += text.startswith("in doubt")


def test_a_broken_check_costs_nobody_a_point_and_one_run_of_the_reference(tmp_path: Path) -> None:
    home = make(tmp_path / "home", WRONG_CHECK)
    asked = Asked()
    with SmallCourse(home) as course:
        for source in (REFERENCE, REFERENCE.replace("factor = 2", "factor = 3"), "course = 'ml'"):
            found = course.grade(source, progress=asked)
            check = checks_by_name(found)["test_total"]
            assert (str(check.fault), check.message) == ("author", NOT_CARRIED_OUT)
            assert NOT_PASSED in check.detail
            assert points_by_item(found)["1"] == "undecided"
    assert asked.times == 1


def test_a_broken_check_costs_a_class_one_run_of_the_reference(tmp_path, caches):
    home = make(tmp_path / "home", WRONG_CHECK)
    wrong = {f"class/student{n}/hw.py": REFERENCE.replace("factor = 2", f"factor = {n}") for n in range(3, 7)}
    write_files(tmp_path, wrong)
    done = grade(home, "batch", str(tmp_path / "class"), "--workers", "1", environ=caches)
    assert done.returncode == 1
    records = [json.loads(path.read_bytes()) for path in home.glob("reports/student*/grade.json")]
    assert len(records) == 4
    for record in records:
        checks = {check["check"]: check for item in record["items"] for check in item["checks"]}
        assert checks["test_total"]["fault"] == "author"
        assert checks["test_factor"]["fault"] == "student"
    kept = kept_checks.recall("arbiter", assignment_folder.load(home), environ=caches)
    assert kept is not None
    assert len(kept.runs) == 1


def test_a_changed_check_is_asked_about_anew(tmp_path: Path) -> None:
    home = make(tmp_path / "home", WRONG_CHECK)
    wrong = REFERENCE.replace("sum(x)", "sum(x) + 1")
    asked = Asked()
    with SmallCourse(home) as course:
        assert points_by_item(course.grade(wrong, progress=asked))["1"] == "undecided"
    (home / "hidden_tests/test_all.py").write_text(RIGHT_CHECKS, encoding="utf-8")
    forget(lambda path: path.is_relative_to(home))
    with SmallCourse(home) as course:
        assert points_by_item(course.grade(wrong, progress=asked))["1"] == "0"
    assert asked.times == 2


def test_a_right_submission_asks_nobody(tmp_path: Path) -> None:
    asked = Asked()
    with SmallCourse(make(tmp_path / "home")) as course:
        assert points_by_item(course.grade(REFERENCE, progress=asked)) == {"1": "2", "2": "1"}
    assert asked.times == 0


def test_what_is_kept_of_assignments_that_are_gone_is_removed(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    kept = [
        kept_checks.keep(
            "check",
            Checked(schema="chainrule.check/1", assignment=str(place), decides={}, date="", runs=()),
            environ=environ,
        )
        for place in (tmp_path / "gone", tmp_path)
    ]
    assert [path is not None and path.exists() for path in kept] == [False, True]


def test_a_check_that_is_skipped_on_the_reference_is_named_and_no_failure(tmp_path, caches):
    skipping = RIGHT_CHECKS.replace(
        "    assert student.course.value", "    pytest.skip('not this year')\n    assert student.course.value"
    )
    done = grade(make(tmp_path / "home", "import pytest\n" + skipping), "check", "--quick", environ=caches)
    assert done.returncode == 0, done.stdout
    assert "test_name (not this year)" in done.stdout


def test_the_reference_may_be_a_notebook(tmp_path, caches):
    home = make(tmp_path / "home")
    given, solved = (code(cell.strip()) for cell in REFERENCE.split("# %%\n")[1:])
    write_notebook(home / "reference/hw.ipynb", [given, solved])
    (home / "reference/hw.py").unlink()
    write_files(home, {"assignment.toml": manifest(*ITEMS, notebook="reference/hw.ipynb")})
    done = grade(home, "check", "--quick", environ=caches)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("passes all 3 checks") >= 2  # in the sandbox, and in public
    assert "earns nothing: fails 2 checks" in done.stdout
