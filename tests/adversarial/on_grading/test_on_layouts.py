"""Attacks by the layout of an archive: what lies beside the notebook decides nothing for the grader."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rows import COURSE, honest, tried
from support.small_course import SmallCourse, points_by_item

from grader.model.errors import SubmissionError
from grader.model.records import Grade

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

WRONG = "\n# %%\ndef softmax(X):\n    return X\n"
ITEMS = ("softmax", "describe")
LINK = 0o120777 << 16


@pytest.fixture(scope="module")
def course() -> Iterator[SmallCourse]:
    with SmallCourse(COURSE) as made:
        yield made


def zip_of(place: Path, files: dict[str, str], *, links: dict[str, str] | None = None) -> Path:
    path = place / "hw.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, LINK
            archive.writestr(info, target)
    return path


def graded(course: SmallCourse, place: Path, beside: dict[str, str], *, source: str = "") -> Grade:
    files = {"hw.py": source or honest() + WRONG, **beside}
    return course.grade_archive(zip_of(place, files), only=ITEMS)


def test_an_honest_archive_earns_all(course: SmallCourse, tmp_path: Path) -> None:
    """The control of what lies beside."""
    grade = graded(course, tmp_path, {"notes.txt": "x"}, source=honest())
    assert points_by_item(grade) == {"softmax": "1", "describe": "1"}


AGREES = "def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"


@tried("layouts", "has a conftest.py, pytest.ini and plugins beside the notebook that let every check pass")
def test_conftest_beside(course: SmallCourse, tmp_path: Path) -> None:
    names = ("conftest.py", "hidden_tests/conftest.py", "../x/conftest.py".removeprefix("../x/"), "pytest.py")
    grade = graded(
        course, tmp_path, {**dict.fromkeys(names, AGREES), "pytest.ini": "[pytest]\naddopts=-k no"}
    )
    assert points_by_item(grade) == {"softmax": "0", "describe": "1"}


@tried("layouts", "has its own grader, numpy and sitecustomize beside the notebook")
def test_library_beside(course: SmallCourse, tmp_path: Path) -> None:
    fake = "def __getattr__(name):\n    return lambda *a, **k: True\n"
    names = ("grader/__init__.py", "grader/checks/closeness.py", "sitecustomize.py", "usercustomize.py")
    grade = graded(course, tmp_path, dict.fromkeys(names, fake))
    assert points_by_item(grade) == {"softmax": "0", "describe": "1"}


@tried("layouts", "has its own assignment.toml, hidden tests and reference in its archive")
def test_assignment_in_the_archive(course: SmallCourse, tmp_path: Path) -> None:
    manifest = '[[item]]\nid = "softmax"\ntitle = "x"\npoints = 99\n'
    tests = "def test_softmax(student):\n    pass\n"
    beside = {
        "assignment.toml": manifest,
        "hidden_tests/test_pieces.py": tests,
        "reference/hw.py": "softmax = 1",
    }
    grade = graded(course, tmp_path, beside)
    assert points_by_item(grade) == {"softmax": "0", "describe": "1"}
    assert str(grade.possible) == "2"


@tried("layouts", "has its own copy of a given file, which makes both sides wrong alike")
def test_given_file_replaced(course: SmallCourse, tmp_path: Path) -> None:
    beside = {"kit.py": "def scale(x, factor):\n    return [0.0 for _ in x]\n"}
    wrong = honest() + "\n# %%\ndef scaled(x):\n    return [0.0 for _ in x]\n"
    archive = zip_of(tmp_path, {"hw.py": wrong, **beside})
    grade = course.grade_archive(archive, only={"scaled", "scaled, by theirs"})
    assert points_by_item(grade) == {"scaled": "0", "scaled, by theirs": "0"}  # the given one is used


@tried("layouts", "has a link to the machine's files beside the notebook, and one in its place")
def test_links_in_a_zip(course: SmallCourse, tmp_path: Path) -> None:
    archive = zip_of(
        tmp_path,
        {"hw.py": honest() + "\n# %%\nopen('secret.txt').read()\n"},
        links={"secret.txt": "/etc/passwd", "kit2.py": "../../../etc/passwd"},
    )
    grade = course.grade_archive(archive, only=ITEMS)
    assert points_by_item(grade) == {"softmax": "1", "describe": "1"}
    assert any("FileNotFoundError" in cell.error for cell in grade.cells)
    assert any("secret.txt" in line for line in grade.notices)
    only = zip_of(tmp_path, {}, links={"hw.py": "/etc/passwd"})
    with pytest.raises(SubmissionError, match="link"):
        course.grade_archive(only)


@tried("layouts", "has members whose names lead out of the archive")
@pytest.mark.parametrize("name", ["../kit.py", "/etc/kit.py", "a/../../kit.py", "..\\kit.py", "C:\\kit.py"])
def test_names_that_lead_out(course: SmallCourse, tmp_path: Path, name: str) -> None:
    grade = graded(course, tmp_path, {name: "x = 1"}, source=honest())
    assert points_by_item(grade) == {"softmax": "1", "describe": "1"}
    assert any("leads out" in line for line in grade.notices)
    found = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert found <= {"hw.zip", "unpacked"}


@tried("layouts", "has two files whose names differ in case, one of them wrong")
def test_names_that_differ_in_case(course: SmallCourse, tmp_path: Path) -> None:
    """One is graded, the same whatever the order in the archive; a line names both."""
    files = {"hw.py": honest(), "HW.PY": honest() + WRONG}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = course.grade_archive(zip_of(tmp_path / "a", files), only=ITEMS)
    second = course.grade_archive(zip_of(tmp_path / "b", dict(reversed(files.items()))), only=ITEMS)
    assert points_by_item(first) == points_by_item(second)
    assert first.notices == second.notices
    assert any("is graded" in line and "not graded: " in line for line in first.notices)
