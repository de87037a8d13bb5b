"""A new assignment to begin with: the starters in this package's data, under the name of a folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from grader.authoring import template_folder
from grader.authoring.leaks import assert_nothing_leaks
from grader.authoring.template import build
from grader.files import write_whole
from grader.grading import assignment_folder
from grader.model.errors import UsageError

TEMPLATE = "student_template"
_STARTERS, _EVERY, _ENDING = "starters", "every", ".in"
_NOT_OF_NAMES = re.compile(r"[^\w-]+")


def make(folder: Path, *, kind: str, title: str = "") -> list[str]:
    """Write an assignment of this kind, with its students' folder; the paths of all files below ``folder``.

    The reference is called like the folder, and so is the assignment if there is no ``title``. Raises
    UsageError for a folder that exists and is not empty, or that cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists and is not an empty folder; name a new one")
    name = _NOT_OF_NAMES.sub("_", folder.resolve().name).strip("_") or "assignment"
    shown = " ".join((title or folder.resolve().name or name).split())
    written = dict(_files(kind, name=name, title=shown))
    for path, text in written.items():
        write_whole(folder / path, text.encode())
    home = assignment_folder.load(folder)
    template = build(home)
    assert_nothing_leaks(home, template)
    template_folder.write(folder / TEMPLATE, template)
    return [*written, *(f"{TEMPLATE}/{path}" for path in template)]


def _files(kind: str, *, name: str, title: str) -> Iterator[tuple[str, str]]:
    """The starter's files: paths and texts, with the assignment's name and title in them."""
    for part in (_EVERY, kind):
        for path, file in _below(resources.files(__package__) / _STARTERS / part):
            # JSON's escapes are TOML's, which has the title between quotes.
            quoted = json.dumps(title, ensure_ascii=False)[1:-1] if path.endswith(".toml.in") else title
            text = file.read_text(encoding="utf-8").replace("@NAME@", name).replace("@TITLE@", quoted)
            yield path.removesuffix(_ENDING).replace("NAME", name), text


def _below(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """The files below a folder of the package's data, by their paths there."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_ENDING):
            yield f"{prefix}{entry.name}", entry
