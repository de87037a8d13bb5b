"""Which cell an item is answered in: by the names that are asked for, else by headings."""

from __future__ import annotations

from support.tiny import HIDDEN, MANIFEST

from grader.model.assignment import parse
from grader.notebooks.answers import find_answers
from grader.notebooks.cells import Cell
from grader.notebooks.item_cells import asked_by_checks, cells_of_items

ASSIGNMENT = parse(MANIFEST)
OWN = """
from grader import item
@item("2")
def test_own(student):
    assert student.other.value == student.double(1)
"""


def places(*sources: str, asked: dict[str, frozenset[str]]) -> dict[str, int]:
    kinds = ["markdown" if source.startswith("#") else "code" for source in sources]
    cells = [
        Cell(at, kind, text) for at, (kind, text) in enumerate(zip(kinds, sources, strict=True), start=1)
    ]
    return cells_of_items(cells, ASSIGNMENT, asked, find_answers(cells, ASSIGNMENT))


def test_the_names_that_checks_take_from_the_student() -> None:
    assert asked_by_checks(HIDDEN) == {"1": frozenset({"double", "taken"})}
    assert asked_by_checks(HIDDEN + OWN)["2"] == frozenset({"other", "double"})
    assert asked_by_checks("def test(student): return student.x") == {}
    assert asked_by_checks("not python (") == {}


def test_an_item_is_where_its_names_are_defined_last_else_below_its_heading() -> None:
    asked = {"1": frozenset({"double"})}
    assert places("double = 1", "x = 2", "def double(x): pass", "y = 3", asked=asked) == {"1": 3}
    assert places("# 1 Doubling", "def doubel(x): pass", "# 2 Why", asked=asked) == {"1": 2, "2": 3}
    assert places("x = 2", asked=asked) == {}
    assert places("#### Answer 2\n\nSo.", "print(1)", asked={}) == {"2": 1}, "the prose, not what follows it"
