"""The `grade` command: `grade SUBMISSION` grades, `grade COMMAND` does something else.

Imports nothing heavier than click; a command's module is loaded when it is called, so `grade --help` is fast.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from grader.files import patient_streams
from grader.model.errors import CannotGrade, CheckError
from grader.model.version import __version__

COMMANDS = {
    "submission": "Grade one submission; used if no command is named.",
    "batch": "Grade what a whole class handed in, into the gradebook.",
    "regrade": "Show what today's tests would change, and change it.",
    "mark": "Give an item of a submission points, as a person.",
    "review": "Mark a class's written answers on a page, by keyboard.",
    "rubric": "Export the rubric lines that marking has made.",
    "marks": "Export and import people's points as a table.",
    "extend": "Give a student more time.",
    "assign": "Give a submission of nobody to a student.",
    "feedback": "Write each student's feedback: a page, and their own notebook.",
    "table": "Show where the class stands.",
    "export": "Write the grades as Canvas, Moodle or a spreadsheet takes them.",
    "report": "Show the class on one page: points, mistakes, what is shared.",
    "similar": "Show which students have much code in common.",
    "package": "Make an autograder for Gradescope, Classroom 50 or GitHub.",
    "doctor": "Try on this machine what the sandbox promises.",
    "import": "Bring an assignment over from another system.",
    "new": "Make a new assignment to begin with.",
    "check": "Try the checks on the reference and the template.",
    "audit": "Test the tests, with mistakes made in the reference.",
    "calibrate": "Work out the bounds of checks that depend on chance.",
    "template": "Make the students' template from the reference.",
}
"""Each command with its line in `grade --help`. Its module here has the same name, and defines `command`."""

DEFAULT = "submission"
NEEDS_NO_SANDBOX = frozenset({"--help", "-h", "--public", "--watch"})
CANNOT_GRADE = 2
INTERRUPTED = 130
INSTRUCTORS = frozenset({"matplotlib", "nbformat", "packaging", "sqlalchemy"})
"""What the extra [instructor] installs: a class and making assignments need it, one submission does not."""
INSTALL = "pip install 'chainrule[instructor]'"

EPILOG = """
\b
Examples:
  grade hw3.ipynb                          grade a notebook against the assignment in this folder
  grade hw3.ipynb --assignment ~/hw3       ... or in another one
  grade neural_networks.py --seed 7        a script; the same random inputs each time
  grade hw3.ipynb --json | jq .earned      the record alone, for scripts
  grade hw3.ipynb --public                 the public checks only, on a student's own machine
  grade batch submissions/                 a class: folder or zip, with a gradebook
  grade report                             the class on one page
  grade regrade                            what would today's tests change?
  grade check                              are the checks right about the reference?
  grade template --check                   is the students' template up to date?
  grade audit --fail-under 95              do the checks notice mistakes?
  grade calibrate --check                  are the bounds of checks about training fresh?
  grade doctor                             does the sandbox hold on this machine?

\b
Exit status: 0 graded, 1 graded but something needs attention, 2 cannot grade. It stays the same if whoever
reads the output stops reading (grade ... | head -1): the work is finished first.
"""


class Commands(click.Group):
    """Loads a command's module on first use; any first word that names no command is a submission."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands to name in --help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"grader.cli.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the default command's name if none is given."""
        if args and args[0] not in COMMANDS and args[0] not in ("--help", "-h", "--version"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, with a warm process in ``ctx.obj`` that starts while the command is imported."""
        if args and args[0] == DEFAULT and sys.platform.startswith("linux") and names_a_submission(args[1:]):
            from grader.sandbox.zygote import BASE_PRELOAD, Zygote, installed  # noqa: PLC0415  # for this command alone

            ctx.obj = Zygote.start(preload=installed(BASE_PRELOAD), more=True)
            ctx.call_on_close(ctx.obj.close)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def names_a_submission(args: Sequence[str]) -> bool:
    """Whether there is something to be graded in a sandbox, as far as the bare words tell."""
    return any(map(os.path.lexists, args)) and NEEDS_NO_SANDBOX.isdisjoint(args)


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="SUBMISSION [OPTIONS] | COMMAND [ARGS]...",
    no_args_is_help=True,
)
@click.version_option(__version__, prog_name="grade")
def cli() -> None:
    """Grade machine-learning homework in Jupyter notebooks.

    `grade SUBMISSION` runs an untrusted notebook (.ipynb) or script (.py) in a sandbox, checks it, awards the
    assignment's points and writes a report. `grade submission --help` shows its options.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status; a person's mistake is one line, never a traceback."""
    for library in ("OMP", "OPENBLAS", "MKL"):  # read at numpy's import
        # Beside other programs, several threads that wait for each other took five times as long as one.
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    with patient_streams():
        status = run(arguments)
        gc.freeze()  # else Python looks for garbage among everything while it leaves: a tenth of a second
        sys.exit(status)


def run(arguments: Sequence[str] | None) -> int:
    """Run the command; the exit status."""
    try:
        given = None if arguments is None else list(arguments)
        # Without standalone mode click returns the status of ctx.exit() and of Exit.
        status = cli.main(args=given, prog_name="grade", standalone_mode=False)
        sys.stdout.flush()  # a full disk may show only now
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return CANNOT_GRADE
    except click.ClickException as error:
        return say(usage_mistake(error))
    except (CannotGrade, CheckError) as error:
        return say(str(error))
    except (KeyboardInterrupt, click.Abort):
        return say("stopped", status=INTERRUPTED)
    except Exception as error:  # noqa: BLE001  # the last resort, said in one line
        return say(unforeseen(error))
    return status if isinstance(status, int) else 0


def unforeseen(error: Exception) -> str:
    """What to do about a small install or a defect of ours; with CHAINRULE_TRACEBACK it is shown where."""
    if isinstance(error, ModuleNotFoundError) and error.name in INSTRUCTORS:
        return f"this needs {error.name}, which a student's install leaves out: {INSTALL}"
    if os.environ.get("CHAINRULE_TRACEBACK"):
        traceback.print_exception(error)
    return (
        f"a defect in Chainrule: {type(error).__name__}: {error}; "
        "please report it with what CHAINRULE_TRACEBACK=1 shows"
    )


def usage_mistake(error: click.ClickException) -> str:
    """What was wrong about the call, and where its options are explained."""
    context = getattr(error, "ctx", None)
    help_of = f"; see {context.command_path} --help" if context else ""
    return error.format_message().rstrip(".") + help_of


def say(message: str, *, status: int = CANNOT_GRADE) -> int:
    """Print one line on standard error; the exit status."""
    from grader.cli import options  # noqa: PLC0415  # not needed for --help

    options.tell("grade: " + " ".join(message.split()), err=True)
    return status


if __name__ == "__main__":
    main()
