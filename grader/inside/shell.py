"""The IPython shell that runs a notebook's cells: no kernel, no sockets, no history file."""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as Any_
from traitlets import Type

from grader.inside.event_loop import LOOP
from grader.inside.output import Output, Publisher, ResultHook

_CELL_NAME = re.compile(r"<ipython-input-(\d{1,9})-[0-9a-f]{1,64}>")
_AWAITS = re.compile(r"\b(?:await|async)\b")
_MOST_BLANK_LINES = 5_000


class Compiler(CachingCompiler):
    """Gives code the numbers that a student knows: the cell's in its file, a script's name and lines.

    ``cell`` is the number of the cell that runs (0: IPython's own numbering), ``line`` that of the first line
    of what runs, in its cell or in the script. ``script`` is the path of the script that runs, "" for none.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # IPython's
        self.cell, self.line, self.script = 0, 1, ""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """The file name that the code is compiled with."""
        if self.cell and self.script:
            return self.script
        return super().get_code_name(raw_code, transformed_code, self.cell or number)

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        """Keep the code's lines for tracebacks; those of a script are in its file."""
        name = super().cache(transformed_code, self.cell or number, raw_code)
        if name == self.script and os.path.exists(name):
            linecache.cache.pop(name, None)
        elif 1 < self.line <= _MOST_BLANK_LINES:
            lines = ["\n"] * (self.line - 1) + linecache.getlines(name)
            linecache.cache[name] = (len(transformed_code), None, lines, name)
        return name

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        """The tree with the lines of the file, and so the lines of a syntax error."""
        below = self.line - 1 if filename in self._filename_map else 0
        try:
            tree: ast.AST = super().ast_parse(source, filename, symbol)
        except SyntaxError as error:
            if error.lineno is not None:
                error.lineno += below
            if error.end_lineno is not None:
                error.end_lineno += below
            raise
        return ast.increment_lineno(tree, below) if below else tree

    def format_code_name(self, name: str) -> tuple[str, str] | None:
        """What a traceback calls the code."""
        if name == self.script and name:
            return "file", os.path.basename(name)
        return ("cell", str(self._filename_map[name])) if name in self._filename_map else None

    def place_of(self, filename: str) -> tuple[str, int] | None:
        """A script's name and 0, or "" and a cell's number; None for other code."""
        if filename == self.script and filename:
            return os.path.basename(filename), 0
        number = self._filename_map.get(filename)
        return None if number is None else ("", number)


def readable(text: str) -> str:
    """A traceback's text with cells as students count them."""
    return _CELL_NAME.sub(r"cell \1", text)


class Shell(InteractiveShell):
    """An InteractiveShell that keeps the last error for us instead of printing it."""

    compiler_class = Type(Compiler)
    kernel = Any_()  # as in Jupyter, a trait
    last_traceback: list[str] | None = None
    _database: dict[str, Any] | None = None
    grading = False  # True while a notebook is run to be graded: a cell's own check() then waits

    def init_history(self) -> None:
        """Keep history in memory only."""
        self.history_manager = HistoryManager(shell=self, parent=self, hist_file=":memory:", enabled=False)

    @property
    def db(self) -> dict[str, Any]:
        """What ``%bookmark``, ``%pushd`` and others note: in memory, not in the person's home."""
        if self._database is None:
            self._database = {}
        return self._database

    @db.setter
    def db(self, value: dict[str, Any]) -> None:
        self._database = value

    def init_sys_modules(self) -> None:
        """Leave sys.modules["__main__"] alone until the process is a notebook's: see ``be_main``."""

    @property
    def parent_header(self) -> dict[str, object]:
        """The front end's message that a kernel answers: there is none."""
        return {}

    def get_parent(self) -> dict[str, object]:
        """The same, as a call."""
        return self.parent_header

    def magic(self, line: str) -> object:
        """The old spelling of ``run_line_magic``, which notebooks still have."""
        name, _, rest = line.lstrip("% ").partition(" ")
        return self.run_line_magic(name, rest.strip())

    def enable_gui(self, gui: object = None) -> None:
        """Ignore %gui: there is no screen."""

    def _showtraceback(self, etype: object, evalue: object, stb: list[str]) -> None:
        del etype, evalue
        self.last_traceback = [str(line) for line in stb]

    def _format_exception_for_storage(self, *_: object, **__: object) -> dict[str, object]:
        """Keep no second traceback for a history that nobody reads: it takes as long as the first."""
        return {}

    def ask_exit(self) -> None:
        """Ignore requests to leave the shell."""

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """Keep no second copy of what is printed: IPython's history would hold all of it, without bound."""
        del channel
        yield


