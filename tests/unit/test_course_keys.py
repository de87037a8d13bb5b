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
        "1": "064b6a812f30b2da2ab04b29d0d6333b771569beef094d595439577ca06cbe57",
        "2": "f1076d2693574df7fa46a976ab6cafda9f006015a80699e99166983551f57c77",
    }
    assert keys.result_key(item_keys) == "40817c9e0afe7b5a22d4702187293b322fb6c63b5754591c2a4010c40915b6e9"


def test_calibrations_of_earlier_releases_stay_fresh(tmp_path: Path) -> None:
    """The digest of the reference is written beside the checks; working bounds out again takes an hour."""
    home = pinned_assignment(tmp_path)
    assert reference_digest(home) == "4b5f8d3ecfcf6d49fb125658e6a47b7755cacb451080d59d0cd16e235f290a76"
