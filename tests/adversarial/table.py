"""The measured table: a row for each attack, a column for each mode it was tried in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from suite import RULES, WALLS, attacks
from support.paths import ROOT

from grader.model.isolation import Mode

ON_GRADING = "\n## Attacks on the grading\n"


@dataclass(frozen=True)
class Row:
    """One attack in one mode: "yes" (stopped), "NO", or "no, as documented"."""

    attack: str
    mode: str
    stopped: str


@dataclass(frozen=True)
class Layers:
    """The layers of one mode of which each stops the attack by itself."""

    attack: str
    mode: str
    layers: list[str]


@dataclass
class Rows:
    """What was measured so far."""

    rows: list[Row] = field(default_factory=list)
    layers: list[Layers] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Add one row."""
        self.rows.append(row)

    def tried_in(self, mode: str) -> set[str]:
        """The names of the attacks that were tried in a mode."""
        return {row.attack for row in self.rows if row.mode == mode}

    def take_over(self, other: Rows) -> None:
        """Add another run's rows."""
        self.rows += other.rows
        self.layers += other.layers

    def modes(self) -> list[str]:
        """The isolating modes first, then those without walls."""
        order = [mode.value for mode in Mode] + [BESIDE]
        return sorted({row.mode for row in self.rows}, key=order.index)

    def of(self, attack: str) -> dict[str, str]:
        """By mode, whether the attack was stopped."""
        return {row.mode: row.stopped for row in self.rows if row.attack == attack}

    def as_json(self) -> str:
        """The text that ``from_json`` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Rows:
        """The rows of another process."""
        tree = json.loads(text)
        return cls([Row(**row) for row in tree["rows"]], [Layers(**row) for row in tree["layers"]])

    def save(self, path: Path) -> None:
        """Write the file that ``load`` reads."""
        path.write_text(self.as_json())

    def load(self, path: Path) -> None:
        """Take over what another run saved."""
        self.take_over(Rows.from_json(path.read_text()))


BESIDE = "same process"
"""Where student code runs in the process that judges it, as in most graders of notebooks."""


def cells_of(rows: Rows) -> tuple[list[str], list[list[str]]]:
    """Heading and lines: attack, a verdict for each mode, what stops it."""
    modes = rows.modes()
    lines = []
    for attack in attacks():
        found = rows.of(attack.name)
        if found:
            found = dict.fromkeys(attack.no_meaning, "-") | found
            lines.append([attack.name, *(found.get(mode, "") for mode in modes), attack.stopped_by])
    return ["attack", *modes, "stopped by"], lines


def table_as_text(rows: Rows) -> Iterable[str]:
    """The table for a terminal."""
    heading, lines = cells_of(rows)
    widths = [max(map(len, column)) for column in zip(heading, *lines, strict=True)]
    for line in (heading, ["-" * width for width in widths], *lines):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def table_as_markdown(rows: Rows) -> str:
    """The table for the documentation, with what each attack tries."""
    heading, lines = cells_of(rows)
    tries = {attack.name: attack.tries for attack in attacks()}
    rows_of_text = [_line([heading[0], "the submission …", *heading[1:]])]
    rows_of_text.append(_line(["---"] * (len(heading) + 1)))
    rows_of_text += [_line([f"`{name}`", tries[name], *rest]) for name, *rest in lines]
    return "\n".join(rows_of_text) + "\n"


def layers_as_markdown(rows: Rows) -> str:
    """For each attack and mode the layers that were seen to stop it, each by itself."""
    found: dict[str, dict[str, str]] = {}
    for row in rows.layers:
        found.setdefault(row.attack, {})[row.mode] = "; ".join(sorted(row.layers))
    modes = [mode.value for mode in Mode if any(mode.value in of for of in found.values())]
    lines = [_line(["attack", *modes]), _line(["---"] * (len(modes) + 1))]
    for attack, of in sorted(found.items()):
        lines.append(_line([f"`{attack}`", *(of.get(mode, "") for mode in modes)]))
    return "\n".join(lines) + "\n"


def page(rows: Rows) -> str:
    """docs/attacks.md."""
    meanings = "".join(f"- **{name}**: {meaning}\n" for name, meaning in (WALLS | RULES).items())
    exceptions = "".join(
        f"- `{attack.name}` in mode `{mode}`: {why}\n"
        for attack in attacks()
        for mode, why in (attack.goes_through | attack.no_meaning).items()
    )
    return (
        _INTRODUCTION.format(count=len(attacks()))
        + table_as_markdown(rows)
        + f"\n## What stops them\n\n{meanings}"
        + "\n## Which wall stops which\n\n"
        + _OF_LAYERS
        + layers_as_markdown(rows)
        + f"\n## What is not stopped, and why\n\n{exceptions}"
        + _on_grading()
    )


def _on_grading() -> str:
    """The second part as it stands; the tests in on_grading write it."""
    _, begins, section = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8").partition(ON_GRADING)
    return begins + section


_INTRODUCTION = """# Attacks

Measured, not claimed: {count} hostile submissions, each graded by `grade` as any other. The table is
written by the suite in `tests/adversarial/` (`tox -e adversarial` runs and prints it). "yes" means that the
attack was stopped: nothing gained, nothing touched, nothing told, while the honest answer in the same file
kept its point, so the attack did run. Where a call was refused that an honest notebook may make too, the item
waits for a person instead of earning nothing. "no, see why" means that it was not stopped, for the reason
given below, and "-" that it has no meaning in that mode. The last columns are the controls. In `none` there
are no walls, in `same process` the submission runs beside the checks as in most graders of notebooks; there
"NO" shows that the attack works where nothing stops it.

"""


_OF_LAYERS = """Measured by switching walls off, in a program of the tests' own. With all of those named off
the attack goes through; with any one of them on again it fails. One name: this wall alone stops it. Several:
each of them does, so that a defect in one is not yet a way through. Not measured in `ns-user`, which has the
walls of `ns-root` but "own user". A control group, where the machine has one, is off in all of these.

"""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
