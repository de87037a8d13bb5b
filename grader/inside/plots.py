"""Figures without a screen: every window and every installation of LaTeX is replaced by drawing inline."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from grader.inside.notes import not_done

_INLINE = "module://matplotlib_inline.backend_inline"
_DRAWN = ("agg", "cairo", "inline", "module://", "pdf", "pgf", "ps", "svg", "template")


def install(shell: Any) -> None:
    """Have figures drawn inline whatever the notebook asks for. Acts on the whole process."""
    os.environ.setdefault("MPLBACKEND", _INLINE)
    draw = shell.find_line_magic("matplotlib")
    shell.register_magic_function(_inline(draw), "line", "matplotlib")
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return
    vars(matplotlib)["use"] = _drawn(matplotlib.use)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        vars(pyplot)["switch_backend"] = _drawn(pyplot.switch_backend)
    _without_latex()


def forget_folders() -> None:
    """Have matplotlib look for its folders anew: those that it remembers are from outside the sandbox."""
    matplotlib = sys.modules.get("matplotlib")
    for name in ("get_cachedir", "get_configdir"):
        getattr(getattr(matplotlib, name, None), "cache_clear", lambda: None)()


def _inline(magic: Callable[[str], object]) -> Callable[..., object]:
    """A ``%matplotlib`` that draws inline whichever window, widget or browser it names."""

    def run(line: str = "") -> object:
        return magic(line if "-l" in line.split() or "--list" in line.split() else "inline")

    return run


def _drawn(choose: Callable[..., object]) -> Callable[..., object]:
    """A choice of backend that takes those which draw to memory or a file, and inline for all others."""

    def chosen(backend: str, *arguments: object, **options: object) -> object:
        if str(backend).lower().startswith(_DRAWN):
            return choose(backend, *arguments, **options)
        not_done(f"a window of {backend}; figures are drawn inline")
        return choose(_INLINE, *arguments, **options)

    return chosen


def _without_latex() -> None:
    """Labels for LaTeX are set by matplotlib's own mathematics: there is no LaTeX here."""
    text: Any = sys.modules.get("matplotlib.text")
    if text is None:
        return
    wanted = text.Text.get_usetex

    def get_usetex(label: Any) -> bool:
        if wanted(label):
            not_done("LaTeX: labels are set by matplotlib's own mathematics")
        return False

    text.Text.get_usetex = get_usetex
