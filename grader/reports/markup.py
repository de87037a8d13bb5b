"""A student's Markdown as the marker reads it: formulas as MathML, Python coloured, the rest as in reports.

Whatever is not certain to look as it was meant is shown as it was written: a marker must never miss a word.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.reports.prose import Dialect, to_html

_TOKENS = {"mi", "mn", "mo", "ms", "mtext", "mspace"}
_SCRIPTS = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
_TABLES = {"mtable", "mtr", "mtd"}
_BOXES = {"math", "mrow", "mfrac", "msqrt", "mroot", "mpadded", "mstyle"}
MATHML = frozenset({*_BOXES, *_TOKENS, *_SCRIPTS, *_TABLES})
_ATTRIBUTES = {
    "math": frozenset({"display"}),
    "mo": frozenset({"stretchy", "fence", "form", "separator", "accent", "minsize", "maxsize"}),
    "mi": frozenset({"mathvariant"}),
    "mover": frozenset({"accent"}),
    "mfrac": frozenset({"linethickness"}),
    "mtd": frozenset({"columnalign"}),
    "mtable": frozenset({"columnalign", "rowspacing", "columnspacing"}),
    "mspace": frozenset({"width"}),
    "munder": frozenset({"accentunder"}),
    "munderover": frozenset({"accent", "accentunder"}),
    "span": frozenset({"class"}),
}
_LEFT_OUT = {
    "mstyle": frozenset({"mathcolor", "displaystyle", "scriptlevel"}),
    "mtable": frozenset({"displaystyle"}),
    "mtext": frozenset({"mathvariant"}),
}
"""What the page leaves out of a formula: every word is there without it, and a colour could hide one."""
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_UNKNOWN = re.compile(r"\\[A-Za-z]")
_PYTHON = frozenset({"python", "py", "python3", "ipython", "ipython3"})
MOST_DEEP = 60
"""Boxes within boxes of a formula: a browser takes minutes over many hundreds."""
MOST_CODE = 10_000
"""Characters of code that are coloured."""


@functools.lru_cache(maxsize=200)  # a question stands beside every answer
def answer_html(markdown: str) -> Markup:
    """A student's answer, or the course's question, as safe HTML."""
    return Markup(to_html(markdown, dialect=DIALECT))  # noqa: S704  # both walls of ``prose`` stand here too


def formula_html(latex: str, stands_alone: bool) -> str:  # noqa: FBT001  # the dialect's signature
    """A formula as MathML; "" if it cannot be read, or if a part of it would be lost."""
    try:
        latex = latex.strip().replace("{aligned}", "{align*}")  # which the library does not know
        made: str = convert(latex, display="block" if stands_alone else "inline")
        tree = ElementTree.fromstring(made)  # noqa: S314  # it begins with our own <math>: no DTD can follow
    except Exception:  # noqa: BLE001  # LaTeX of a student's: each way to fail means to show the source
        return ""
    if _deep(tree) > MOST_DEEP:
        return ""
    known = all(_is_known(node.tag.removeprefix(_NAMESPACE), node.keys()) for node in tree.iter())
    # The library leaves what it does not know as text, and passes HTML inside \text through.
    return made if known and not _UNKNOWN.search("".join(tree.itertext())) else ""


def _deep(tree: ElementTree.Element) -> int:
    level, deep = [tree], 0
    while level:
        level, deep = [inner for outer in level for inner in outer], deep + 1
    return deep


def _is_known(tag: str, attributes: Iterable[str]) -> bool:
    known = _ATTRIBUTES.get(tag, frozenset()) | _LEFT_OUT.get(tag, frozenset())
    return tag in MATHML and set(attributes) <= known


def coloured(code: str, language: str) -> str:
    """Python as spans with classes; "" for other languages, which are shown as they are."""
    if language.lower() not in _PYTHON or len(code) > MOST_CODE:
        return ""
    html: str = highlight(code, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True, classprefix="py-"))
    return html


DIALECT = Dialect(formula_html, coloured, MATHML | {"span"}, _ATTRIBUTES)
