"""The data that the grader holds: checked when an assignment is loaded, beside the notebook when it runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from grader.grading.assignment_folder import load
from grader.model.errors import ManifestError

MANIFEST = """
title = "T"
points = 1

[data]
digits = {{ path = "reference/digits.txt", sha256 = "{sha256}" }}

[[item]]
id = "1"
title = "One"
points = 1
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference/digits.txt").write_text("0123456789")
    sha256 = hashlib.sha256(b"0123456789").hexdigest()
    (tmp_path / "assignment.toml").write_text(MANIFEST.format(sha256=sha256))
    return tmp_path


def test_data_lie_beside_the_notebook(home: Path) -> None:
    assert load(home).given_files() == {"digits.txt": (home / "reference/digits.txt").resolve()}


def test_one_changed_byte_stops_the_assignment(home: Path) -> None:
    (home / "reference/digits.txt").write_text("0123456780")
    with pytest.raises(
        ManifestError, match=r"data 'digits': 'reference/digits.txt' has SHA-256 \w+, expected"
    ):
        load(home)


def test_missing_data_stop_the_assignment(home: Path) -> None:
    (home / "reference/digits.txt").unlink()
    with pytest.raises(ManifestError, match=r"data 'digits': 'reference/digits.txt' is no file"):
        load(home)
