"""What a student calls a file never makes it another student's, on any platform."""

from __future__ import annotations

import itertools

import pytest

from grader.handed_in.download_names import READERS, DownloadName

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
