"""An assignment that is packed here and unpacked elsewhere gives the same grades."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files

from grader.course.keys import keys_of
from grader.course.packing import pack, unpack
from grader.digests import files_below
from grader.grading import assignment_folder
from grader.model.errors import UsageError

MANIFEST = manifest(
    Item("1", "One", points=2),
    notebook="reference/solved.py",
    given=["reference/helper.py", "reference/data"],
)
CHECK = '''
from grader import item, points
from helping import NOTHING

pytestmark = item("1")


@points(2)
def test_one(student):
    """one"""
'''


@pytest.fixture
def home(tmp_path: Path) -> Path:
    files = {
        "assignment.toml": MANIFEST,
        "hidden_tests/test_1.py": CHECK,
        "hidden_tests/helping.py": "NOTHING = 0\n",
        "hidden_tests/__pycache__/test_1.cpython-311.pyc": "stale",
        "reference/solved.py": "# %%\n1\n",
        "reference/helper.py": "",
        "reference/data/deep/numbers.txt": "1 2 3\n",
        "reports/somebody/grade.json": "{}",
        ".git/config": "",
    }
    return write_files(tmp_path / "home", files)


def test_what_is_unpacked_has_the_same_keys_and_nothing_else(home: Path, tmp_path: Path) -> None:
    unpack(pack(assignment_folder.load(home)), tmp_path / "there")
    there = assignment_folder.load(tmp_path / "there")
    assert keys_of(there, seed=3) == keys_of(assignment_folder.load(home), seed=3)
    assert there.sha256 == assignment_folder.load(home).sha256
    assert [name for name, _ in files_below(there.path)] == [
        "assignment.toml",
        "hidden_tests/helping.py",
        "hidden_tests/test_1.py",
        "reference/data/deep/numbers.txt",
        "reference/helper.py",
        "reference/solved.py",
    ]


def test_student_code_may_read_what_is_unpacked(home: Path, tmp_path: Path) -> None:
    (home / "reference/data/deep/numbers.txt").chmod(0o600)
    packed, before = pack(assignment_folder.load(home)), os.umask(0o077)
    try:
        unpack(packed, tmp_path / "there")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "there").rglob("*")}
    assert modes == {0o755, 0o644}


def test_the_bytes_depend_on_the_contents_alone(home: Path) -> None:
    before = pack(assignment_folder.load(home))
    for path in home.rglob("*.py"):
        os.utime(path, (1, 1))
    (home / "reports/more.json").write_text("{}")
    assert pack(assignment_folder.load(home)) == before
    (home / "hidden_tests/helping.py").write_text("NOTHING = 1\n")
    assert pack(assignment_folder.load(home)) != before


def test_too_much_is_refused_in_one_line(home: Path) -> None:
    (home / "reference/data/large").write_bytes(bytes(1 << 20))
    with pytest.raises(UsageError, match=r"more than 1 MB \(reference/data/large is the last straw\)"):
        pack(assignment_folder.load(home), max_bytes=1 << 20)


def test_a_link_of_another_name_is_refused(home: Path) -> None:
    (home / "reference/helper.py").unlink()
    (home / "reference/helper.py").symlink_to(home / "reference/solved.py")
    with pytest.raises(UsageError, match=r"reference/helper.py is a link to solved.py"):
        pack(assignment_folder.load(home))


def test_nothing_lands_elsewhere(tmp_path: Path) -> None:
    hostile = io.BytesIO()
    with tarfile.open(fileobj=hostile, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"), io.BytesIO())
    with pytest.raises(tarfile.TarError):
        unpack(hostile.getvalue(), tmp_path / "there")
    assert not (tmp_path / "outside").exists()
