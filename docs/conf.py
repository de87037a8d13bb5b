"""How Sphinx makes a site of these pages: `tox -e docs`."""

from __future__ import annotations

import re
from typing import Any

from grader.model.version import __version__

REPOSITORY = "https://chainrule.example/chainrule"
"""Reserved, leads nowhere: docs/releases.md asks for the real one."""
_WHOLE_FILE = re.compile(r'^(`{3,})(\w+) title="([^"\n]{1,200})"$', re.MULTILINE)
_OUTSIDE = re.compile(r"\]\(\.\./(?=[\w/]{1,100}\.md)")

project = "Chainrule"
author = "The Chainrule authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
smartquotes = False  # code in prose keeps its own
html_theme = "furo"
html_title = f"Chainrule {release}"
myst_heading_anchors = 4  # links to headings are written as on GitHub
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "groupwise"
default_role = "code"  # docstrings quote code as Markdown does
suppress_warnings = ["misc.highlighting_failure"]  # what `grade` prints is no shell
linkcheck_ignore = [re.escape(REPOSITORY)]


def setup(app: Any) -> None:
    """Have sources and docstrings read as they are written elsewhere."""
    app.connect("source-read", _to_the_repository)
    app.connect("autodoc-process-docstring", _lengths)


def _to_the_repository(_: object, __: str, source: list[str]) -> None:
    """Links to files that are no pages of the site lead to the repository; whole files show their names."""
    linked = _OUTSIDE.sub(f"]({REPOSITORY}/blob/main/", source[0])
    source[0] = _WHOLE_FILE.sub(r"\1{code-block} \2\n:caption: \3\n", linked)


def _lengths(*event: Any) -> None:
    """``|x|`` in a docstring is a length, not a substitution of reStructuredText."""
    lines = event[-1]
    lines[:] = ["`".join(_escaped(line.split("`"))) for line in lines]


def _escaped(parts: list[str]) -> list[str]:
    """The parts of a line between backticks, with bars escaped outside of code."""
    return [part if n % 2 else part.replace("|", r"\|") for n, part in enumerate(parts)]
