"""The section of docs/attacks.md about attacks on grading."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from elsewhere import ELSEWHERE
from rows import DIRECT, KINDS, Direct, attacks

_TEXT = """
## Attacks on the grading

These leave the sandbox alone and go for points, for another student's result, or for whoever reads a
report: {count} submissions, each graded against checks that are written as docs/check-authors.md says. None
gains a point, each loses what it went for by its own fault, and the honest answer beside it keeps its point.
Each has a control: the same submission earns a point of a careless check of the same thing, or the same done
honestly earns its point.

| attack | the submission … | about | control |
| --- | --- | --- | --- |
"""


def directs() -> list[Direct]:
    """The attacks that are tests of their own, by name."""
    for module in ("test_on_keys", "test_on_layouts", "test_on_names"):
        importlib.import_module(module)
    return sorted({attack.name: attack for attack in DIRECT}.values(), key=lambda attack: attack.name)


def section() -> str:
    """The text, which the tests compare with the page."""
    rows = sorted(_rows())
    kinds = "".join(f"- **{kind}**: {what}\n" for kind, what in KINDS.items())
    others = "".join(f"- {entry.tries} ({len(entry.tests)} in `tests/{entry.file}`)\n" for entry in ELSEWHERE)
    return (
        _TEXT.format(count=len(rows))
        + "".join(rows)
        + f"\nWhat stops them:\n\n{kinds}"
        + f"\nWhat tests of single parts try:\n\n{others}"
    )


def _rows() -> Iterator[str]:
    for attack in attacks():
        control = f"earns “{attack.works}”" if attack.works else f"honest: “{attack.item}”"
        yield f"| `{attack.name}` | {attack.tries} | {attack.kind} | {control} |\n"
    for direct in directs():
        yield f"| `{direct.name}` | {direct.tries} | {direct.kind} | in its test |\n"
