"""Which foreign source may run in the trusted process: arithmetic with a few libraries, and nothing else.

The tests of another course are not ours. What opens files, changes a library or reaches for the interpreter
stays behind the sandbox's walls, beside the student's code.
"""

from __future__ import annotations

import ast
from collections.abc import Set

from grader.host import is_installed
from grader.notebooks.names import import_roots

LIBRARIES = frozenset(
    [
        "numpy",
        "scipy",
        "pandas",
        "math",
        "cmath",
        "random",
        "itertools",
        "functools",
        "operator",
        "collections",
        "string",
        "re",
        "copy",
        "datetime",
        "fractions",
        "decimal",
        "statistics",
        "numbers",
        "typing",
        "dataclasses",
        "textwrap",
        "time",
        "pytest",
        "grader",
        "__future__",
    ]
)
_FUNCTIONS = frozenset(
    [
        "open",
        "exec",
        "eval",
        "compile",
        "__import__",
        "input",
        "globals",
        "locals",
        "vars",
        "setattr",
        "delattr",
        "breakpoint",
        "exit",
        "quit",
        "help",
        "memoryview",
    ]
)
_METHODS = (
    "load save savez savetxt loadtxt genfromtxt fromfile tofile memmap DataSource ctypeslib f2py distutils "
    "dump dumps loads lib compat system popen sleep urlopen eval query attrgetter methodcaller"
)
_ATTRIBUTES = frozenset(_METHODS.split())
_BEGINNINGS = ("read_", "to_", "__", "gi_", "cr_", "f_", "tb_", "func_")
_FINE = frozenset(
    [
        "__name__",
        "to_numpy",
        "to_list",
        "to_dict",
        "to_frame",
        "to_datetime",
        "to_numeric",
        "to_timedelta",
        "to_period",
        "f_oneway",
    ]
)


def why_not(tree: ast.AST) -> str:
    """Why this source may not run in the trusted process; "" if it may."""
    for root in import_roots(tree):
        if root not in LIBRARIES:
            return f"it uses {root}"
        if not is_installed(root):
            return f"{root} is not installed here"
    return next((why for node in ast.walk(tree) if (why := _why(node))), "")


def changed_outside(tree: ast.AST, own: Set[str]) -> str:
    """What source sets an attribute of, or an entry of one, and is not among ``own``; "" for nothing.

    A test that replaces ``np.linalg.solve`` would do so for every check after it.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            path = node.value if isinstance(node, ast.Subscript) else node
            if isinstance(path, ast.Attribute | ast.Call) and _begin(path) not in own:
                return ast.unparse(node)
    return ""


def _why(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) if name in _FUNCTIONS:
            return f"it uses `{name}`"
        case ast.Attribute(attr=name) if name in _ATTRIBUTES or (
            name.startswith(_BEGINNINGS) and name not in _FINE
        ):
            return f"it uses `{name}`"
        case ast.ImportFrom(names=names) | ast.Import(names=names):
            parts = (part for alias in names for part in alias.name.split("."))
            part = next((part for part in parts if part in _ATTRIBUTES), "")
            return f"it uses `{part}`" if part else ""
    return ""


def _begin(node: ast.AST) -> str:
    """The name that a path begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
