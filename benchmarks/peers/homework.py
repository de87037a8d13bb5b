"""The homework and the students' notebooks of homework.toml and students.toml, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import nbformat

HERE = Path(__file__).parent
LENGTHS = {
    "numpy": {"$UPDATES": "20"},
    "short": {"$UPDATES": "20", "$STEPS": "2", "$BATCH": "4"},
    "long": {"$UPDATES": "8000", "$STEPS": "30", "$BATCH": "32"},
}
"""How long the cells train: next to nothing, without torch and with it, or about two and a half seconds."""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One graded check: Python that uses names of the student's notebook, and what is ``given``."""

    name: str
    points: int
    uses: tuple[str, ...]
    body: str
    given: str = ""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell: one that students are given, or, with an ``id``, one that they write and that checks judge."""

    source: str
    id: str = ""
    title: str = ""
    torch: bool = False
    check: tuple[Check, ...] = ()


class Homework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts in the notebook's order."""

    title: str
    part: tuple[Part, ...]

    @property
    def items(self) -> tuple[Part, ...]:
        """The parts that students write."""
        return tuple(part for part in self.part if part.id)

    @property
    def points(self) -> dict[str, int]:
        """What each check is worth."""
        return {check.name: check.points for item in self.items for check in item.check}


class Student(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one student wrote, as differences from the solution, and the checks that it does not deserve."""

    name: str
    edits: tuple[tuple[str, str, str], ...] = ()
    answers: dict[str, str] = {}
    cells: dict[str, str] = {}
    loses: tuple[str, ...] = ()
    endless: bool = False

    def deserves(self, homework: Homework) -> dict[str, float]:
        """The points of each check that a fair grader gives."""
        return {name: float(points * (name not in self.loses)) for name, points in homework.points.items()}

    def answer(self, item: Part) -> str:
        """The student's cell for an item."""
        source = self.answers.get(item.id) or solution(item.source)
        for owner, old, new in self.edits:
            if owner == item.id:
                assert old in source, f"{self.name}: {item.id} has no {old!r}"
                source = source.replace(old, new)
        return source.strip()

    def code_cells(self, homework: Homework) -> Iterator[tuple[str, str]]:
        """Every code cell of the notebook in order, with the item it answers (empty: none)."""
        for part in homework.part:
            if not part.id:
                yield "", part.source.strip()
                continue
            yield part.id, self.answer(part)
            if part.id in self.cells:
                yield "", self.cells[part.id].strip()


class Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All students."""

    student: tuple[Student, ...]


def load(length: str) -> Homework:
    """The homework whose cells train for this ``length``, a key of LENGTHS."""
    text = (HERE / "homework.toml").read_text()
    for name, value in LENGTHS[length].items():
        text = text.replace(name, value)
    whole = msgspec.toml.decode(text, type=Homework)
    parts = tuple(part for part in whole.part if length != "numpy" or not part.torch)
    return Homework(whole.title, parts)


def students() -> tuple[Student, ...]:
    """Everybody, the one whose loop never ends last."""
    return msgspec.toml.decode((HERE / "students.toml").read_text(), type=Class).student


def solution(source: str) -> str:
    """A cell without the lines that mark its solution."""
    kept = [
        line for line in source.splitlines() if line.strip() not in {"### BEGIN SOLUTION", "### END SOLUTION"}
    ]
    return "\n".join(kept)


def notebook(cells: Sequence[dict[str, Any]]) -> bytes:
    """A notebook file of these cells (`code` and `markdown` below make them)."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(
        cells=list(map(nbformat.from_dict, cells)),
        metadata=nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}}),
        nbformat_minor=5,
    )
    nbformat.validate(made)
    text: str = nbformat.writes(made)
    return text.encode()


def code(name: str, source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell that has not run."""
    return {"outputs": [], "execution_count": None, **_cell("code", name, source, metadata)}


def markdown(name: str, source: str, **metadata: Any) -> dict[str, Any]:
    """A cell of prose."""
    return _cell("markdown", name, source, metadata)


def raw(name: str, source: str) -> dict[str, Any]:
    """A cell for the tools."""
    return _cell("raw", name, source, {})


def _cell(kind: str, name: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    name = name.replace("_", "-")[:60]
    return {"cell_type": kind, "id": name, "metadata": metadata, "source": source.strip()}
