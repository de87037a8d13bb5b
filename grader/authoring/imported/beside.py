"""Tests that cannot run here: their source runs in the notebook's own namespace, beside the student's code.

What runs there can be read and changed by student code, so each is marked for review.
"""

from __future__ import annotations

import ast
from typing import TypeGuard

from grader.authoring.imported.names_in_tests import bound_in, needed_helpers, used_in
from grader.authoring.imported.translated import NotHere, edited
from grader.notebooks.source import parse

NAME = "IN_NOTEBOOK"
SOURCE = '''\
IN_NOTEBOOK = """
def run(notebook, source, **names):
    notebook.names.update(names)
    exec(compile(source, "<test>", "exec"), notebook.names)
    return notebook.names.get("points_of_test")
"""
'''
"""What a file of checks holds if one of them runs beside the student's code."""


def beside(source: str, helpers: str, *, parameters: tuple[str, ...] = (), awards: bool = False) -> str:
    """The check's body, not indented. Raises NotHere for what is not Python."""
    parsed, above = parse(source), parse(helpers)
    if parsed is None or parsed.magics or parsed.cell_magic:
        raise NotHere("it is not Python, or has a magic of IPython")
    wanted = used_in(parsed.tree) - bound_in(parsed.tree) - set(parameters)
    extra = needed_helpers(above.tree if above is not None else ast.Module([], []), wanted)
    if awards and isinstance(parsed.tree.body[-1], ast.Expr):
        last = parsed.tree.body[-1]
        source = "\n".join([*source.split("\n")[: last.lineno - 1], f"points_of_test = {ast.unparse(last)}"])
    whole = "\n".join([*map(ast.unparse, extra), source.strip("\n")])
    tree = ast.parse(whole)
    whole = edited(whole, {node: _of_unittest(node) for node in ast.walk(tree) if _is_of_nose(node)})
    words = ", ".join(["student", "SOURCE", *(f"{name}={name}" for name in parameters)])
    call = f"student.provide({NAME}).run({words})"
    if awards:
        call = f'award(float({call}), "as the test counted")'
    return f"SOURCE = {_quoted(whole)}\n{call}"


def _is_of_nose(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and node.module == "nose.tools"


def _of_unittest(node: ast.ImportFrom) -> str:
    """Names of nose, which no Python of today has, from unittest: assert_equal is assertEqual."""
    names = {alias.asname or alias.name: alias.name for alias in node.names}
    words = {"ok_": "assert_true", "eq_": "assert_equal", "assert_equals": "assert_equal"}
    parts = [words.get(name, name).split("_") for name in names.values()]
    made = [f"TestCase().{first}{''.join(map(str.capitalize, rest))}" for first, *rest in parts]
    return f"from unittest import TestCase; {', '.join(names)} = {', '.join(made)}"


def _quoted(text: str) -> str:
    """A text as Python source, in its own lines where that is possible."""
    if '"""' in text or "\\" in text or text.endswith('"'):
        return f"r'''\n{text}\n'''" if "'''" not in text and not text.endswith("\\") else repr(text)
    return f'"""\n{text}\n"""'
