"""Assertions of Python, numpy, unittest and nose as our own, which say what was expected and what came."""

from __future__ import annotations

import ast
from collections.abc import Callable, Set

from grader.authoring.imported.names_in_tests import uses

_CLOSE = {"allclose": ("rtol=1e-05", "atol=1e-08"), "isclose": ("rtol=1e-05", "atol=1e-08")}
_NUMPY = {
    "assert_allclose": ("rtol=1e-07", "atol=0"),
    "assert_array_equal": ("rtol=0", "atol=0"),
    "assert_equal": ("rtol=0", "atol=0"),
}
_DECIMALS = {"assert_almost_equal": 7, "assert_array_almost_equal": 6, "assertAlmostEqual": 7}
_COMPARISONS: dict[str, Callable[[ast.expr, ast.expr], ast.expr]] = {
    name: lambda left, right, sign=sign: ast.Compare(left, [sign()], [right])  # type: ignore[misc]
    for names, sign in (
        (("assertEqual", "assertEquals", "assert_equal", "assert_equals", "eq_", "assertListEqual"), ast.Eq),
        (("assertDictEqual", "assertTupleEqual", "assertSetEqual", "assertSequenceEqual"), ast.Eq),
        (("assertNotEqual", "assert_not_equal"), ast.NotEq),
        (("assertIn", "assert_in"), ast.In),
        (("assertNotIn", "assert_not_in"), ast.NotIn),
        (("assertIs", "assert_is"), ast.Is),
        (("assertGreater", "assert_greater"), ast.Gt),
        (("assertGreaterEqual", "assert_greater_equal"), ast.GtE),
        (("assertLess", "assert_less"), ast.Lt),
        (("assertLessEqual", "assert_less_equal"), ast.LtE),
    )
    for name in names
}
_TRUE, _FALSE = {"assertTrue", "assert_true", "assert_", "ok_"}, {"assertFalse", "assert_false"}
_ISINSTANCE = {"assertIsInstance", "assert_is_instance"}
_RAISES = {"assertRaises", "assert_raises", "raises", "assertRaisesRegex"}
_OF_NUMPY = {"np", "numpy", "testing", "nt", "npt"}

ASSERTING = frozenset(
    {*_CLOSE, *_NUMPY, *_DECIMALS, *_COMPARISONS, *_TRUE, *_FALSE, *_ISINSTANCE, *_RAISES}
    - {"allclose", "isclose", "raises"}
)
"""Names of functions that fail a test."""
FROM_UNITTEST = frozenset({"nose", "unittest"})


def called(node: ast.AST) -> tuple[str, str]:
    """The object and the function that a call names: ("np", "allclose"); empty for anything else."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return "", name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            return owner, name
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner), attr=name)):
            return owner, name
    return "", ""


def plain(statement: ast.stmt) -> ast.stmt | None:
    """An assertion of unittest or nose as an ``assert``; None for what is none."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    owner, name = called(call) if call is not None else ("", "")
    if not isinstance(call, ast.Call) or owner in _OF_NUMPY or call.keywords:
        return None
    match call.args:
        case [left, right, *rest] if name in _COMPARISONS:
            return ast.Assert(_COMPARISONS[name](left, right), _message(rest))
        case [value, kind, *rest] if name in _ISINSTANCE:
            test = ast.Call(ast.Name("isinstance", ast.Load()), [value, kind], [])
            return ast.Assert(test, _message(rest))
        case [value, *rest] if name in _TRUE:
            return ast.Assert(value, _message(rest))
        case [value, *rest] if name in _FALSE:
            return ast.Assert(ast.UnaryOp(ast.Not(), value), _message(rest))
    return None


def _message(rest: list[ast.expr]) -> ast.expr | None:
    return rest[0] if rest else None


def ours(statement: ast.stmt, students: Set[str]) -> str | None:
    """The source of our own assertion with the same meaning; None if there is none.

    ``students`` are the names whose values come from the student's code.
    """
    match statement:
        case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
            return _equal(left, right, students)
        case ast.Assert(test=ast.Call() as call):
            owner, name = called(call)
            return (
                _close(call, students, _CLOSE[name]) if name in _CLOSE and owner in ("np", "numpy") else None
            )
        case ast.Expr(value=ast.Call() as call):
            owner, name = called(call)
            if name in _DECIMALS and len(call.args) >= 2:  # noqa: PLR2004  # actual and desired
                return _close(call, students, ("rtol=0", f"atol={1.5 * 10 ** -_decimals(call, name):.3g}"))
            if name in _NUMPY and (owner in _OF_NUMPY or name != "assert_equal"):
                return _close(call, students, _NUMPY[name])
        case ast.Try():
            return _raises(statement)
    return None


def _decimals(call: ast.Call, name: str) -> int:
    given = [word.value for word in call.keywords if word.arg in ("decimal", "places")] or call.args[2:3]
    match given:
        case [ast.Constant(value=int(number))]:
            return number
    return _DECIMALS[name]


def _equal(left: ast.expr, right: ast.expr, students: Set[str]) -> str | None:
    """A comparison with a number or a text: our messages say more than Python's."""
    if not uses(left, students):
        left, right = right, left
    if not uses(left, students) or uses(right, students):
        return None
    match right:
        case ast.Constant(value=bool() | None):
            return None
        case ast.Constant(value=int() | float()) | ast.UnaryOp(operand=ast.Constant()):
            return _call("assert_close", left, right)
        case ast.Constant(value=str()):
            return _call("assert_text", left, right)
    return None


def _close(call: ast.Call, students: Set[str], usual: tuple[str, str]) -> str | None:
    if len(call.args) < 2:  # noqa: PLR2004  # actual and desired
        return None
    left, right = call.args[:2]
    if not uses(left, students):
        left, right = right, left
    if not uses(left, students) or uses(right, students):
        return None
    names = {word.arg for word in call.keywords}
    if not names <= {"rtol", "atol", "equal_nan", "err_msg", "verbose", "decimal"}:
        return None
    given = [f"{word.arg}={ast.unparse(word.value)}" for word in call.keywords if word.arg in _OPTIONS]
    for place, word in enumerate(call.args[2:4]):
        given += [f"{('rtol', 'atol')[place]}={ast.unparse(word)}"] if usual == _CLOSE["allclose"] else []
    said = {text.partition("=")[0] for text in given}
    return _call("assert_close", left, right, *given, *(text for text in usual if text[:4] not in said))


_OPTIONS = {"rtol", "atol", "equal_nan"}


def _call(function: str, actual: ast.expr, expected: ast.expr, *options: str) -> str:
    shown = ast.unparse(actual)
    words = [shown, ast.unparse(expected), *options]
    words += [f"name={shown!r}"] if len(shown) <= 60 and "\n" not in shown else []  # noqa: PLR2004  # a short name
    return f"{function}({', '.join(words)})"


def _raises(statement: ast.Try) -> str | None:
    """``try: f(x)``, ``except E: pass``, ``else: raise ...`` as assert_raises."""
    match statement:
        case ast.Try(
            body=[ast.Expr(value=ast.Call(func=function, args=arguments, keywords=named))],
            handlers=[ast.ExceptHandler(type=ast.expr() as kind, body=[ast.Pass()])],
            orelse=[ast.Raise() | ast.Assert(test=ast.Constant(value=False))],
            finalbody=[],
        ):
            words = [ast.unparse(part) for part in (kind, function, *arguments)]
            words += [ast.unparse(ast.keyword(word.arg, word.value)) for word in named if word.arg]
            return f"assert_raises({', '.join(words)})"
    return None
