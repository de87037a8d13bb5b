"""A student's Markdown as HTML that is safe to put into a page.

Two walls, each enough alone against markup: markdown-it escapes raw HTML, and nh3 lets through only a list of
plain tags without attributes. Of HTML only a bare ``<br>`` means something: a new line. Links and images
become text, so that nothing a student wrote is fetched, or followed by accident. Formulas stay readable as
the LaTeX that was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec
import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from grader.model.text import clean

LIMIT = 20_000

_LAYOUT = ("blockquote", "br", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul")
_TABLE = ("table", "tbody", "td", "th", "thead", "tr")
_TAGS = frozenset((*_LAYOUT, *_TABLE, "code", "em", "s", "strong"))
_FORMULA_LIMIT = 2_000  # characters: a page of lone dollars would make an unlimited search quadratic
_FORMULA_LINES = 60  # the same for a block
_FIRST_HEADING = 4  # below the page's own h1 to h3
_NEW_LINE = re.compile(r"<br ?/?>", re.IGNORECASE)


class Dialect(msgspec.Struct, frozen=True):
    """What a page shows beyond plain prose, and the tags and attributes that are let through for it.

    ``formula`` makes HTML of a formula's LaTeX (and whether it stands alone), ``highlight`` of code and its
    language; "" shows the source. What they return passes the second wall like everything else.
    """

    formula: Callable[[str, bool], str]
    highlight: Callable[[str, str], str]
    tags: frozenset[str]
    attributes: Mapping[str, frozenset[str]]


def to_html(markdown: str, *, limit: int = LIMIT, dialect: Dialect | None = None) -> str:
    """Safe HTML of the first ``limit`` characters of a student's Markdown (CommonMark with tables).

    Links and images become their text, followed by the address; headings become h4 to h6.
    """
    html = _parser(dialect).render(clean(markdown, limit))
    tags = _TAGS | dialect.tags if dialect else _TAGS
    attributes = {tag: set(names) for tag, names in dialect.attributes.items()} if dialect else {}
    return nh3.clean(html, tags=set(tags), attributes=attributes, url_schemes=set(), link_rel=None)


def _parser(dialect: Dialect | None) -> MarkdownIt:
    options: dict[str, object] = {"html": False, "linkify": False}
    if dialect:
        options["highlight"] = lambda code, language, _attributes: dialect.highlight(code, language)
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline"])
    # Formulas come before Markdown's own rules: `_`, `*` and backslashes in them are LaTeX, not markup.
    parser.inline.ruler.before("escape", "formula", _inline_formula)
    parser.block.ruler.before(
        "fence", "formula", _block_formula, {"alt": ["paragraph", "list", "blockquote"]}
    )
    parser.inline.ruler.before("autolink", "new_line", _new_line)
    parser.core.ruler.push("inert", _inert)
    if dialect:
        parser.core.ruler.push("formulas", lambda state: _typeset(state.tokens, dialect))
    return parser


def _inline_formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # markdown-it's own signature
    """Keep ``$...$`` and ``$$...$$`` as they are written."""
    start = state.pos
    if not state.src.startswith("$", start):
        return False
    fence = "$$" if state.src.startswith("$$", start) else "$"
    end = state.src.find(fence, start + len(fence), min(state.posMax, start + _FORMULA_LIMIT))
    inner = state.src[start + len(fence) : end]
    # "$5 and $6" is money: a formula's dollars touch it.
    if end < 0 or not inner.strip() or (fence == "$" and (inner[0].isspace() or inner[-1].isspace())):
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.content, token.meta = f"{fence}{inner}{fence}", {"formula": inner}
    state.pos = end + len(fence)
    return True


def _new_line(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # as above
    """Make a line break of ``<br>``, which is how a cell of a table has several lines."""
    found = _NEW_LINE.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _block_formula(state: StateBlock, first: int, last: int, silent: bool) -> bool:  # noqa: FBT001  # as above
    r"""Keep a paragraph from ``$$`` to a line that ends with ``$$``, or from ``\begin{x}`` to ``\end{x}``."""
    opening = _line(state, first)
    name = opening.removeprefix("\\begin{").partition("}")[0] if opening.startswith("\\begin{") else ""
    if not name and not opening.startswith("$$"):
        return False
    end = f"\\end{{{name}}}" if name else "$$"
    for number in range(first, min(last, first + _FORMULA_LINES)):
        line = _line(state, number)
        if not line or (number > first and state.sCount[number] < state.blkIndent):
            return False
        if line.endswith(end) and (number > first or len(line) > 2 * len(end)):
            break
    else:
        return False
    if not silent:
        token = state.push("code_block", "code", 0)
        token.content = "\n".join(_line(state, row) for row in range(first, number + 1)) + "\n"
        token.meta = {"formula": token.content.strip()[0 if name else 2 : None if name else -2]}
        token.map = [first, number + 1]
        state.line = number + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()


def _typeset(tokens: Iterable[Token], dialect: Dialect) -> None:
    """Put a formula's HTML in place of its source, wherever the dialect makes any."""
    for token in tokens:
        if "formula" in token.meta:
            html = dialect.formula(token.meta["formula"], token.type == "code_block")
            if html:
                # Written by the dialect, not by the student: their own HTML never becomes such a token.
                token.type, token.tag, token.content = "html_inline", "", html
        _typeset(token.children or (), dialect)


def _inert(state: StateCore) -> None:
    """Turn links and images into text, and put headings below the page's own."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_FIRST_HEADING - 1 + int(token.tag[1:]), 6)}"
        if token.children is not None:
            token.children = list(_as_text(token.children))


def _as_text(children: Iterable[Token]) -> Iterable[Token]:
    address, label = "", ""
    for token in children:
        if token.type == "link_open":
            address, label = str(token.attrGet("href") or ""), ""
        elif token.type == "link_close":
            yield _text(f" ({address})" if address not in {"", label} else "")
        elif token.type == "image":
            source = str(token.attrGet("src") or "")
            yield _text(f"[image: {token.content or 'no description'} ({source})]")
        else:
            label += token.content
            yield token


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
