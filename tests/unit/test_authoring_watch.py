"""What a save changes: which checks of a file differ, and which files were saved at all."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from grader.authoring import saved_files
from grader.authoring.saved_files import SavedFiles
from grader.authoring.watch import changed_functions, merged
from grader.grading.checking import Ended
from grader.model.errors import Outcome
from grader.model.points import Points
from grader.model.records import CheckResult

ONE = Points.of(1)

TEXT = '''
"""Checks."""
X = 1

@points(1)
def test_one(student):
    """one"""
    assert student.one == X

def test_two(student):
    """two"""
    assert student.two == 2
'''


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("== 2", "== 3", {"test_two"}),
        ('"""one"""', '"""uno"""', {"test_one"}),
        ("@points(1)", "@points(2)", {"test_one"}),
        ("X = 1", "X = 2", None),
        ("def test_two", "def test_three", {"test_three"}),
        ("def test_two", "def helper", None),
        ("def test_two", "async def test_two", None),
        ("student.one == X", "student.one == (X)  # the same", set()),
        ("assert student.two == 2", "assert student.two == 2 + test_one", None),
        ("def test_two(student)", "def test_two(student", None),
    ],
)
def test_only_checks_that_differ_are_named(old: str, new: str, names: set[str] | None) -> None:
    assert changed_functions(TEXT, TEXT.replace(old, new)) == names


def test_a_save_with_the_same_content_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("1")
    saved = SavedFiles(lambda: [path])
    path.write_text("1")
    assert saved.wait(seconds=0.3) == frozenset()
    path.write_text("2")
    assert saved.wait(seconds=5) == {path}
    assert saved.wait(seconds=0.1) == frozenset()


def test_a_file_that_is_gone_for_a_moment_was_saved_once(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("1")
    saved = SavedFiles(lambda: [path])

    def editor() -> None:
        path.rename(tmp_path / "a.py~")
        time.sleep(0.2)
        path.write_text("2")

    thread = threading.Thread(target=editor)
    thread.start()
    assert saved.wait(seconds=10) == {path}
    thread.join()
    assert saved.wait(seconds=0.2) == frozenset()


def test_files_that_come_and_go_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_files, "COMES_BACK", 0.1)
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text("1")
    saved = SavedFiles(lambda: sorted(tmp_path.glob("*.py")) or [old])
    old.unlink()
    assert saved.wait(seconds=5) == {old}
    new.write_text("1")
    assert saved.wait(seconds=5) == {new}


def ended(results: dict[str, bool], **rest: Any) -> Ended:
    """Checks by name, and whether they passed."""
    found = {
        name: CheckResult(name, name, "1", Outcome.PASSED if passed else Outcome.FAILED, ONE, ONE)
        for name, passed in results.items()
    }
    return Ended(found, **{"collected": tuple(found), **rest})


def test_what_did_not_run_again_keeps_its_result_and_its_messages() -> None:
    before = ended({"a": True, "b": False, "c": True}, missing={("1", "a"): "old", ("1", "b"): "kept"})
    found = ended(
        {"a": False}, collected=("a", "b"), missing={("1", "a"): "new"}, if_theirs={("1", "a"): "x"}
    )
    after = merged(before, found)
    assert [(name, str(one.outcome)) for name, one in after.results.items()] == [
        ("a", "failed"),
        ("b", "failed"),
    ]
    assert (after.missing, after.if_theirs) == ({("1", "a"): "new", ("1", "b"): "kept"}, {("1", "a"): "x"})
    unread = merged(before, ended({}, errors=("test_c.py: cannot be imported",)))
    assert set(unread.results) == {"a", "b", "c"}
    right_now = merged(before, ended({"b": True}, collected=("a", "b", "c")))
    assert ("1", "b") not in right_now.missing
