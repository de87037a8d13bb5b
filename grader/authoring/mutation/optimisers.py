"""Mistakes in optimisers and training loops: signs, state that is lost, calls that are left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.mutation.unit import Change, Unit, name_of

FAMILY = "optimisers"
_STEPS = {
    "zero_grad": "old gradients are not cleared",
    "step": "the step is missing",
    "backward": "backward is missing",
    "eval": "eval() is missing",
    "train": "train() is missing",
    "update": "the update is missing",
    "requires_grad_": "requires_grad_ is missing",
}
_MODES = {"train": "eval", "eval": "train"}


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The mistakes in optimisers that can be made at a node."""
    match node:
        case ast.Expr(value=ast.Call(func=function)) if name_of(function) in _STEPS:
            yield _change(unit, node, "pass", _STEPS[name_of(function)])
        case ast.Call(func=ast.Attribute(attr="train" | "eval" as name), args=[]):
            start = unit.text_of(node.func).removesuffix(name)
            yield _change(unit, node, f"{start}{_MODES[name]}()", f"{_MODES[name]}() in place of {name}()")
        case ast.AugAssign(target=target, op=ast.Sub(), value=value):
            place, text = unit.text_of(target), unit.text_of(value)
            yield _change(unit, node, f"{place} += {text}", "the step goes the wrong way")
            yield _change(unit, node, f"{place} = -({text})", "the old value is lost")
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            place, text = unit.text_of(target), unit.text_of(value)
            yield _change(unit, node, f"{place} -= {text}", "subtracted, not added")
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute() as target]):
            yield _change(unit, node, f"pass  # {unit.text_of(target)}", "the state is not stored")
        case ast.BinOp(left=ast.BinOp(left=a, op=ast.Mult(), right=b), op=ast.Add(), right=right) if (
            isinstance(a, ast.Name | ast.Attribute)
        ):
            decayed = f"{unit.text_of(a)} * {unit.operand(b)}"
            text = f"{decayed} + (1 - {unit.text_of(a)}) * {unit.operand(right)}"
            yield _change(unit, node, text, "an average, not a sum")
            text = f"{decayed} - {unit.operand(right)}"
            yield _change(unit, node, text, "the gradient is subtracted")
        case ast.With(items=[ast.withitem(context_expr=ast.Call(func=function))]) if name_of(function) in (
            "no_grad",
            "inference_mode",
        ):
            text = unit.text_of(node)
            yield _change(unit, node, f"if True{text[text.index(':') :]}", "gradients are recorded here too")
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=right):
            yield _change(unit, node, unit.operand(right), "b in place of 1 - b")


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))
