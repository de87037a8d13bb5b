"""Lines by which other tools and courses mark what students must not see: `# SOLUTION`, `# BEGIN TESTS`, ...

A comment, or a line of prose, is such a marker if it consists of the words of markers alone. Our own
markers are the business of `notebooks/solution.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.notebooks.solution import MARKERS

OWN_MARKERS = (
    "mark what students write with `### BEGIN SOLUTION` and `### END SOLUTION`, in Markdown with "
    "`<!-- BEGIN SOLUTION -->` and `<!-- END SOLUTION -->`, alone on their lines"
)
HIDDEN_TESTS = "hidden tests become checks in hidden_tests/"
OTTER = (
    "take it out: points are in assignment.toml, tests in hidden_tests/ and public_tests/, "
    "and the item's id begins its heading"
)

_SIDE = {"begin", "begins", "start", "starts", "end", "ends"}
_MODEL = {"sample", "model", "reference", "official", "instructor", "teacher"}
_SOLUTION = {"solution", "solutions"}
_FILLING = {
    "of",
    "your",
    "my",
    "our",
    "here",
    "no",
    "prompt",
    "to",
    "remove",
    "title",
    "answer",
    "answers",
    "code",
}
_PROSE = {"the", "click", "show", "see", "reveal", "for", "explanation"}
_TESTS = {"hidden", "test", "tests"}
_OTTER = re.compile(
    r"(?:BEGIN|END) (?:QUESTION|TESTS?|PROMPT|MARKDOWN|(?:TEST )?CONFIG)|(?:ASSIGNMENT|OTTER) CONFIG|"
    r"OTTER ASSIGN INIT|HIDDEN|IGNORE|(?:SOLUTION )?NO PROMPT"
)
_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_MOST_WORDS = 8


def foreign_markers(source: str, *, kind: str) -> Iterator[tuple[int, str, str]]:
    """The lines of a cell that mark something: number from 1, text, and what its author is to do instead.

    Lines inside solution regions are left out: they go with their region. A Markdown heading such as
    "Solution" directly above a region is no marker.
    """
    begin, end = MARKERS.get(kind, ("", ""))
    inside = False
    lines = source.split("\n")
    for number, line in enumerate(lines, start=1):
        if line.strip() in (begin, end) and begin:
            inside = line.strip() == begin
        elif not inside and (advice := _advice(line, kind=kind)):
            below = next((text.strip() for text in lines[number:] if text.strip()), "")
            if not (kind == "markdown" and below == begin):
                yield number, line.strip(), advice


def _advice(line: str, *, kind: str) -> str:
    """What to do about a line; "" if it marks nothing."""
    return next((advice for text in _parts(line, kind=kind) if (advice := _of_words(text, kind=kind))), "")


def _parts(line: str, *, kind: str) -> Iterator[str]:
    """The pieces of a line that may be a marker, without remarks in brackets."""
    if kind == "code":
        pieces: Sequence[str] = line.split("#")[1:]
    else:
        text = _TAG.sub(" ", line.replace("<!--", " ").replace("-->", " "))
        pieces = [text, text.partition(":")[0]] if ":" in text else [text]
    return (piece.partition("(")[0] for piece in pieces)


def _of_words(text: str, *, kind: str) -> str:
    found = _WORD.findall(text)
    if not 0 < len(found) <= _MOST_WORDS or (kind == "markdown" and _DIGIT.search(text)):
        return ""  # "Solution 1.2" is the heading of an item's answer
    if _OTTER.fullmatch(" ".join(found)):
        return OTTER
    words = {word.lower() for word in found}
    if {"hidden"} < words <= _TESTS | _SIDE:
        return HIDDEN_TESTS
    if not words <= _SIDE | _MODEL | _SOLUTION | _FILLING | (_PROSE if kind != "code" else set()):
        return OWN_MARKERS if {"to", "remove"} == {word.lower() for word in found[:2]} else ""
    # "Your solution here" is what students are shown; "end of your solution" is where a solution ends.
    marks = (
        (words & _SOLUTION and not words & {"your", "my"})
        or (words & _SIDE and words & {*_SOLUTION, "answer", "answers"})
        or (words & _SIDE and "code" in words and words & {"your", "here"})
        or (words & _MODEL and words & {"answer", "answers"})
    )
    return OWN_MARKERS if marks else ""
