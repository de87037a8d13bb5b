"""What waits for a person, answered at once: ``input()``, debuggers, ``exit()``."""

from __future__ import annotations

import builtins
import getpass
import pdb
import sys
from collections.abc import Callable
from typing import Any

from grader.inside.notes import not_done

_NOBODY = ": nobody is there to answer"


def install(shell: Any) -> None:
    """Let nothing wait. Acts on the whole process."""
    builtins.input = answer
    getpass.getpass = answer
    sys.breakpointhook = _passed(f"breakpoint(){_NOBODY}")
    pdb.set_trace = pdb.Pdb.set_trace = _passed(f"pdb.set_trace(){_NOBODY}")  # type: ignore[method-assign]
    pdb.post_mortem = pdb.pm = _passed(f"the debugger{_NOBODY}")
    pdb.Pdb.interaction = pdb.Pdb.cmdloop = _passed(f"the debugger{_NOBODY}")  # type: ignore[method-assign]
    debugger = sys.modules.get("IPython.core.debugger")
    if debugger is not None:
        vars(debugger)["set_trace"] = _passed(f"set_trace(){_NOBODY}")
    for name in ("debug", "pdb"):
        shell.register_magic_function(_passed(f"%{name}{_NOBODY}"), "line", name)
    shell.user_ns["exit"] = shell.user_ns["quit"] = _passed("exit()")


def answer(prompt: object = "", *_: object, **__: object) -> str:
    """An ``input()`` that answers with an empty line and says so."""
    sys.stdout.write(f"{prompt}\n")
    not_done("waiting for input, answered with an empty line")
    return ""


def _passed(what: str) -> Callable[..., None]:
    """A function that only says that it was passed over."""

    def pass_over(*_: object, **__: object) -> None:
        not_done(what)

    return pass_over
