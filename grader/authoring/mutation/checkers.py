"""Mistakes in gradient checkers: one-sided, wrong brackets, a step of the wrong size, values not put back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.mutation.unit import Change, Unit, number

FAMILY = "checkers"


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The mistakes in checkers that can be made at a node."""
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=ast.BinOp(left=first, op=ast.Mult(), right=second)):
            text = f"{unit.operand(left)} / {unit.operand(first)} * {unit.operand(second)}"
            yield _change(unit, node, text, "a / b * c in place of a / (b * c)")
        case ast.BinOp(
            left=ast.BinOp(left=first, op=ast.Sub() | ast.Add() as op, right=second), op=ast.Div()
        ):
            sign = "-" if isinstance(op, ast.Sub) else "+"
            divided = f"{unit.operand(second)} / {unit.operand(node.right)}"
            yield _change(
                unit, node, f"{unit.operand(first)} {sign} {divided}", "only the second term is divided"
            )
            for one, what in ((first, "the second value is missing"), (second, "the first value is missing")):
                yield _change(unit, node, f"{unit.operand(one)} / {unit.operand(node.right)}", what)
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if number(left) == 2:  # noqa: PLR2004
            yield _change(unit, node, unit.operand(right), "one step, not two: the other side is never seen")
        case ast.AugAssign(target=ast.Attribute() | ast.Subscript() as target, op=ast.Add() | ast.Sub()):
            text = f"pass  # {unit.text_of(target)} stays changed"
            yield _change(unit, node, text, "the value is not put back")
        case ast.Constant(value=float() as value) if 0 < abs(value) <= 1e-2:  # noqa: PLR2004
            for other in (value * 1e4, value * 1e-6, value * 10):
                yield _change(unit, node, f"{other:g}", f"a step or bar of {other:g}, not of {value:g}")


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))
