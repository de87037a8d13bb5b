"""Code that submissions have in common as pages: the class's list, and each pair side by side.

No script, nothing fetched, all foreign text cleaned and escaped. The pages name what is the same, and accuse
nobody.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from jinja2 import Template
from markupsafe import Markup

from grader.model.similarity import Passage, Piece, Side, SimilarCode, Similarity, Span
from grader.model.text import clean, counted, one_line
from grader.reports.templates import environment, packaged

MEANING = (
    "Working together, one source on the web and the same explanation in a tutorial all look like this. "
    "It does not say who wrote it first, and nothing was taken from anybody's points."
)
_HERE = "grader.reports"
_LONGEST_LINE = 400
_MOST_PAIRS = 500
_MOST_LINES = 80
"""Lines of a passage that are shown, on each side."""


def render_class(record: Similarity, pages: Sequence[str]) -> str:
    """The class's pairs; ``pages`` are the names of the first ones' own pages, beside this one."""
    links = [*pages, *[""] * _MOST_PAIRS]
    rows = list(zip(record.pairs[:_MOST_PAIRS], links, strict=False))
    return _template("similar.html.j2").render(record=record, rows=rows, css=_css(), meaning=MEANING)


def render_pair(code: SimilarCode, record: Similarity) -> str:
    """One pair: each passage side by side, then all the code of both."""
    return _template("similar_pair.html.j2").render(
        record=record,
        pair=code.pair,
        passages=[
            (one, _lines(code.left, one.left), _lines(code.right, one.right)) for one in code.pair.passages
        ],
        sides=[
            (code.pair.left, _marked(code.left, [one.left for one in code.pair.passages])),
            (code.pair.right, _marked(code.right, [one.right for one in code.pair.passages])),
        ],
        css=_css(),
        meaning=MEANING,
    )


def called(side: Side) -> str:
    """A student as people call them; a submission of nobody by its own name."""
    return one_line(side.name or side.student or side.submission, 80)


def rarity(passage: Passage) -> str:
    """How many others have the rarest of it."""
    if not passage.others:
        return "nobody else has all of it"
    return f"{counted(passage.others, 'other student has', 'other students have')} its rarest part too"


def _lines(pieces: Sequence[Piece], span: Span) -> list[tuple[int, str]]:
    """The lines of a span with their numbers."""
    found: list[tuple[int, str]] = []
    for piece in pieces:
        if piece.where == span.where and piece.start <= span.first < piece.start + piece.text.count("\n") + 1:
            text = piece.text.split("\n")[span.first - piece.start : span.last - piece.start + 1]
            found = list(enumerate(text[:_MOST_LINES], start=span.first))
    return found


def _marked(pieces: Sequence[Piece], spans: Sequence[Span]) -> list[tuple[str, list[tuple[int, str, int]]]]:
    """Each piece that the student wrote: its lines with their numbers, and each one's passage, 0 for none."""
    passage_of = {
        (span.where, line): number
        for number, span in enumerate(spans, start=1)
        for line in range(span.first, span.last + 1)
    }
    return [
        (
            piece.where,
            [
                (line, text, passage_of.get((piece.where, line), 0))
                for line, text in enumerate(piece.text.split("\n"), start=piece.start)
            ],
        )
        for piece in pieces
        if not piece.is_given and piece.text.strip()
    ]


def _shown(text: str) -> str:
    return clean(text, _LONGEST_LINE)


def _css() -> Markup:
    return Markup(packaged(_HERE, "report.css") + packaged(_HERE, "similar.css"))  # noqa: S704  # our own files


@functools.cache
def _template(name: str) -> Template:
    page = environment(_HERE, shown=_shown)
    page.filters |= {"called": called, "rarity": rarity, "line": functools.partial(one_line, limit=200)}
    return page.get_template(name)
