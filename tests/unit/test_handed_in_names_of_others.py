"""What a student calls a file never makes it another student's, on any platform."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.handed_in.collect import Submission, collect
from grader.handed_in.download_names import READERS, DownloadName
from grader.handed_in.graded_file import Expected
from grader.handed_in.package import read_ref

PREFIXES = {
    "canvas": "adalovelace_1111_90001_",
    "canvas, late": "adalovelace_LATE_1111_90001_",
    "canvas, anonymous": "anon_Xy12z_90001_",
    "moodle": "Ada Lovelace_1111_assignsubmission_file_",
    "blackboard": "HW3_ada_attempt_2026-11-20-23-59-01_",
    "brightspace": "1111-90001 - Ada Lovelace - Nov 20, 2026 1159 PM - ",
}
OTHERS = {
    "canvas": "bobbyroe_2222_90002_",
    "canvas, late": "bobbyroe_LATE_2222_90002_",
    "canvas, anonymous": "anon_Qq77q_90002_",
    "moodle": "Bobby Roe_2222_assignsubmission_file_",
    "blackboard": "HW3_bobby_attempt_2026-11-21-23-59-01_",
    "brightspace": "2222-90002 - Bobby Roe - Nov 21, 2026 1159 PM - ",
}
FRAMES = (
    "{}hw3.ipynb",
    "_{}hw3.ipynb",
    "LATE_{}hw3.ipynb",
    "x_{}hw3.ipynb",
    "1_{}hw3.ipynb",
    "{0}{0}hw3.ipynb",
)


def read(platform: str, name: str) -> DownloadName:
    """What the platform's reader says of a name."""
    found = READERS[platform.partition(",")[0]](name)
    assert found is not None
    return found


@pytest.mark.parametrize(("platform", "other"), list(itertools.product(PREFIXES, OTHERS)))
@pytest.mark.parametrize("frame", FRAMES)
def test_a_file_named_like_anothers_stays_with_its_owner(platform: str, other: str, frame: str) -> None:
    """Or its name is doubted, and it is nobody's until a person looks."""
    plain = read(platform, f"{PREFIXES[platform]}hw3.ipynb")
    found = read(platform, PREFIXES[platform] + frame.format(OTHERS[other]))
    assert found.who == plain.who
    assert found.doubt or found.file.endswith(frame.format(OTHERS[other]))


@pytest.mark.parametrize("platform", OTHERS)
def test_the_other_student_is_who_the_prefix_says(platform: str) -> None:
    """The control: alone, each of these prefixes names the other student."""
    assert (
        read(platform, f"{OTHERS[platform]}hw3.ipynb").who
        != read(platform, f"{PREFIXES[platform]}hw3.ipynb").who
    )


# -- whole downloads -------------------------------------------------------------------------------------

ADAS, BOBS = b'{"cells": [], "by": "ada"}', b'{"cells": [], "by": "bob"}'
METADATA = """submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1111'
submission_2:
  :submitters:
  - :name: Bobby Roe
    :sid: '2222'
"""
FORGED = METADATA.replace("submission_2", "submission_3").replace("submission_1", "submission_2")
RECEIPTS = {
    "HW3_ada_attempt_2026-11-20-23-59-01.txt": b"Name: Ada Lovelace (ada)\n",
    "HW3_bobby_attempt_2026-11-21-23-59-01.txt": b"Name: Bobby Roe (bobby)\n",
}


@dataclass(frozen=True)
class Platform:
    """A download of two students: ``ada`` and ``bob`` are what stands before their own names for a file."""

    ada: str
    bob: str
    hints: tuple[str, str]
    others: Mapping[str, bytes] = field(default_factory=dict)


PLATFORMS = {
    "canvas": Platform("adalovelace_1111_90001_", "bobbyroe_2222_90002_", ("1111", "2222")),
    "moodle, flat": Platform(
        "Ada Lovelace_1111_assignsubmission_file_",
        "Bobby Roe_2222_assignsubmission_file_",
        ("1111", "2222"),
    ),
    "moodle, folders": Platform(
        "Ada Lovelace_1111_assignsubmission_file_/",
        "Bobby Roe_2222_assignsubmission_file_/",
        ("1111", "2222"),
    ),
    "blackboard": Platform(
        "HW3_ada_attempt_2026-11-20-23-59-01_",
        "HW3_bobby_attempt_2026-11-21-23-59-01_",
        ("ada", "bobby"),
        RECEIPTS,
    ),
    "brightspace, flat": Platform(
        "1111-90001 - Ada Lovelace - Nov 20, 2026 1159 PM - ",
        "2222-90002 - Bobby Roe - Nov 21, 2026 1159 PM - ",
        ("1111", "2222"),
    ),
    "brightspace, folders": Platform(
        "1111-90001 - Ada Lovelace - Nov 20, 2026 1159 PM/",
        "2222-90002 - Bobby Roe - Nov 21, 2026 1159 PM/",
        ("1111", "2222"),
        {"index.html": b"<html></html>"},
    ),
    "gradescope": Platform(
        "submission_1/", "submission_2/", ("1111", "2222"), {"submission_metadata.yml": METADATA.encode()}
    ),
}


def handed_in(platform: Platform, place: Path, own: str, more: Mapping[str, bytes]) -> dict[str, set[bytes]]:
    """The files of each student in a download, by the platform's number or login for them."""
    files = {platform.ada + own: ADAS, platform.bob + "hw3.ipynb": BOBS, **platform.others}
    files |= {platform.ada + name: data for name, data in more.items()}
    path = place / "download.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    found: dict[str, set[bytes]] = {}
    for one in collect(path, into=place / "private", expected=Expected(("hw3.ipynb",))):
        if isinstance(one, Submission):
            who = one.who.id or one.who.number
            found.setdefault(who, set()).update(map(read_ref, one.package.files))
    return found


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("frame", ["{}hw3.ipynb", "_{}hw3.ipynb", "hw3_{}hw3.ipynb", "{}_hw3.ipynb"])
def test_in_a_download_a_file_named_like_anothers_moves_to_nobody(
    name: str, frame: str, tmp_path: Path
) -> None:
    """Whatever words a student chooses, the other student keeps what is theirs and gets nothing else.

    Where a name can be read in two ways, the file is nobody's until a person looks.
    """
    platform = PLATFORMS[name]
    own = frame.format(platform.bob.rstrip("/"))
    found = handed_in(platform, tmp_path, own, {"submission_metadata.yml": FORGED.encode()})
    ada, bob = platform.hints
    assert found[bob] == {BOBS}
    assert ADAS in found.get(ada, {ADAS})
    everybody = {who for who, files in found.items() if ADAS in files}
    assert bob not in everybody


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_students_file_is_theirs(name: str, tmp_path: Path) -> None:
    """The control: with names of their own, both are found, and moving a file would be seen."""
    platform = PLATFORMS[name]
    found = handed_in(platform, tmp_path, "hw3.ipynb", {})
    ada, bob = platform.hints
    assert found == {ada: {ADAS}, bob: {BOBS}}
