"""Mistakes with data: what leaks, seeds that are set again, shuffling, ties, the last of everything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.authoring.mutation.unit import FUNCTIONS, Change, Unit, keyword, name_of

FAMILY = "data"
_SPLITS = ("train", "test", "val", "valid", "validation", "dev")
_SPLIT = re.compile(r"(?<![a-z])(train|test|val|valid|validation|dev)(?![a-z])", re.IGNORECASE)


_DRAWS = re.compile(r"rand|rng|shuffle|permut|choice|normal|uniform|dropout", re.IGNORECASE)


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The mistakes with data that can be made at a node."""
    match node:
        case ast.Name(id=name) if isinstance(node.ctx, ast.Load):
            for other in _of_other_split(name, unit.data_names(node)):
                yield _change(unit, node, other, f"{other} in place of {name}")
        case ast.Constant(value=str() as text):
            for other in _of_other_split(text, unit.keys):
                yield _change(unit, node, repr(other), f"{other!r} in place of {text!r}")
        case ast.Call():
            yield from _of_call(node, unit)
        case ast.Slice():
            yield from _of_slice(node, unit)
        case ast.stmt():
            yield from _of_first(node, unit)


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))


def _of_other_split(name: str, others: list[str]) -> Iterator[str]:
    """Names that differ only in the part of the data that they name."""
    shape = _SPLIT.sub("*", name)
    if shape != name:
        yield from (other for other in others if other != name and _SPLIT.sub("*", other) == shape)


def _of_call(call: ast.Call, unit: Unit) -> Iterator[Change]:
    name = name_of(call.func)
    library = unit.arrays or unit.tensors
    if name in ("permutation", "randperm") and call.args and library:
        yield _change(unit, call, f"{library}.arange({unit.text_of(call.args[0])})", "not shuffled")
    if name in ("choice", "randint", "integers", "permutation", "normal", "shuffle") and unit.arrays:
        seeded = f"({unit.arrays}.random.seed(0), {unit.text_of(call)})[1]"
        yield _change(unit, call, seeded, "the seed is set again before each draw")
    if name == "shuffle":
        yield _change(unit, call, "None", "not shuffled")
    replace = keyword(call, "replace", "shuffle", "stratify", "drop_last", "reverse", "with_replacement")
    if (
        replace is not None
        and isinstance(replace.value, ast.Constant)
        and isinstance(replace.value.value, bool)
    ):
        yield _change(
            unit, replace.value, str(not replace.value.value), f"{replace.arg} is {not replace.value.value}"
        )
    if name in ("argmax", "argmin", "max", "min") and unit.arrays and isinstance(call.func, ast.Attribute):
        owner = call.func.value
        of_library = isinstance(owner, ast.Name) and owner.id == unit.arrays
        axis = keyword(call, "axis")
        if name.startswith("arg") and axis is not None and not (of_library and not call.args):
            values, by = unit.operand(call.args[0] if of_library else owner), unit.text_of(axis.value)
            text = f"{values}.shape[{by}] - 1 - {unit.arrays}.flip({values}, {by}).{name}({by})"
            yield _change(unit, call, text, "the last of several, where they tie")
    if name == "range" and len(call.args) in (1, 2, 3):
        end = call.args[0] if len(call.args) == 1 else call.args[1]
        yield _change(unit, end, f"{unit.operand(end)} - 1", "the last one is left out")
        yield _change(unit, end, f"{unit.operand(end)} + 1", "one too many")
        if len(call.args) == 1:
            yield _change(unit, call, f"range(1, {unit.text_of(end)})", "the first one is left out")
        if len(call.args) == 3:  # noqa: PLR2004  # start, end, step
            step = unit.operand(call.args[2])
            text = f"{unit.operand(end)} - {unit.operand(end)} % {step}"
            yield _change(unit, end, text, "the last, smaller batch is left out")


def _of_slice(node: ast.Slice, unit: Unit) -> Iterator[Change]:
    if node.upper is not None:
        yield _change(unit, node.upper, f"{unit.operand(node.upper)} - 1", "the slice ends one too early")
        yield _change(unit, node.upper, f"{unit.operand(node.upper)} + 1", "the slice ends one too late")
    if node.lower is not None:
        yield _change(unit, node.lower, f"{unit.operand(node.lower)} + 1", "the slice begins one too late")


def _of_first(node: ast.stmt, unit: Unit) -> Iterator[Change]:
    """The first statement of a region in a function: seeds are set there."""
    if not isinstance(unit.parent(node), FUNCTIONS):
        return
    block = [one for one in unit.siblings(node) if unit.is_in_region(one)]
    draws = any(_DRAWS.search(unit.text_of(one)) for one in block)
    if draws and block[0] is node and (unit.arrays or unit.tensors):
        call = f"{unit.arrays}.random.seed(0)" if unit.arrays else f"{unit.tensors}.manual_seed(0)"
        text = f"{call}\n{unit.indent(node)}{unit.text_of(node)}"
        yield _change(unit, node, text, "the seed is set again in each call")
