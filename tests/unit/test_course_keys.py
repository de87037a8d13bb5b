"""The keys of results: a gradebook that was filled earlier has to know its results under the same keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.assignments import write_files

from grader.course import keys
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.bounds import reference_digest

FILES = {
    "assignment.toml": """
title = "Pinned"
points = 3
notebook = "reference/solved.py"
given = ["reference/helper.py", "reference/data"]

[[item]]
id = "1"
title = "One"
points = 2

[[item]]
id = "2"
title = "Two"
points = 1
rubric = [{ points = 1, text = "says it" }]
""",
    "hidden_tests/test_1.py": '''
from grader import item, points
from helping import NOTHING

pytestmark = item("1")


@points(2)
def test_one(student):
    """one"""
''',
    "hidden_tests/helping.py": "NOTHING = 0\n",
    "hidden_tests/__pycache__/test_1.cpython-311.pyc": "stale",
    "reference/solved.py": "# %%\n1\n",
    "reference/helper.py": "",
    "reference/data/deep/numbers.txt": "1 2 3\n",
    "reports/somebody/grade.json": "{}",
}
SUBMISSION = "ab" * 32


def pinned_assignment(place: Path) -> AssignmentFolder:
    return assignment_folder.load(write_files(place, FILES))


def test_results_of_earlier_releases_keep_their_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """These values are in the gradebooks of courses: if they change, every class is graded again."""
    monkeypatch.setattr(keys, "__version__", "0.1.0")
    monkeypatch.setattr(keys, "SCHEMA", "chainrule.grade/2")
    item_keys = keys.keys_of(pinned_assignment(tmp_path), seed=7).of_items(SUBMISSION)
    assert item_keys == {
        "1": "bb778799f3a962bf40fff7bd05ee5430f8f1d25ce69dc6da0cdaf03885c078c9",
        "2": "5632c52f98529f4bf7a00e7bd98c8628d4e51a699f962c88beb1d59e4fda68df",
    }
    assert keys.result_key(item_keys) == "548408cda78cf15ad531b923130e505ae5fe2de275987013ef31dc42ddcf97b4"


def test_calibrations_of_earlier_releases_stay_fresh(tmp_path: Path) -> None:
    """The digest of the reference is written beside the checks; working bounds out again takes an hour."""
    home = pinned_assignment(tmp_path)
    assert reference_digest(home) == "4b5f8d3ecfcf6d49fb125658e6a47b7755cacb451080d59d0cd16e235f290a76"
