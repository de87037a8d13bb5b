"""Tests that compare what is shown with what was saved, as otter and doctest do, as assertions."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Sequence

from grader.notebooks.source import parse

_CAPTURED = (
    "import contextlib, io\n\nprinted = io.StringIO()\n"
    "with contextlib.redirect_stdout(printed):\n    {body}\n"
    "assert printed.getvalue().rstrip() == {expected!r}"
)


def asserting(source: str, *, shown: str = "", printed: str = "") -> str:
    """The source with its last expression compared to what it showed, and what it printed.

    ``shown`` is the text of its value, "" for none.
    """
    parsed = parse(source)
    if parsed is None or not parsed.tree.body or not isinstance(last := parsed.tree.body[-1], ast.Expr):
        return source
    above = source.split("\n")[: last.lineno - 1]
    if printed.strip():
        match last.value:
            case ast.Call(func=ast.Name(id="print"), args=[argument], keywords=[]) if not shown:
                return "\n".join([*above, _compared(f"str({ast.unparse(argument)})", printed.rstrip("\n"))])
        body = "\n    ".join(ast.unparse(parsed.tree).split("\n"))
        return _CAPTURED.format(body=body, expected=printed.rstrip())
    if not shown.strip():
        return source
    return "\n".join([*above, _assertion(last.value, shown.strip())])


def _compared(left: str, text: str) -> str:
    return f"assert {left} == {text!r}"


def _assertion(value: ast.expr, shown: str) -> str:
    plain = ast.unparse(value)
    if shown in ("True", "np.True_"):
        return f"assert {plain}"
    if shown in ("False", "np.False_"):
        return f"assert not ({plain})"
    try:
        found = ast.literal_eval(shown)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return _compared(f"repr({plain})", shown)
    return f"assert {plain} == {found!r}"


def of_doctest(text: str) -> str:
    """A doctest's examples as source with assertions. Raises ValueError for what is no doctest."""
    examples = doctest.DocTestParser().get_examples(text)
    return "\n".join(
        asserting(one.source.rstrip("\n"), shown=_value(one), printed=_printed(one)) for one in examples
    )


def _value(example: doctest.Example) -> str:
    return "" if _is_print(example) else example.want.strip()


def _printed(example: doctest.Example) -> str:
    return example.want if _is_print(example) else ""


def _is_print(example: doctest.Example) -> bool:
    return example.source.lstrip().startswith("print(")


def without_function(source: str) -> str:
    """The body of a cell that is one test function and its call; another cell as it is.

    The function's parameters are the notebook's own names, and so is what it looks up in ``env``.
    """
    parsed = parse(source)
    body: Sequence[ast.stmt] = parsed.tree.body if parsed is not None else []
    match body:
        case [ast.FunctionDef() as made] | [ast.FunctionDef() as made, ast.Expr(value=ast.Call())]:
            if len(body) == 1 or f"{made.name}(" in source.rpartition("\n")[2]:
                tree = _FromNotebook().visit(ast.Module(made.body, []))
                return ast.unparse(ast.fix_missing_locations(tree))
    return source


class _FromNotebook(ast.NodeTransformer):
    """``env["x"]`` is the notebook's x."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """See the class."""
        match node:
            case ast.Subscript(value=ast.Name(id="env"), slice=ast.Constant(value=str(name))):
                return ast.Name(name, ast.Load())
        return self.generic_visit(node)
