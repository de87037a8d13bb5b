"""The mutants of a reference: its solution regions, each with one mistake, or two.

A region lies in a unit, the smallest piece that can be run again by itself: a function or class at the top
level of a cell or module, else the cell.
"""

from __future__ import annotations

import ast
import difflib
import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.authoring.mutation import arrays, attention, backprop, checkers, data, optimisers, plain
from grader.authoring.mutation.unit import DEFINITIONS, Change, Unit, edited
from grader.notebooks.cells import Cell
from grader.notebooks.names import imported_names
from grader.notebooks.solution import solution_lines
from grader.notebooks.source import parse, python_tree

FAMILIES = (attention, backprop, checkers, optimisers, data, arrays, plain)
"""The first that makes a mutant names it."""

_HUNK = re.compile(r"@@ -(\d{1,9})")
PAIRS = "two mistakes"
_CONTEXT = 2
_TRIES = 40


@dataclass(frozen=True)
class Place:
    """Where a unit stands: the notebook's name or the module's place, its cell, its line there.

    ``cell`` is 0 for a module; ``file_line`` is the line in the reference's own file, and
    ``whole`` says that the unit is the whole cell.
    """

    file: str
    cell: int
    line: int
    file_line: int
    whole: bool = False
    module: bool = False


@dataclass
class Target:
    """A unit with one region of interest: ``name`` is the function's, "layer.forward"."""

    name: str
    place: Place
    unit: Unit
    region: tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """A target with a mistake in it. ``text`` is the whole unit's; ``lines`` (from 1) are those changed."""

    target: int
    family: str
    what: str
    text: str
    lines: tuple[int, ...] = ()
    changes: tuple[Change, ...] = field(default=(), repr=False)


def targets_in_cells(cells: Iterable[Cell], *, file: str, everything: bool = False) -> list[Target]:
    """The regions of a notebook's code cells; with ``everything`` each function and class is one."""
    kept = [cell for cell in cells if cell.kind == "code"]
    modules = {module: name for name, module in imported_names(kept).items()}
    names = {"arrays": modules.get("numpy", ""), "tensors": modules.get("torch", "")}
    found: list[Target] = []
    for cell in kept:
        for target in _targets(cell.source, everything=everything, names=names):
            first, whole, unit, region = target
            place = Place(file, cell.number, first, max(cell.line, 1) + first - 1, whole=whole)
            found.append(Target(_name(unit, region, place), place, unit, region))
    return found


def targets_in_module(text: str, *, place: str, everything: bool = False) -> list[Target]:
    """The regions of a module's functions and classes; what stands between them is run by nobody else."""
    tree = python_tree(text) or ast.Module(body=[], type_ignores=[])
    imports = [node for node in tree.body if isinstance(node, ast.Import)]
    known = {alias.name: alias.asname or alias.name for node in imports for alias in node.names}
    names = {"arrays": known.get("numpy", ""), "tensors": known.get("torch", "")}
    found = []
    for first, whole, unit, region in _targets(text, everything=everything, names=names):
        if not whole:
            where = Place(place, 0, first, first, module=True)
            found.append(Target(_name(unit, region, where), where, unit, region))
    return found


def _targets(
    text: str, *, everything: bool, names: dict[str, str]
) -> Iterator[tuple[int, bool, Unit, tuple[int, int]]]:
    """(first line, whether it is all of the text, unit, the region's lines in the unit)."""
    parsed = parse(text)
    if parsed is None:
        return
    definitions = [node for node in parsed.tree.body if isinstance(node, DEFINITIONS)]
    spans = [(_first_line(node), node.end_lineno or node.lineno) for node in definitions]
    regions = spans if everything else solution_lines(text)
    lines = text.split("\n")
    for begin, marked in regions:
        end = _last_code(lines, begin, marked)  # the end marker may stand below the function, as a comment
        around = next(((first, last) for first, last in spans if first <= begin and end <= last), None)
        if around is None:
            yield 1, True, Unit(text, [(begin, end)], **names), (begin, end)
            continue
        first, last = around
        region = begin - first + 1, end - first + 1
        yield first, False, Unit("\n".join(lines[first - 1 : last]), [region], **names), region


