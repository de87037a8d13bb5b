"""The one builder of small assignments: a manifest from its items, and a folder with what else it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Setting = float | str | Sequence[float]


@dataclass(frozen=True)
class Item:
    """A line of a manifest. ``rubric`` is the one criterion, worth all points, by which a person marks."""

    id: str
    title: str
    points: float = 1
    kind: str = ""
    rubric: str = ""
    bonus: float = 0

    def as_toml(self) -> str:
        """Its table."""
        lines = ["[[item]]", *_settings({"id": self.id, "title": self.title, "points": self.points})]
        if self.bonus:
            lines += _settings({"bonus": self.bonus})
        if self.kind:
            lines += _settings({"kind": self.kind})
        if self.rubric:
            lines.append(f"rubric = [{{ points = {self.points}, text = {json.dumps(self.rubric)} }}]")
        return "\n".join(lines)


def manifest(
    *items: Item,
    title: str = "Tiny",
    notebook: str = "",
    given: Sequence[str] = (),
    limits: Mapping[str, Setting] | None = None,
    budget: Mapping[str, Setting] | None = None,
) -> str:
    """The text of an assignment.toml; what is left out is not in it."""
    head = {"title": title, "points": sum(item.points for item in items)}
    lines = [*_settings(head), *_settings({"notebook": notebook} if notebook else {})]
    if given:
        lines.append(f"given = {json.dumps(list(given))}")
    tables = [
        f"[{name}]\n" + "\n".join(_settings(table))
        for name, table in (("limits", limits), ("budget", budget))
        if table
    ]
    return "\n\n".join(["\n".join(lines), *(item.as_toml() for item in items), *tables]) + "\n"


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write texts by their paths below ``folder``, and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _settings(table: Mapping[str, Setting]) -> list[str]:
    """Lines of TOML; JSON writes its numbers and plain texts."""
    return [f"{name} = {json.dumps(value)}" for name, value in table.items()]
