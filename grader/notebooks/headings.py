"""Which lines of a notebook's prose begin an item's answer, an item's question or another section.

Students retype headings, drop the ``#``, write "**Solution to 3.2.3.i**" or answer two items at once. So a
line is judged by the item ids in it and the words before them, not by its Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HASHES = re.compile(r"[ \t>]{0,8}#{1,6}(?!#)[ \t]*")
_SIGNS = " \t#>*_-"
_ANSWER = re.compile(r"(?:(?:my|your)[ \t]+)?(?:answers?|solution|response)\b", re.IGNORECASE)
_BETWEEN = re.compile(
    r"(?:[\s:.,()\[\]*_#-]|\b(?:to|for|of|the|question|item|part|problem|section)\b|\bq(?=\d)){0,12}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:\.(?:\d+|[ivx]+)\b)*")
_AFTER_ID = re.compile(r"[ \t]*(?:[):.—–*_-]|$)")
_JOIN = re.compile(r"[ \t]*(?:,|&|and|\+)[ \t]*")
_POINTS = re.compile(r"\(\d+(?:\.\d+)? ?(?:points?|pts?)\)[\s*_]*$", re.IGNORECASE)
_LEAD = 200
"""Characters of a line in which an item may be named; a heading is short."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the text below a heading belongs to: no item, a question's section, or an answer.

    ``rest`` is the answer's text on the heading's own line ("**Answer 3.2.3.i:** No, ...").
    """

    items: tuple[str, ...] = ()
    is_answer: bool = False
    rest: str = ""


class HeadingReader:
    """Recognises headings by the ids and titles of one assignment's items."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        pairs = list(items)
        self._ids = {name.lower(): name for name, _ in pairs}
        self._titles = {name: title.lower() for name, title in pairs}
        longest_first = sorted(self._ids, key=len, reverse=True)
        token = "|".join(map(re.escape, longest_first))
        # 3.2.3.i must not be found in 3.2.3.ii, 13.2.3.i or 3.2.3.i.answer; a full stop after it is fine.
        self._token = re.compile(rf"(?<![\d.])(?:{token})(?![^\W_]|\.[^\W_])", re.IGNORECASE)
        self._quoted = re.compile(rf"(?P<quote>[\"'])(?P<id>{token})(?P=quote)", re.IGNORECASE)
        self._chapters = {name.split(".")[0] for name in self._ids}

    def read(self, line: str, *, after_blank: bool = True) -> Heading | None:
        """This line as a heading, None for a line of prose.

        ``after_blank``: whether the line above is blank. Only then may an answer begin with the bare id
        ("3.2.3.i: No, ..."); inside a paragraph that is a line break in front of a number.
        """
        head = line[:_LEAD]
        hashes = _HASHES.match(head)
        text = head.lstrip(_SIGNS)
        start = len(head) - len(text)
        answer = _ANSWER.match(text)
        names_start = start + self._after_filler(text, answer)
        named = self._token.match(head, names_start)
        if answer and named:
            return self._answer(line, named)
        if hashes:
            return self._section(head[hashes.end() :])
        if named and after_blank and _AFTER_ID.match(head, named.end()):
            return self._bare(line, named)
        return None

    def quoted(self, source: str) -> tuple[str, ...]:
        """The items whose id occurs as a string literal in this source."""
        return tuple(dict.fromkeys(self._ids[found["id"].lower()] for found in self._quoted.finditer(source)))

    @staticmethod
    def _after_filler(text: str, answer: re.Match[str] | None) -> int:
        """Where an id may begin: after "Answer" and filler such as "to question" or brackets."""
        at = answer.end() if answer else 0
        between = _BETWEEN.match(text, at)
        return between.end() if between else at

    def _answer(self, line: str, named: re.Match[str]) -> Heading:
        """The heading of an answer to one item, or to several together ("3.2.3.i and 3.2.3.ii")."""
        items, end = [self._ids[named[0].lower()]], named.end()
        while more := _JOIN.match(line, end):
            again = self._token.match(line, more.end())
            if not again:
                break
            items.append(self._ids[again[0].lower()])
            end = again.end()
        return Heading(tuple(dict.fromkeys(items)), is_answer=True, rest=self._rest(line[end:], items))

    def _rest(self, text: str, items: list[str]) -> str:
        """What follows the id on its line; "" if that is only the item's title or its points."""
        rest = text.lstrip(" \t:.)]*_#-–—")
        title = _POINTS.sub("", rest[:_LEAD]).strip(" *_#:.").lower()
        said_already = any(title == self._titles[item].strip(" *_#:.") for item in items)
        return "" if not title or said_already else rest

    def _section(self, text: str) -> Heading | None:
        """A heading that names items or begins with a number of the assignment's own chapters."""
        words = text.lstrip(_SIGNS)
        start = self._after_filler(words, None)
        if named := self._token.search(words):
            # The assignment's own headings are an id and a title; others are a student's, above an answer.
            is_title = named.start() == start and any(sign.isalpha() for sign in words[named.end() :])
            return Heading((self._ids[named[0].lower()],), is_answer=not is_title)
        number = _NUMBER.match(words, start)
        if number and number[0].split(".")[0] in self._chapters:
            return Heading()
        return None

    def _bare(self, line: str, named: re.Match[str]) -> Heading:
        """A line that begins with an id: the question if its title follows, an answer otherwise."""
        item = self._ids[named[0].lower()]
        if self._titles[item] and self._titles[item] in line[:_LEAD].lower():
            return Heading((item,))
        return Heading((item,), is_answer=True, rest=self._rest(line[named.end() :], [item]))
