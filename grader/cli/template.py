"""`grade template`: write the students' folder from the reference, or compare the two."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options
from grader.grading import assignment_folder
from grader.model.errors import TemplateError

HELP = """Make the students' template from the reference.

The reference is a Python file in percent format or a notebook. Solutions become TODO stubs, in notebooks
and in the modules that `submission.files` names; written answers become placeholders, and outputs are
cleared. The manifest's `given` files and the public tests are copied. Files that are no longer generated are
removed.

Nothing is written if students would see what they are to find: a line or cell that another tool's markers
call a solution, an item that is solved in the template, a reference with no solution marked. Exit status: 0
done or up to date, 2 cannot be made, or not up to date with --check.

\b
Examples:
  grade template
  grade template --assignment ~/courses/hw3 --out /tmp/hw3
  grade template --check
"""
DEFAULT_OUT = "student_template"


@click.command("template", help=HELP)
@click.option(
    "--assignment",
    "assignment",
    metavar="DIR",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder with assignment.toml.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the template is written. [default: ASSIGNMENT/student_template]",
)
@click.option("--check", is_flag=True, help="Write nothing; fail if the template is not up to date.")
def command(assignment: Path, *, out: Path | None, check: bool) -> None:  # noqa: D103  # its help is HELP
    from grader.authoring.leaks import assert_nothing_leaks  # noqa: PLC0415  # likewise
    from grader.authoring.template import build  # noqa: PLC0415  # nbformat, not needed for --help
    from grader.authoring.template_folder import differences, write  # noqa: PLC0415  # likewise

    home = assignment_folder.load(assignment)
    target = out or assignment / DEFAULT_OUT
    files = build(home)
    assert_nothing_leaks(home, files)
    if check:
        if found := differences(target, files):
            raise TemplateError(f"{target}: not up to date ({'; '.join(found)}); run: grade template")
        options.tell(f"{target}: up to date, {len(files)} files")
        return
    removed = write(target, files)
    options.tell(f"{target}: {len(files)} files written")
    for name in removed:
        options.tell(f"removed, no longer generated: {name}")
