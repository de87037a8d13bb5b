"""An audit on a terminal: a line per region, what survived and why, and where checks charge oddly."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model.audit import Audit, MutantResult, Verdict
from grader.model.text import excerpt, one_line
from grader.reports import audit_summary as summary
from grader.reports.progress import can_print
from grader.reports.terminal import ASCII_RULES, RULES

_WIDEST, _NARROW = 120, 100
_SHOWN = 12
"""Survivors that are printed in full; the page has all."""
_LINE = 400


def print_audit(audit: Audit, console: Console, *, page: str = "") -> None:
    """Print the audit for the author. ``page`` is where the HTML page was written."""
    unicode = can_print("–─", console)
    narrow = console.width < _NARROW
    for part in _parts(audit, page, unicode=unicode, narrow=narrow):
        console.print(part, markup=False, highlight=False, emoji=False, width=min(console.width, _WIDEST))
    if page:
        console.print(Text(f"Page: {page}"), soft_wrap=True)


def _parts(audit: Audit, page: str, *, unicode: bool, narrow: bool) -> Iterator[RenderableType]:
    yield Text(f"{one_line(audit.assignment, 200)}: {len(audit.mutants)} mutants", "bold")
    yield Text(f"seed {audit.seed}, {audit.seconds:.1f} s in {audit.workers} processes", "dim")
    yield Text()
    yield _table(audit, unicode=unicode, narrow=narrow)
    survived = audit.of(Verdict.SURVIVED)
    if survived:
        yield Text()
        yield Text("Your tests miss this", "bold underline")
        for mutant in survived[:_SHOWN]:
            yield _survivor(audit, mutant)
        if len(survived) > _SHOWN:
            where = "the page shows them all" if page else "--out FOLDER writes a page with all of them"
            yield Text(f"  and {len(survived) - _SHOWN} more; {where}")
    for title, lines in (
        ("Points", list(summary.charge_lines(audit))),
        ("Notices", list(audit.notices)),
    ):
        if lines:
            yield Text()
            yield Text(title, "bold underline")
            yield from (_bullet(line) for line in lines)
    yield Text()
    for line in summary.other_lines(audit):
        yield Text(line, "dim")
    yield Text(summary.score_line(audit), "bold")


def _table(audit: Audit, *, unicode: bool, narrow: bool) -> Table:
    table = Table(
        box=RULES if unicode else ASCII_RULES,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        expand=True,
    )
    table.header_style = table.border_style = "dim"
    table.add_column("Region", ratio=1, overflow="fold", min_width=16)
    table.add_column("Item", overflow="fold", max_width=10 if narrow else 22)
    titles = ["Mutants", "Noticed", "Survived", "Equal", "Share", "A mistake costs"]
    for title in titles if not narrow else [*titles[:3], "Costs"]:
        table.add_column(title, justify="right", overflow="fold")
    for line in summary.region_lines(audit):
        region = line.region
        name = region.name if narrow else f"{region.name} ({region.file}, line {region.line})"
        style = "red" if line.survived else "green"
        worth = region.taken_out.get(region.item)
        cost = f"{line.charge} of {worth}" if line.charge and worth is not None else ""
        percent = line.percent if unicode else line.percent.replace("–", "-")
        more = [] if narrow else [str(line.equivalent + line.accepted), percent]
        table.add_row(
            one_line(name, 200),
            one_line(region.item or "none", 60),
            str(line.mutants),
            str(line.noticed),
            Text(str(line.survived), style if line.mutants else ""),
            *more,
            cost,
        )
    return table


def _survivor(audit: Audit, mutant: MutantResult) -> RenderableType:
    region = audit.regions[mutant.region]
    body: list[RenderableType] = [*_diff(mutant.diff)]
    if (found := mutant.difference) is not None:
        body.append(Text(one_line(found.call, _LINE)))
        body.append(Text(f"  the reference: {one_line(found.reference, _LINE)}"))
        body.append(Text(f"  the mutant:    {one_line(found.mutant, _LINE)}"))
    body.append(Text(one_line(summary.miss_line(mutant.difference, mutant), _LINE), "yellow"))
    head = Text(
        f"{region.item or 'no item'}  {one_line(region.name, 100)}: {one_line(mutant.what, 200)}", "bold"
    )
    return Padding(Group(Text(), head, Padding(Group(*body), (0, 0, 0, 2))), (0, 0, 0, 2))


def _diff(diff: str) -> Iterator[Text]:
    for line in excerpt(diff, limit=3000, lines=14).split("\n"):
        style = {"+": "green", "-": "red", "@": "dim"}.get(line[:1], "")
        yield Text(line.rstrip(), style)


def _bullet(line: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_row(Text("-", "dim"), Text(one_line(line, 600)))
    return Padding(grid, (0, 0, 0, 2))
