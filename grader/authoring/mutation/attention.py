"""Mistakes in attention: masks, scales, heads that are mixed, the softmax's axis."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.mutation.unit import Change, Unit, keyword, name_of, number

FAMILY = "attention"
_RESHAPES = ("view", "reshape", "permute", "transpose", "swapaxes")
_LARGE = 1e4  # what is added, negated, to scores that are masked
_TRIANGLES = {"triu": "tril", "tril": "triu"}


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The mistakes in attention that can be made at a node."""
    match node:
        case ast.Call():
            yield from _of_call(node, unit)
        case ast.Constant(value=float() | int() as value) if (
            not isinstance(value, bool) and abs(value) >= _LARGE
        ):
            yield _change(unit, node, "0.0", "what is masked counts as 0")
        case ast.UnaryOp(op=ast.USub(), operand=ast.Attribute(attr="inf")):
            yield _change(unit, node, "0.0", "what is masked counts as 0")
        case ast.BinOp(op=ast.Pow(), right=right) if number(right) in (-0.5, 0.5):
            base = unit.operand(node.left)
            yield _change(unit, node, f"{base} ** {-(number(right) or 0)}", "the scale is upside down")
            yield _change(unit, node, f"{base} ** {2 * (number(right) or 0)}", "the scale without its root")
        case ast.BinOp(op=ast.Div(), right=ast.Call(func=function, args=[inner])) if (
            name_of(function) == "sqrt"
        ):
            left = unit.operand(node.left)
            yield _change(unit, node, f"{left} / {unit.operand(inner)}", "the scale without its root")
            yield _change(unit, node, f"{left} * {unit.text_of(node.right)}", "the scale is upside down")


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))


def _of_call(call: ast.Call, unit: Unit) -> Iterator[Change]:
    name = name_of(call.func)
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name == "masked_fill" and owner is not None and call.args:
        yield _change(unit, call, unit.text_of(owner), "the mask is missing")
        yield _change(unit, call.args[0], f"~{unit.operand(call.args[0])}", "the mask is the other way round")
    if name == "where" and len(call.args) == 3:  # noqa: PLR2004  # condition, then, else
        for kept in call.args[1:]:
            yield _change(unit, call, unit.operand(kept), "the mask is missing")
    if name in _TRIANGLES:
        start = unit.text_of(call.func).removesuffix(name)
        yield _change(unit, call.func, start + _TRIANGLES[name], "the mask of the other side")
        yield from _shifted(call, unit)
    if name == "float" and [getattr(part, "value", None) for part in call.args] == ["-inf"]:
        yield _change(unit, call, "0.0", "what is masked counts as 0")
    if name in _RESHAPES and owner is not None:
        yield _change(unit, call, unit.operand(owner), f"{name} is missing")
        yield from _of_axes(call, name, unit)


def _of_axes(call: ast.Call, name: str, unit: Unit) -> Iterator[Change]:
    """The axes of a view or transpose: heads end up in each other's places."""
    if name not in ("transpose", "swapaxes"):
        for place in range(len(call.args) - 1):
            texts = [unit.text_of(argument) for argument in call.args]
            texts[place], texts[place + 1] = texts[place + 1], texts[place]
            text = f"{unit.text_of(call.func)}({', '.join(texts)})"
            yield _change(unit, call, text, "two axes change places: heads are mixed")
        return
    for argument in call.args:
        value = number(argument)
        if value is not None:
            other = int(value) - 1 if value > 0 or value == -1 else int(value) + 1
            yield _change(unit, argument, str(other), f"axis {other} in place of {value}")


def _shifted(call: ast.Call, unit: Unit) -> Iterator[Change]:
    diagonal = keyword(call, "diagonal", "k")
    place = diagonal.value if diagonal is not None else (call.args[1] if len(call.args) > 1 else None)
    if place is None:
        if call.args:
            inner = unit.text_of(call)[:-1].rstrip().rstrip(",")
            for shift in (1, -1):
                yield _change(unit, call, f"{inner}, {shift})", f"the mask is shifted by {shift}")
        return
    for shift in (1, -1):
        yield _change(unit, place, f"{unit.operand(place)} + {shift}", f"the mask is shifted by {shift}")
