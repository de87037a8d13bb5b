"""The budget's names, set inside a submission: papermill's convention, and more for notebooks that broke it.

papermill runs a cell of new values after the cell tagged ``parameters``. A student may lose the tag with the
metadata, set the names in another cell, or train in the very cell that sets them. So a budgeted name gets the
budget's value after the tagged cell and again straight after every statement at the notebook's top level that
assigns it. Assignments inside functions are the student's own and stay.

A student may also use a budgeted name for something else. So a value that is not written out as a literal
is replaced only if it turns out to be of the budget's kind: a number, text or a list.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.model.assignment import BudgetValue
from grader.notebooks.cells import Cell, split_imports
from grader.notebooks.source import Positions, parse, top_level

TAG = "parameters"

_OF_LITERALS = (
    ast.Constant,
    ast.UnaryOp,
    ast.BinOp,
    ast.List,
    ast.Tuple,
    ast.unaryop,
    ast.operator,
    ast.expr_context,
)


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A code cell and the pieces in which it is run; a piece that raises does not stop the next ones.

    Only imports, the rest of the cell and the budget's own assignments are pieces of their own. Assignments
    of the budget inside a piece are added to the student's lines, so tracebacks keep the cell's line numbers.
    """

    cell: Cell
    pieces: tuple[str, ...]


def with_budget(cells: Iterable[Cell], budget: Mapping[str, BudgetValue]) -> tuple[PlannedCell, ...]:
    """The code cells in order, in pieces and with the budget's values set.

    Cells that are not Python keep their text. Raises ValueError for a value that is no int, float, str, bool
    or list of them.
    """
    return tuple(_run(cell, budget) for cell in cells if cell.kind == "code")


def literal(value: object) -> str:
    """A budget's value as Python source. Types are compared exactly, so that only literals can come out."""
    if type(value) is list:
        return f"[{', '.join(map(literal, value))}]"
    if type(value) is float and not math.isfinite(value):
        return f"float({str(value)!r})"
    if type(value) in {int, float, str, bool}:
        return repr(value)
    raise ValueError(f"a budget holds numbers, text, true or false and lists of them, not {value!r}")


def _run(cell: Cell, budget: Mapping[str, BudgetValue]) -> PlannedCell:
    pieces = split_imports(overridden(cell.source, budget))
    if TAG in cell.tags and budget:
        assignments = "\n".join(f"{name} = {literal(value)}" for name, value in budget.items())
        pieces = (*pieces, assignments)
    return PlannedCell(cell, pieces)


def overridden(source: str, budget: Mapping[str, BudgetValue]) -> str:
    """The source with ``; NAME = value`` after each top-level statement that assigns a budgeted name.

    Source that is not Python comes back as it is. Raises ValueError as ``with_budget`` does.
    """
    if not any(name in source for name in budget):
        return source  # most cells: not worth a parse
    parsed = parse(source)
    if parsed is None:
        return source
    positions = Positions(source)
    pieces, start = [], 0
    for statement in top_level(parsed.tree.body):
        names = dict.fromkeys(name for name in _assigned(statement) if name in budget)
        if not names or statement.end_lineno is None or statement.lineno in parsed.magics:
            continue
        # Spliced into the text, not unparsed from the tree: comments, magics and line numbers must stay.
        # A semicolon keeps the assignment in the block of its statement, however that is indented.
        end = positions.at(statement.end_lineno, statement.end_col_offset or 0)
        pieces.append(source[start:end])
        pieces += [f"; {_assignment(name, budget[name], statement)}" for name in names]
        start = end
    return "".join([*pieces, source[start:]])


def _assignment(name: str, value: BudgetValue, statement: ast.stmt) -> str:
    """The budget's assignment; conditional if only a run can tell what kind of value the student assigned."""
    if _is_literal(statement):
        return f"{name} = {literal(value)}"
    kinds = "str" if isinstance(value, str) else "(int, float)"
    if isinstance(value, list):
        kinds = "(list, tuple, range)"
    return f"{name} = {literal(value)} if isinstance({name}, {kinds}) else {name}"


def _is_literal(statement: ast.stmt) -> bool:
    """Whether the assigned value is made of constants and operators alone."""
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.AugAssign) or not isinstance(value, ast.expr):
        return False
    return all(isinstance(node, _OF_LITERALS) for node in ast.walk(value))


def _assigned(statement: ast.stmt) -> Iterator[str]:
    """The plain names that an assignment binds; none for any other statement."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign) or (isinstance(statement, ast.AnnAssign) and statement.value):
        targets = [statement.target]
    else:
        return
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
