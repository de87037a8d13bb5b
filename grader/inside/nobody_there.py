"""What waits for a person, answered at once: ``input()``, debuggers, ``exit()``."""

from __future__ import annotations

import builtins
import getpass
import pdb
import sys
from collections.abc import Callable
from typing import Any

from grader.inside.notes import NOTES, Notes, not_done

MOST_ANSWERS = 100
_NOBODY = ": nobody is there to answer"


def install(shell: Any) -> None:
    """Answer at once whatever waits for a person. Acts on the whole process."""
    builtins.input = getpass.getpass = Answers(NOTES)
    sys.breakpointhook = _passed(f"breakpoint(){_NOBODY}")
    pdb.set_trace = pdb.Pdb.set_trace = _passed(f"pdb.set_trace(){_NOBODY}")  # type: ignore[method-assign]
    pdb.post_mortem = pdb.pm = _passed(f"the debugger{_NOBODY}")
    pdb.Pdb.interaction = pdb.Pdb.cmdloop = _passed(f"the debugger{_NOBODY}")  # type: ignore[method-assign]
    debugger = sys.modules.get("IPython.core.debugger")
    if debugger is not None:
        vars(debugger)["set_trace"] = _passed(f"set_trace(){_NOBODY}")
    for name in ("debug", "pdb"):
        shell.register_magic_function(_passed(f"%{name}{_NOBODY}"), "line", name)
    for name in ("exit", "quit"):
        shell.user_ns[name] = shell.user_ns_hidden[name] = _passed(f"{name}()")


class Answers:
    """An ``input()`` that answers with an empty line and says so.

    Code that repeats its question until the answer is valid would use up all its time, so that more than
    MOST_ANSWERS questions in one request raise EOFError.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes, self._of, self._given = notes, notes.kept, 0

    def __call__(self, prompt: object = "", *_: object, **__: object) -> str:
        """Answer one question. Raises EOFError for one too many."""
        if self._of is not self._notes.kept:  # a new request has begun
            self._of, self._given = self._notes.kept, 0
        self._given += 1
        if self._given > MOST_ANSWERS:
            raise EOFError(f"asked for input more than {MOST_ANSWERS} times{_NOBODY}")
        sys.stdout.write(f"{prompt}\n")
        not_done("waiting for input, answered with an empty line")
        return ""


def _passed(what: str) -> Callable[..., None]:
    """A function that only says that it was passed over."""

    def pass_over(*_: object, **__: object) -> None:
        not_done(what)

    return pass_over