Shell.__name__ = Shell.__qualname__ = "ZMQInteractiveShell"  # by which code tells a notebook from a script


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


def be_main(shell: Any, name: str = "__main__") -> None:
    """Make the notebook's names those of the module ``name``, and of ``__main__``.

    pickle, dataclasses, unittest and ``typing`` look the module of a class or function up by its name.
    """
    shell.user_ns["__name__"] = name
    sys.modules["__main__"] = shell.user_module
    sys.modules.setdefault(name, shell.user_module)  # a script named like a module must not replace it


def be_file(shell: Any, name: str, *, script: bool) -> None:
    """Tell the notebook or script what it is called: ``sys.argv``, and ``__file__`` for a script."""
    sys.argv = [name]
    if script:
        be_script(shell, os.path.join(os.getcwd(), name))


def be_script(shell: Any, path: str) -> None:
    """Run the cells as the statements of the script at this path."""
    shell.compile.script = shell.user_ns["__file__"] = path


def run_cell(shell: Any, source: str, *, cell: int = 0, line: int = 1) -> dict[str, Any]:
    """Run one cell. The result is plain data: ok, the error's kind and message, the traceback's lines.

    ``cell`` is its number in its file, ``line`` the first line of ``source`` in the cell or script.
    """
    shell.last_traceback = None
    shell.compile.cell, shell.compile.line = cell, line
    error = _run(shell, source)
    if error is None:
        return {"ok": True}
    return {
        "ok": False,
        "kind": kind_of(error),
        "message": text_of(error),
        "traceback": readable("\n".join(shell.last_traceback or [])[-4000:]),
    }


def _run(shell: Any, source: str) -> BaseException | None:
    """Run a cell as a kernel does: inside one event loop that goes on from cell to cell; what it raised."""
    if LOOP.get().is_running():  # a cell of a cell, under nest_asyncio
        return _error_of(shell.run_cell(source, store_history=True))
    try:
        return _error_of(LOOP.finish(_in_loop(shell, source)))
    except KeyboardInterrupt as error:  # the time was up while the cell awaited something
        return error


async def _in_loop(shell: Any, source: str) -> Any:
    if not _AWAITS.search(source):  # to ask IPython takes as long as to read the cell a second time
        return _run_at_once(shell, source)
    try:
        transformed, failure = shell.transform_cell(source), None
    except Exception:  # noqa: BLE001  # IPython shows it, as it does every error of a cell
        transformed, failure = source, sys.exc_info()
    given = {"transformed_cell": transformed, "preprocessing_exc_tuple": failure}
    if not shell.should_run_async(source, **given):
        return _run_at_once(shell, source)
    result = None
    try:
        result = await shell.run_cell_async(source, store_history=True, **given)
    finally:
        shell.events.trigger("post_execute")  # as a kernel does; open figures are drawn then
        shell.events.trigger("post_run_cell", result)
    return result


def _run_at_once(shell: Any, source: str) -> Any:
    """Run a cell that awaits nothing."""
    result = shell.run_cell(source, store_history=True)
    LOOP.keep_variables()
    return result


def _error_of(result: Any) -> BaseException | None:
    error: BaseException | None = result.error_before_exec
    return result.error_in_exec if error is None else error


def kind_of(value: object) -> str:
    """The name of a value's type, whatever its metaclass does; bounded."""
    return str.__getitem__(type.__dict__["__name__"].__get__(type(value)), slice(100))


def bases_of(error: BaseException) -> list[str]:
    """The names of the bases of an error's class, whatever its metaclass does; bounded."""
    name_of, bases = type.__dict__["__name__"].__get__, type.__dict__["__mro__"].__get__(type(error))[1:]
    return [str.__getitem__(name_of(base), slice(100)) for base in bases[:20]]


def text_of(error: BaseException) -> str:
    """The error's own words, whatever its __str__ does; bounded."""
    try:
        return readable(str.__getitem__(str(error), slice(2000)))
    except BaseException:  # noqa: BLE001  # a student's __str__ may raise anything
        return "(its text cannot be shown)"
