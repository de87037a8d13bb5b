"""The IPython shell that runs a notebook's cells: no kernel, no sockets, no history file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from grader.inside.output import Output, Publisher, ResultHook


class Shell(InteractiveShell):
    """An InteractiveShell that keeps the last error for us instead of printing it."""

    last_traceback: list[str] | None = None
    grading = False  # True while a notebook is run to be graded: a cell's own check() then waits

    def init_history(self) -> None:
        """Keep history in memory only."""
        self.history_manager = HistoryManager(shell=self, parent=self, hist_file=":memory:", enabled=False)

    def init_sys_modules(self) -> None:
        """Leave sys.modules["__main__"] alone: the process's own main module stays what it is."""

    def enable_gui(self, gui: object = None) -> None:
        """Ignore %gui: there is no screen."""

    def _showtraceback(self, etype: object, evalue: object, stb: list[str]) -> None:
        del etype, evalue
        self.last_traceback = [str(line) for line in stb]

    def ask_exit(self) -> None:
        """Ignore requests to leave the shell."""

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """Keep no second copy of what is printed: IPython's history would hold all of it, without bound."""
        del channel
        yield


def make_shell() -> Shell:
    """A ready shell, made once in the zygote so that each fork starts with one (about 100 ms otherwise).

    Always a new one with an empty namespace, also where an earlier one served another notebook.
    """
    Shell.clear_instance()
    Shell.display_pub_class.default_value = Publisher
    Shell.displayhook_class.default_value = ResultHook
    shell = Shell.instance(colors="nocolor")
    shell.user_ns["__name__"] = "__main__"
    if "matplotlib" in sys.modules:
        shell.run_line_magic("matplotlib", "inline")
    return shell


def connect_output(shell: Shell, output: Output) -> None:
    """Send the shell's displays and results to ``output``."""
    ends: tuple[Any, Any] = (shell.display_pub, shell.displayhook)
    for end in ends:
        end.output = output


def draw_figures(shell: Any, *, wanted: bool) -> None:
    """Whether a cell's open figures are drawn to PNG at its end (about 60 ms each) or only closed."""
    if "matplotlib_inline" not in sys.modules:
        return
    from matplotlib_inline.config import InlineBackend  # noqa: PLC0415  # only if plotting is loaded

    InlineBackend.instance(parent=shell).figure_formats = {"png"} if wanted else set()


def run_cell(shell: Any, source: str) -> dict[str, Any]:
    """Run one cell. The result is plain data: ok, the error's kind and message, the traceback's lines."""
    shell.last_traceback = None
    result = shell.run_cell(source, store_history=True)
    error = result.error_in_exec if result.error_before_exec is None else result.error_before_exec
    if error is None:
        return {"ok": True}
    return {
        "ok": False,
        "kind": kind_of(error),
        "message": text_of(error),
        "traceback": "\n".join(shell.last_traceback or [])[-4000:],
    }


def kind_of(value: object) -> str:
    """The name of a value's type, whatever its metaclass does; bounded."""
    return str.__getitem__(type.__dict__["__name__"].__get__(type(value)), slice(100))


def text_of(error: BaseException) -> str:
    """The error's own words, whatever its __str__ does; bounded."""
    try:
        return str.__getitem__(str(error), slice(2000))
    except BaseException:  # noqa: BLE001  # a student's __str__ may raise anything
        return "(its text cannot be shown)"