def _last_code(lines: Sequence[str], begin: int, end: int) -> int:
    """The last line (from 1) of a region that is neither blank nor a comment."""
    code = [
        number
        for number in range(begin, end + 1)
        if lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#")
    ]
    return code[-1] if code else end


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _name(unit: Unit, region: tuple[int, int], place: Place) -> str:
    """The innermost function or class that holds the region, with what is around it."""
    if place.whole:
        return f"cell {place.cell}"
    names = [
        (node.lineno, node.name)
        for node in ast.walk(unit.tree)
        if isinstance(node, DEFINITIONS)
        and node.lineno <= region[0]
        and region[1] <= (node.end_lineno or node.lineno)
    ]
    return ".".join(name for _, name in sorted(names)) or "?"


# -- making them ------------------------------------------------------------------------------------------


def mutants_of(targets: Sequence[Target]) -> list[Mutant]:
    """Every mutant with one mistake, without doubles: two that come to the same text are one."""
    return [mutant for number, target in enumerate(targets) for mutant in _single(number, target)]


def _single(number: int, target: Target) -> Iterator[Mutant]:
    unit = target.unit
    seen = {_meaning(unit.text)}
    for family in FAMILIES:
        for node in unit.nodes():
            for change in family.changes(node, unit):
                text = edited(unit.text, change.edits)
                meaning = _meaning(text)
                if meaning is not None and meaning not in seen:
                    seen.add(meaning)
                    yield Mutant(number, change.family, change.what, text, _lines(unit, change), (change,))


def _meaning(text: str) -> str | None:
    """What two texts that mean the same have in common; None for what is not Python."""
    parsed = parse(text)
    if parsed is None:
        return None
    try:
        compile(text, "<mutant>", "exec", dont_inherit=True) if not parsed.magics else None
    except (SyntaxError, ValueError):
        return None
    return ast.dump(parsed.tree)


def _lines(unit: Unit, change: Change) -> tuple[int, ...]:
    return tuple(sorted({unit.text.count("\n", 0, edit.start) + 1 for edit in change.edits}))


def chosen(mutants: Sequence[Mutant], targets: Sequence[Target], *, limit: int, seed: int) -> list[Mutant]:
    """``limit`` of them, drawn from ``seed``: first one of each kind in each region, then a second, ...

    Where there are fewer, mutants with two mistakes in one region are added.
    """
    draw = random.Random(seed)  # noqa: S311  # no secret
    kinds: dict[tuple[int, str, str], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        kinds[mutant.target, mutant.family, mutant.what].append(mutant)
    for group in kinds.values():
        draw.shuffle(group)
    ordered = list(kinds.values())
    draw.shuffle(ordered)
    rounds = itertools.zip_longest(*ordered)
    found = [mutant for one_of_each in rounds for mutant in one_of_each if mutant is not None][:limit]
    return found + _pairs(mutants, targets, limit - len(found), draw)


def _pairs(
    mutants: Sequence[Mutant], targets: Sequence[Target], count: int, draw: random.Random
) -> list[Mutant]:
    """Mutants with two mistakes of one region, in different places."""
    found: list[Mutant] = []
    seen = {_meaning(mutant.text) for mutant in mutants}
    for _ in range(count * _TRIES):
        if len(found) >= count or not mutants:
            break
        first = draw.choice(mutants)
        second = draw.choice([mutant for mutant in mutants if mutant.target == first.target])
        one, other = first.changes[0], second.changes[0]
        if one.overlaps(other):
            continue
        text = edited(targets[first.target].unit.text, (*one.edits, *other.edits))
        meaning = _meaning(text)
        if meaning is not None and meaning not in seen:
            seen.add(meaning)
            lines = tuple(sorted({*first.lines, *second.lines}))
            what = f"{first.what}; and {second.what}"
            found.append(Mutant(first.target, PAIRS, what, text, lines, (one, other)))
    return found


def diff_of(mutant: Mutant, target: Target) -> str:
    """The changed lines with a few around them, numbered as in the reference's file."""
    before, after = target.unit.text.split("\n"), mutant.text.split("\n")
    lines = list(difflib.unified_diff(before, after, n=_CONTEXT, lineterm=""))[2:]
    shown = []
    for line in lines:
        if found := _HUNK.match(line):
            shown += [f"@@ line {int(found[1]) + target.place.file_line - 1} of {target.place.file}"]
        else:
            shown.append(line)
    return "\n".join(shown)
