"""Formulas as students write them: set where no word is lost, as their source where one could be."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("latex2mathml")
from grader.reports.markup import answer_html


def words(html: str) -> str:
    return re.sub(r"<[^>]*>|\s", "", html)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        (r"$\color{white}{\textit{Answer}}$ 1, 3", "Answer1,3"),
        (r"$\displaystyle\sum_i \textbf{W}_i$", "∑iWi"),
        (r"$$\begin{aligned} a &= b \\ c &= d \end{aligned}$$", "a=bc=d"),
        ("so\n\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}\nholds", "soa=bc=dholds"),
    ],
)
def test_colours_environments_and_words_are_set(markdown: str, shown: str) -> None:
    html = answer_html(markdown)
    assert "<math" in html
    assert words(html) == shown
    assert "color" not in html


@pytest.mark.parametrize(
    "source",
    [
        r"\begin{itemize} \item x \end{itemize}",
        r"$\phantom{x}$",
        r"$\boxed{3}$",
        f"${'{' * 100}x{'}' * 100}$",
    ],
)
def test_what_would_lose_something_is_shown_as_it_was_written(source: str) -> None:
    assert words(answer_html(source)) == source.replace(" ", "")
