"""The usual mistakes in any Python: comparisons, conditions, constants, names, statements left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.mutation.unit import Change, Edit, Unit, name_of, number

FAMILY = "python"
_COMPARED: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">", ">="),
    ast.LtE: ("<", ">", ">="),
    ast.Gt: (">=", "<", "<="),
    ast.GtE: (">", "<", "<="),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}
_SIGNS: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_MOST_NAMES = 6


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The usual mistakes that can be made at a node."""
    if isinstance(node, ast.stmt):
        yield from _of_statement(node, unit)
    else:
        yield from _of_expression(node, unit)


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))


def _of_statement(node: ast.stmt, unit: Unit) -> Iterator[Change]:
    match node:
        case ast.Return(value=value) if value is not None:
            yield _change(unit, node, "return None", "nothing is returned")
            yield _change(unit, node, f"return ({unit.text_of(value)},)", "a tuple is returned")
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Delete() | ast.Assert() | ast.Raise():
            yield _change(unit, node, "pass", "a statement is missing")
        case ast.If(test=test) | ast.While(test=test):
            yield _change(unit, test, f"not ({unit.text_of(test)})", "the condition is the other way round")
            yield _change(unit, test, "False", "the condition never holds")
            if isinstance(node, ast.If):
                yield _change(unit, test, "True", "the condition always holds")
        case ast.For(iter=iterated):
            yield _change(unit, iterated, f"list({unit.text_of(iterated)})[:1]", "the loop runs once")
            yield _change(unit, iterated, f"list({unit.text_of(iterated)})[1:]", "the loop skips the first")
            yield _change(unit, iterated, f"list({unit.text_of(iterated)})[:-1]", "the loop skips the last")
        case ast.Break():
            yield _change(unit, node, "continue", "continue in place of break")
        case ast.Continue():
            yield _change(unit, node, "break", "break in place of continue")


def _of_expression(node: ast.expr, unit: Unit) -> Iterator[Change]:  # noqa: C901  # a table of kinds
    match node:
        case ast.Compare(ops=[op], left=left, comparators=[right]):
            for other in _COMPARED.get(type(op), ()):
                yield _change(unit, node, f"{unit.operand(left)} {other} {unit.operand(right)}", other)
        case ast.BoolOp(op=op, values=values):
            other = " or " if isinstance(op, ast.And) else " and "
            yield _change(unit, node, other.join(map(unit.operand, values)), f"{other.strip()} is written")
            for kept in values:
                yield _change(unit, node, unit.operand(kept), "half of the condition is missing")
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield _change(unit, node, unit.operand(operand), "the sign or `not` is missing")
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _SIGNS:
            sign, other = _SIGNS[type(op)]
            text = f"{unit.operand(left)} {other} {unit.operand(right)}"
            yield _change(unit, node, text, f"{other} in place of {sign}")
        case ast.IfExp(body=body, orelse=orelse):
            yield _change(unit, node, unit.operand(body), "the condition always holds")
            yield _change(unit, node, unit.operand(orelse), "the condition never holds")
        case ast.Constant():
            yield from _of_constant(node, unit)
        case ast.Name(id=name, ctx=ast.Load()):
            known = unit.data_names(node)
            others = [other for other in known if other != name] if name in known else []
            for other in others[-_MOST_NAMES:]:
                yield _change(unit, node, other, f"{other} in place of {name}")
        case ast.Call():
            yield from _of_call(node, unit)


def _of_call(node: ast.Call, unit: Unit) -> Iterator[Change]:
    match node:
        case ast.Call(args=[first, second], func=function):
            start, end = unit.span(first)[0], unit.span(second)[1]
            text = unit.text[:start][unit.span(node)[0] :]
            swapped = (
                f"{text}{unit.text_of(second)}, {unit.text_of(first)}{unit.text[end : unit.span(node)[1]]}"
            )
            yield _change(unit, node, swapped, f"{name_of(function)}: two arguments change places")
    for named in node.keywords:
        if named.arg is not None and isinstance(named.value, ast.Constant):
            end = unit.span(named.value)[1]
            begin = unit.text.rindex(named.arg, 0, unit.span(named.value)[0])
            before = unit.text[:begin].rstrip()
            start = len(before) - 1 if before.endswith(",") else begin
            yield Change(FAMILY, f"{named.arg} is left out", (Edit(start, end, ""),))


def _of_constant(node: ast.Constant, unit: Unit) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield _change(unit, node, str(not value), f"{not value} in place of {value}")
    elif isinstance(value, str):
        if isinstance(unit.parent(node), ast.Subscript):
            for key in unit.keys:
                if key != value:
                    yield _change(unit, node, repr(key), f"{key!r} in place of {value!r}")
    elif (known := number(node)) is not None:
        others = {known + 1, known - 1, 0, 2 * known, known / 2 if isinstance(known, float) else known + 2}
        for other in sorted(others - {known}):
            yield _change(
                unit,
                node,
                f"{other:g}" if isinstance(other, float) else str(other),
                f"{other:g} in place of {known:g}",
            )
