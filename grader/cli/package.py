"""`grade package SYSTEM OUT`: an autograder for Gradescope, Classroom 50 or a GitHub repository."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options
from grader.files import write_whole
from grader.grading import assignment_folder
from grader.model.errors import UsageError
from grader.model.text import counted

HELP = """Make an autograder of this assignment for SYSTEM: gradescope, classroom50 or github.

gradescope: OUT is a zip to upload under "Configure Autograder". It holds Chainrule, the hidden tests and what
grading needs; students' code runs in the sandbox there, and students read what they may of each item.

classroom50, github: OUT is a folder for your own repository, or for the students'. Both run the public checks
alone, because whatever is in a student's repository, or is fetched into it, a student can read.

\b
Examples:
  grade package gradescope autograder.zip
  grade package gradescope autograder.zip --visibility after_due_date
  grade package classroom50 autograders/hw3
  grade package github student_template
"""


@click.command("package", help=HELP)
@click.argument("system", metavar="SYSTEM", type=click.Choice(["gradescope", "classroom50", "github"]))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@options.assignment("this folder, or one above")
@options.seed("drawn, and written into the zip: the whole class has one")
@click.option(
    "--visibility",
    type=click.Choice(["visible", "after_due_date", "after_published", "hidden"]),
    default="visible",
    help="When students see the results on Gradescope. [default: visible]",
)
def command(  # noqa: D103  # its help is HELP
    system: str, out: Path, *, assignment: Path | None, seed: int | None, visibility: str
) -> None:
    from grader.authoring.autograders import files  # noqa: PLC0415  # nbformat, not needed for --help
    from grader.course.packing import needed  # noqa: PLC0415  # likewise

    home = assignment_folder.load(assignment or assignment_folder.nearest(Path.cwd() / "x"))
    if system == "gradescope":
        drawn = options.draw_seed() if seed is None else seed
        data = files.gradescope(home, dict(needed(home)), seed=drawn, visibility=visibility)
        write_whole(out, data)
        memory = home.assignment.limits.memory_mb + files.GRADER_MB
        options.tell(
            f"{out}: {len(data) / 1e6:.1f} MB; choose a container with {memory:,} MB of memory or more"
        )
        return
    if (out / assignment_folder.HIDDEN_TESTS).exists():
        raise UsageError(
            f"{out} holds {assignment_folder.HIDDEN_TESTS}/; name a folder that students may see"
        )
    made = files.classroom50(home) if system == "classroom50" else files.github(home)
    for name, content in made.items():
        write_whole(out / name, content)
    options.tell(f"{out}: {counted(len(made), 'file', 'files')} written; the public checks only")
