"""Follows a tutorial of docs/: writes the files that it shows, and runs its commands, in their order."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.cli import main

from .assignments import write_files
from .pages import Block, blocks_of
from .paths import ROOT

TUTORIALS = sorted((ROOT / "docs").glob("tutorial-*.md"))
# Which of two workers ends first is the machine's, too.
OF_THE_MACHINE = re.compile(r"\b(?:ns-user|ns-root|setuid|landlock)\b|\b\d+(?:\.\d+)? s\b|\[\d+/\d+\]|\s+")


@dataclass(frozen=True)
class Step:
    """A command, the lines that the page shows below it, and what it printed."""

    command: str
    shown: tuple[str, ...]
    printed: str

    @property
    def unsaid(self) -> list[str]:
        """The lines that it did not print, apart from what depends on the machine."""
        return [line for line in self.shown if _simple(line) not in _simple(self.printed)]


def follow(page: Path, folder: Path) -> Iterator[Step]:
    """Do what a page says, beginning in ``folder``; the working directory is the process's."""
    with contextlib.chdir(folder):
        for block in blocks_of(page):
            if block.file:
                write_files(Path.cwd(), {block.file: block.text})
            elif block.language == "console":
                yield from (Step(command, shown, _run(command)) for command, shown in _commands(block))


def _commands(block: Block) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in block.text.removeprefix("$ ").split("\n$ "):
        command, *shown = part.splitlines()
        yield command, tuple(shown)


def _run(command: str) -> str:
    """What a command prints: `grade` in this process, which has imported everything already."""
    program, *arguments = shlex.split(command)
    if program == "cd":
        os.chdir(arguments[0])
        return ""
    if program != "grade":
        return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main.run(arguments)
    assert status == 0, f"{command}: status {status}\n{printed.getvalue()}"
    return printed.getvalue()


def _simple(text: str) -> str:
    return OF_THE_MACHINE.sub(" ", text).strip()
