"""The names of reports' folders: readable, safe, and never shared by two submissions."""

from __future__ import annotations

import pytest

from grader.course.report_files import MAX_NAME_BYTES, report_name


@pytest.mark.parametrize(
    ("submission", "name"),
    [
        ("hw3.ipynb", "hw3"),
        ("hw3.py", "hw3"),
        ("\u738b 3.ipynb", "\u738b_3"),
        ("../..//etc/passwd", "etc_passwd"),
        ("... .ipynb", "submission"),
        ("a\nb.ipynb", "a_b"),
    ],
)
def test_a_name_keeps_what_every_file_system_takes(submission: str, name: str) -> None:
    assert report_name(submission, taken=()) == name


def test_a_long_name_is_cut_between_characters() -> None:
    name = report_name("\u738b" * 200 + ".ipynb", taken=())
    assert name == "\u738b" * (MAX_NAME_BYTES // 3)


def test_the_second_of_one_name_gets_a_number() -> None:
    assert report_name("b/hw3.ipynb", taken=["b_hw3", "b_hw3-2"]) == "b_hw3-3"


def test_in_a_batch_no_two_names_share_a_folder_whatever_is_lost_of_them() -> None:
    names = ["ada/hw3.ipynb", "ada_hw3.ipynb", "ada hw3.ipynb", "ada_hw3.py", f"{'x' * 200}.ipynb", "x" * 200]
    folders = [report_name(name) for name in names]
    assert len(set(folders)) == len(names)
    assert folders[0] == "ada_hw3-5bb944e1"
    assert report_name("ada/hw3.ipynb") == folders[0]
