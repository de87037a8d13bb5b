"""Lines for the shell in a notebook: ``!mkdir figures``, ``files = !ls``, ``%%bash``, ``%cd``.

They run as programs inside the same walls as the cells do. What installs or downloads is named and left
out: there is no network, and what the grader has installed is what a submission runs with.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from grader.inside import programs
from grader.inside.notes import not_done

INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")
FETCHERS = ("apt", "apt-get", "aptitude", "brew", "curl", "gdown", "git", "kaggle", "pip3", "sudo", "wget")
SHELLS = ("bash", "sh", "shell", "system", "sx")
MAX_KEPT = 1 << 22  # characters of a program's output that a notebook keeps in a variable
_SEPARATORS = ("&&", "||", ";", "|", "&")
_NAMING = ("--out", "--err", "--proc")
_NOT_STARTED = 126  # the exit status of a POSIX shell whose last program may not be started
_WRITTEN = "what a notebook writes or compiles cannot be started as a program"


def install(shell: Any) -> None:
    """Let a notebook's shell run such lines. Where there is no POSIX shell, IPython's own way stays."""
    for name in INSTALLERS:
        shell.register_magic_function(_left_out(name), "line", name)
    shell.register_magic_function(_cd(shell), "line", "cd")
    if os.name != "posix":
        return
    # No function may stand between: `var_expand` looks for names in the frame that called, by its distance.
    shell.system = shell.system_piped = shell.system_raw = partial(_system, shell)
    shell.getoutput = partial(_getoutput, shell)
    for name in SHELLS:
        shell.register_magic_function(_script(shell, "bash"), "cell", name)
    shell.register_magic_function(_script(shell, None), "cell", "script")
    for name in ("python", "python2", "python3", "pypy"):
        shell.register_magic_function(_script(shell, sys.executable), "cell", name)
    shell.register_magic_function(shell.system, "line", "shell")


def start_in(shell: Any, folder: str) -> None:
    """Make a folder the first that ``%cd`` goes back to; by ``_dh[0]`` some find their notebook's folder."""
    visited = shell.user_ns["_dh"]
    visited[:] = [type(visited[0])(folder)]


def leaves_out(command: str) -> bool:
    """Whether a command installs or downloads: one of its programs does nothing else."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace_split, lexer.whitespace = True, " \t\r"
    try:
        words = list(lexer)
    except ValueError:  # an open quote: the shell will say so
        words = command.split()
    starts = [
        word
        for place, word in enumerate(words)
        if place == 0 or not words[place - 1].strip("();|&\n") or words[place - 1] in _SEPARATORS
    ]
    started = {os.path.basename(word) for word in starts}
    modules = {words[place + 1] for place, word in enumerate(words[:-1]) if word == "-m"}
    return bool((started | modules) & {*INSTALLERS, *FETCHERS})


class Kept:
    """The text that a program wrote, cut where it would take too much memory."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = MAX_KEPT

    def hear(self, text: str) -> None:
        """Take one piece."""
        self._parts.append(text[: self._room])
        self._room -= min(self._room, len(text))

    @property
    def text(self) -> str:
        """All that was kept."""
        return "".join(self._parts)


def _system(shell: Any, command: str) -> None:
    """``!command``: its output is printed as it comes, and its exit status is ``_exit_code``."""
    command = shell.var_expand(command, depth=1)
    if command.rstrip().endswith("&"):  # as in Jupyter
        raise OSError("Background processes not supported.")
    shell.user_ns["_exit_code"] = _run_command(command, sys.stdout.write)


def _getoutput(shell: Any, command: str, split: bool = True, depth: int = 0) -> Any:  # noqa: FBT001, FBT002  # IPython's
    """``names = !command``: its output, as IPython's list of lines."""
    from IPython.utils.text import LSString, SList  # noqa: PLC0415  # lives with the shell that it is for

    command = shell.var_expand(command, depth=depth + 1)
    if command.rstrip().endswith("&"):
        raise OSError("Background processes not supported.")
    kept = Kept()
    _run_command(command, kept.hear)
    return SList(kept.text.splitlines()) if split else LSString(kept.text)


def _run_command(command: str, hear: programs.Hear) -> int:
    if leaves_out(command):
        not_done(f"!{command}")
        return 0
    try:
        status = programs.run([_shell_program(), "-c", command], "", hear)
    except OSError as error:
        not_done(f"!{command} ({error.strerror})")
        return 1
    if status == _NOT_STARTED:
        not_done(f"{_WRITTEN}: !{command}")
    return status


def _shell_program() -> str:
    return "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"


def _script(shell: Any, program: str | None) -> Callable[..., None]:
    """A cell of another language. IPython's own keeps a thread for ever, which every copy would lack."""

    def script(line: str, cell: str) -> None:
        words = shlex.split(line)
        names, flags, rest = _options(words)
        arguments = [*([program] if program else []), *rest]
        if arguments and os.path.basename(arguments[0]) in ("bash", "sh") and leaves_out(cell):
            not_done(f"%%{arguments[0]}: {cell.strip().splitlines()[0]} ...")
            return
        text = cell if cell.endswith("\n") else cell + "\n"
        try:
            if "--bg" in flags:
                process = programs.start(arguments, text)
                if "--proc" in names:
                    shell.user_ns[names["--proc"]] = process
                return
            status = _heard(shell, names, arguments, text)
        except OSError as error:
            not_done(f"%%{' '.join(arguments)} ({error.strerror})")
            return
        if status == _NOT_STARTED:
            not_done(f"{_WRITTEN}: %%{' '.join(arguments)}")
        if status and "--no-raise-error" not in flags:
            raise subprocess.CalledProcessError(status, cell)

    return script


def _heard(shell: Any, names: dict[str, str], arguments: list[str], text: str) -> int:
    """Run a cell's program; what it writes is printed, or kept in the variables that the cell names."""
    kept = {option: Kept() for option in ("--out", "--err") if option in names}
    out = kept["--out"].hear if "--out" in kept else sys.stdout.write
    err = kept["--err"].hear if "--err" in kept else sys.stderr.write
    try:
        return programs.run(arguments, text, out, err)
    finally:
        for option, output in kept.items():
            shell.user_ns[names[option]] = output.text


def _options(words: list[str]) -> tuple[dict[str, str], set[str], list[str]]:
    """The names that a cell's output goes to, its flags, and the words that are left of its first line."""
    names: dict[str, str] = {}
    flags: set[str] = set()
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        option, _, value = word.partition("=")
        if option in _NAMING:
            names[option] = value or next(waiting, "_")
        elif word in ("--bg", "--no-raise-error"):
            flags.add(word)
        else:
            rest.append(word)
    return names, flags, rest


def _left_out(name: str) -> Callable[..., None]:
    def leave_out(line: str = "") -> None:
        not_done(f"%{name} {line}".strip())

    return leave_out


def _cd(shell: Any) -> Callable[..., object]:
    """Change the folder, or stay where it is if there is no such folder here, as of Colab's drive."""
    change = shell.find_line_magic("cd")

    def cd(line: str = "") -> object:
        target = os.path.expanduser(line.strip().removeprefix("-q ").strip("'\" ") or "~")
        if target.startswith("-") or os.path.isdir(target):
            return change(line)
        not_done(f"%cd {line}: there is no such folder")
        return None

    return cd
