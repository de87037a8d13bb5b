"""Answers are one if they differ in nothing that counts: only in blanks, capitals, emphasis, a full stop."""

from __future__ import annotations

import pytest

from grader.review.wording import plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No, more updates.", "no  more updates"),
        ("**No.** More updates!", "no. more updates"),
        ("`alpha` = 0.5", "alpha = 0.5."),
        ("Early-stopping\nhelps", "early stopping helps"),
        ("it's noise", "it’s noise"),
    ],
)
def test_the_same_words(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("loss(5) < loss(50)", "loss(5) > loss(50)"),
        ("-1", "1"),
        (".5", "5"),
        ("0.5", "05"),
        ("yes", "no"),
        ("x_1", "x1"),
        ("a*b", "ab"),
        ("2**3", "23"),
        ("больше", "меньше"),
        ("学习率大", "学习率小"),
        ("it rises", "it rises?no"),
    ],
)
def test_other_words(one: str, other: str) -> None:
    assert plain(one) != plain(other)
