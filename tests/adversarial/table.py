"""The measured table: a row for each attack, a column for each mode it was tried in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from suite import RULES, WALLS, attacks

from grader.sandbox.modes import Mode


@dataclass(frozen=True)
class Row:
    """One attack in one mode: "yes" (stopped), "NO", or "no, as documented"."""

    attack: str
    mode: str
    stopped: str


@dataclass
class Rows:
    """What was measured so far."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep one."""
        self.rows.append(row)

    def modes(self) -> list[str]:
        """The isolating modes first, then those without walls."""
        found = dict.fromkeys(row.mode for row in self.rows)
        return sorted(found, key=lambda mode: (mode in (Mode.NONE.value, BESIDE), mode == BESIDE, mode))

    def of(self, attack: str) -> dict[str, str]:
        """By mode, whether the attack was stopped."""
        return {row.mode: row.stopped for row in self.rows if row.attack == attack}

    def save(self, path: Path) -> None:
        """For whoever reads it with ``load``."""
        path.write_text(json.dumps([asdict(row) for row in self.rows]))

    def load(self, path: Path) -> None:
        """Take over what another run saved."""
        self.rows += [Row(**row) for row in json.loads(path.read_text() or "[]")]


BESIDE = "same process"
"""Where student code runs in the process that judges it, as in most graders of notebooks."""


def cells_of(rows: Rows) -> tuple[list[str], list[list[str]]]:
    """Heading and lines: attack, a verdict for each mode, what stops it."""
    modes = rows.modes()
    lines = []
    for attack in attacks():
        found = rows.of(attack.name)
        if found:
            lines.append([attack.name, *(found.get(mode, "") for mode in modes), attack.stopped_by])
    return ["attack", *modes, "stopped by"], lines


def as_text(rows: Rows) -> Iterable[str]:
    """The table for a terminal."""
    heading, lines = cells_of(rows)
    widths = [max(map(len, column)) for column in zip(heading, *lines, strict=True)]
    for line in (heading, ["-" * width for width in widths], *lines):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def as_markdown(rows: Rows) -> str:
    """The table for the documentation, with what each attack tries."""
    heading, lines = cells_of(rows)
    tries = {attack.name: attack.tries for attack in attacks()}
    rows_of_text = [_line([heading[0], "the submission …", *heading[1:]])]
    rows_of_text.append(_line(["---"] * (len(heading) + 1)))
    rows_of_text += [_line([f"`{name}`", tries[name], *rest]) for name, *rest in lines]
    return "\n".join(rows_of_text) + "\n"


def page(rows: Rows) -> str:
    """docs/attacks.md."""
    meanings = "".join(f"- **{name}**: {meaning}\n" for name, meaning in (WALLS | RULES).items())
    exceptions = "".join(
        f"- `{attack.name}` in mode `{mode}`: {why}\n"
        for attack in attacks()
        for mode, why in attack.exceptions.items()
    )
    return (
        _INTRODUCTION.format(count=len(attacks()))
        + as_markdown(rows)
        + f"\n## What stops them\n\n{meanings}"
        + (f"\n## What is not stopped, and why\n\n{exceptions}" if exceptions else "")
    )


_INTRODUCTION = """# Attacks

Measured, not claimed: {count} hostile submissions, each graded by `grade` as any other. The table is
written by the suite in `tests/adversarial/` (`tox -e adversarial` runs and prints it). "yes" means that the
attack was stopped: nothing gained, nothing touched, nothing told, while the honest answer in the same file
kept its point, so the attack did run. The last columns are the controls. In `none` there are no walls, in
`same process` the submission runs beside the checks as in most graders of notebooks; there "NO" shows that
the attack works where nothing stops it.

"""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
