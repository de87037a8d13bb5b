"""Templates of pages that show foreign text: one set of rules for escaping, whichever page it is."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def packaged(package: str, name: str) -> str:
    """The text of a file that lies in one of our packages."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def environment(package: str, *, shown: Callable[[str], str]) -> Environment:
    """The templates of a package. Every expression's text is what ``shown`` makes of it, then escaped.

    ``Markup`` is safe already and stays as it is; numbers cannot hold markup.
    """
    made = Environment(loader=FunctionLoader(lambda name: packaged(package, name)), autoescape=True)
    clean_expressions(made, shown=shown)
    return made


def clean_expressions(made: Environment, *, shown: Callable[[str], str]) -> None:
    """Put the rules of ``environment`` on one that a library made, before it loads a template."""

    def finalize(value: object) -> object:
        return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    made.autoescape, made.undefined, made.finalize = True, StrictUndefined, finalize
    made.trim_blocks = made.lstrip_blocks = True
