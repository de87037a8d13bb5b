"""The attacks on grading as data: what a submission tries, and the careless check that shows that it works.

An attack is a file in ``attacks/``: a few lines of comments, then the code that follows the honest solution.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

HERE = Path(__file__).resolve().parent
COURSE = HERE / "course"

KINDS = {
    "inputs": "every check draws its own values, in shapes and sizes that no public test has",
    "stand-ins": "plain data only; parameters are planted, never believed",
    "tolerances": "equal shapes, a tolerance for each type, and NaN is never close",
    "gradients": "the trusted side computes gradients, steps and losses itself, from values that it draws",
    "costs": "sizes are checked before memory is taken, by exact type; every wait has an end",
    "copies of ours": "checks run elsewhere: no copy of ours beside the student's code is ever asked",
    "what is hidden": "the sandbox holds neither the reference nor the tests, nor remains of them",
    "imitations": "points come from the checks' outcomes; foreign words are cleaned and never read",
    "keys": "a content key holds everything that decides how bytes are read",
    "names": "one cleaning exit for foreign words; what a platform wrote decides whose a file is",
    "layouts": "archives are read, never unpacked by their names; what is given wins",
}
"""What an attack is about, with what stops all of its kind."""


@dataclass(frozen=True)
class Attack:
    """One attack. ``tries`` completes "the submission ...", ``item`` is what it goes for.

    ``works`` is a careless check of the same thing that it passes; ``imitates`` a text that no line of a
    report may begin with.
    """

    name: str
    tries: str
    kind: str
    item: str
    source: str
    works: str = ""
    imitates: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Direct:
    """An attack that is a test: ``name`` is the test's, ``tries`` completes "the submission ..."."""

    name: str
    tries: str
    kind: str


DIRECT: list[Direct] = []
"""Filled by ``tried`` when the tests' modules are imported."""

Test = TypeVar("Test", bound=Callable[..., None])


def tried(kind: str, tries: str) -> Callable[[Test], Test]:
    """Note a test that is an attack and its control in one."""
    assert kind in KINDS

    def note(test: Test) -> Test:
        DIRECT.append(Direct(test.__name__.removeprefix("test_"), tries, kind))
        return test

    return note


@functools.cache
def attacks() -> tuple[Attack, ...]:
    """Every attack in a submission's own code, by name."""
    return tuple(map(_read, sorted((HERE / "attacks").glob("*.py"))))


@functools.cache
def honest() -> str:
    """A submission that earns everything."""
    return (COURSE / "reference" / "hw.py").read_text(encoding="utf-8")


def _read(path: Path) -> Attack:
    text = path.read_text(encoding="utf-8")
    fields = dict(_fields(text))
    assert fields["kind"] in KINDS, path
    return Attack(name=path.stem, source=f"{honest()}\n# %%\n{text}", **fields)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if not line.startswith("# "):
            return
        name, _, value = line[2:].partition(": ")
        yield name, value
