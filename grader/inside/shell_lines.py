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
from typing import Any

from grader.inside.notes import not_done

INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")
FETCHERS = ("apt", "apt-get", "aptitude", "brew", "curl", "gdown", "git", "kaggle", "pip3", "sudo", "wget")
SHELLS = ("bash", "sh", "shell", "system", "sx")
_SEPARATORS = ("&&", "||", ";", "|", "&")
_OUTPUT_OPTIONS = ("--out", "--err", "--proc")


def install(shell: Any) -> None:
    """Let a notebook's shell run such lines."""
    shell.system = shell.system_piped = shell.system_raw = lambda command: _system(shell, command)
    shell.getoutput = lambda command, *_, **options: _getoutput(shell, command, **options)
    for name in SHELLS:
        shell.register_magic_function(_script(shell, "bash"), "cell", name)
    shell.register_magic_function(_script(shell, None), "cell", "script")
    for name in ("python", "python2", "python3", "pypy"):
        shell.register_magic_function(_script(shell, sys.executable), "cell", name)
    shell.register_magic_function(shell.system, "line", "shell")
    for name in INSTALLERS:
        shell.register_magic_function(_left_out(name), "line", name)
    shell.register_magic_function(_cd, "line", "cd")


def leaves_out(command: str) -> bool:
    """Whether a command installs or downloads: one of its programs does nothing else."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # an open quote: the shell will say so
        words = command.split()
    starts = [word for place, word in enumerate(words) if place == 0 or words[place - 1] in _SEPARATORS]
    programs = {os.path.basename(word) for word in starts}
    modules = {words[place + 1] for place, word in enumerate(words[:-1]) if word == "-m"}
    return bool((programs | modules) & {*INSTALLERS, *FETCHERS})


def run(arguments: list[str], text: str) -> subprocess.CompletedProcess[str]:
    """A program that is given ``text`` to read; its output as text, whatever bytes it writes."""
    return subprocess.run(
        arguments, input=text, capture_output=True, text=True, errors="replace", check=False
    )


def _system(shell: Any, command: str) -> None:
    command = shell.var_expand(command, depth=1)
    if leaves_out(command):
        not_done(f"!{command}")
        shell.user_ns["_exit_code"] = 0
        return
    try:
        done = run([_shell_program(), "-c", command], "")
    except OSError as error:
        not_done(f"!{command} ({error.strerror})")
        shell.user_ns["_exit_code"] = 1
        return
    sys.stdout.write(done.stdout)
    sys.stdout.write(done.stderr)
    shell.user_ns["_exit_code"] = done.returncode


def _getoutput(shell: Any, command: str, *, split: bool = True, depth: int = 0) -> Any:
    from IPython.utils.text import LSString, SList  # noqa: PLC0415  # lives with the shell that it is for

    command = shell.var_expand(command, depth=depth + 1)
    said = ""
    if leaves_out(command):
        not_done(f"!{command}")
    else:
        try:
            done = run([_shell_program(), "-c", command], "")
            said = done.stdout + done.stderr
        except OSError as error:
            not_done(f"!{command} ({error.strerror})")
    return SList(said.splitlines()) if split else LSString(said)


def _shell_program() -> str:
    return "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"


def _script(shell: Any, program: str | None) -> Callable[..., None]:
    """A cell of another language. IPython's own keeps a thread for ever, which every copy would lack."""

    def script(line: str, cell: str) -> None:
        words = shlex.split(line)
        names, rest = _outputs(words)
        arguments = [*([program] if program else []), *rest]
        if arguments and os.path.basename(arguments[0]) in ("bash", "sh") and leaves_out(cell):
            not_done(f"%%{arguments[0]}: {cell.strip().splitlines()[0]} ...")
            return
        try:
            done = run(arguments, cell if cell.endswith("\n") else cell + "\n")
        except OSError as error:
            not_done(f"%%{' '.join(arguments)} ({error.strerror})")
            return
        for name, stream, said in (("--out", sys.stdout, done.stdout), ("--err", sys.stderr, done.stderr)):
            if name in names:
                shell.user_ns[names[name]] = said
            else:
                stream.write(said)
        if done.returncode and "--no-raise-error" not in words:
            raise subprocess.CalledProcessError(done.returncode, cell)

    return script


def _outputs(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The names that a cell's output goes to, and the words that are left of its first line."""
    names: dict[str, str] = {}
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        option, _, value = word.partition("=")
        if option in _OUTPUT_OPTIONS:
            names[option] = value or next(waiting, "")
        elif word not in ("--bg", "--no-raise-error"):
            rest.append(word)
    return names, rest


def _left_out(name: str) -> Callable[..., None]:
    def leave_out(line: str = "") -> None:
        not_done(f"%{name} {line}".strip())

    return leave_out


def _cd(line: str = "") -> None:
    """Change the folder, or stay where it is if that folder is not here, as those of Colab's drive are not.

    IPython's own also notes it in a database in the person's home.
    """
    target = os.path.expanduser(line.strip().removeprefix("-q ").strip("'\" ") or "~")
    if target == "-":
        target = os.environ.get("OLDPWD", ".")
    if not os.path.isdir(target):
        not_done(f"%cd {line}: there is no such folder")
        return
    os.environ["OLDPWD"] = os.getcwd()
    os.chdir(target)
    sys.stdout.write(f"{os.getcwd()}\n")
