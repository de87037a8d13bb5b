"""`grade new FOLDER`: an assignment to begin with, which is graded at once."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from grader.cli import options
from grader.host import is_installed
from grader.model.text import counted

KINDS = ("notebook", "package", "data-frame", "training")
HELP = """Make a new assignment in FOLDER, small and whole: change it piece by piece into your own.

\b
Kinds:
  notebook     a notebook with functions and a written answer
  package      modules that students write, and a notebook that uses them
  data-frame   tables with pandas
  training     a model that is trained, within a budget

It has a manifest, a solved reference, public and hidden checks, and the students' folder; each file says in
its first lines what it is for. What is not named on the command line is asked for, on a terminal. A folder
that holds anything is left alone. Exit status: 0 done, 2 cannot be made.

\b
Examples:
  grade new
  grade new hw1 --kind notebook
  grade new hw2 --kind training --title "HW2: descent"
  cd hw2 && grade check
"""


@click.command("new", help=HELP)
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help="What students hand in.")
@click.option("--title", metavar="TEXT", default="", help="Shown on reports. [default: the folder's name]")
def command(folder: Path | None, *, kind: str | None, title: str) -> None:  # noqa: D103  # its help is HELP
    from grader.authoring.new_assignment import make  # noqa: PLC0415  # nbformat, not needed for --help

    if folder is None or kind is None:
        if not _on_terminal():
            raise click.UsageError("name a folder and its --kind, such as: grade new hw1 --kind notebook")
        folder = folder or click.prompt("Folder", type=click.Path(path_type=Path))
        title = title or click.prompt("Title", default=folder.resolve().name)
        kind = kind or click.prompt("Kind", type=click.Choice(KINDS), default=KINDS[0])
    files = make(folder, kind=kind, title=title)
    options.tell(f"{folder}: {counted(len(files), 'file', 'files')} written; README.md says what they are")
    if kind == "data-frame" and not is_installed("pandas"):
        options.tell("Its cells need pandas, which is not installed here: pip install pandas")
    options.tell(f"Next: cd {shlex.quote(str(folder))} && grade check")


def _on_terminal() -> bool:
    return sys.stdin.isatty()
