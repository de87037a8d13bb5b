"""The names that code binds are found in its text, whatever statement binds them and however long it is."""

from __future__ import annotations

import pytest

from grader.notebooks.cells import Cell
from grader.notebooks.names import defined_names


def names_in(source: str) -> set[str]:
    return set(defined_names([Cell(1, "code", source)]))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def a(): b = 1\nclass c: d = 1\nasync def e(): pass", {"a", "c", "e"}),
        ("a = b = 1\n(c, [d, *e]) = x\nf: int = 1\ng: int", {"a", "b", "c", "d", "e", "f"}),
        ("for a, b in x: c = 1\nelse: d = 1\nwhile x: e = 1", {"a", "b", "c", "d", "e"}),
        ("with x as a, y as (b, c): d = 1\nwith z: pass", {"a", "b", "c", "d"}),
        ("try: a = 1\nexcept E: b = 1\nelse: c = 1\nfinally: d = 1", {"a", "b", "c", "d"}),
        ("try: a = 1\nexcept* E: b = 1", {"a", "b"}),
        ("match x:\n    case 1: a = 1\n    case _: b = 1", {"a", "b"}),
        ("if x:\n    def a(): pass\nelif y: b = 1\nelse: c = 1", {"a", "b", "c"}),
        ("import a\nfrom b import c\nx.y = 1\nx[0] = 1\nd += 1", set()),
        ("%matplotlib inline\na = !ls", {"a"}),
        ("def a(:\n    pass\nb = 1", {"a", "b"}),
    ],
)
def test_what_a_statement_binds(source: str, names: set[str]) -> None:
    assert names_in(source) == names


def test_a_chain_of_branches_may_be_long() -> None:
    branches = "".join(f"elif x == {number}:\n    y = {number}\n" for number in range(1200))
    assert names_in(f"x = 1\nif x:\n    y = 0\n{branches}") == {"x", "y"}
