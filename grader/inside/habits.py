"""What a notebook finds around it: habits of Jupyter, Colab and laptops must not cost a student anything."""

from __future__ import annotations

import os
from typing import Any

from grader.inside import (
    compiling,
    devices,
    drive,
    network,
    nobody_there,
    own_files,
    plots,
    shell_lines,
    stand_ins,
)
from grader.inside.gpu_requests import Requests


def install(shell: Any) -> None:
    """Make a notebook's shell forgiving. Acts on the whole process: only for one that runs a submission."""
    prepare(shell)
    begin(shell)


def prepare(shell: Any) -> None:
    """What a warm process can do for all its forks: it changes nothing that the grader's own code uses."""
    shell_lines.install(shell)
    stand_ins.install_magics(shell)
    plots.install(shell)
    nobody_there.install(shell)


def begin(shell: Any) -> None:
    """The rest, in the process that runs the submission, and in its folder."""
    shell_lines.start_in(shell, os.getcwd())  # noqa: PTH109  # pathlib is not needed inside
    stand_ins.install_finder()
    plots.forget_folders()
    network.install()
    own_files.install()


class Preparations:
    """What is changed only for code that needs it: it costs time or touches Python's own functions.

    With ``gpu_on_processor`` code that asks for a GPU runs on the processor; otherwise it fails.
    """

    def __init__(self, *, gpu_on_processor: bool = True) -> None:
        self._named = self._wanted = self._asked = self._drive = self._compiles = False
        self._requests = Requests() if gpu_on_processor else None

    def look(self, source: str) -> None:
        """Prepare for code that is about to run, or may be imported, by the words in it."""
        if self._requests is not None and not self._asked:
            self._prepare_gpu(source, self._requests)
        if not self._compiles and "compile" in source:
            self._compiles = compiling.install()
        if not self._drive and any(place in source for place in drive.ELSEWHERE):
            self._drive = drive.install()

    def _prepare_gpu(self, source: str, requests: Requests) -> None:
        self._wanted = self._wanted or requests.are_in(source)
        if not self._named and (self._wanted or "cuda" in source):
            self._named = devices.install_calls()
        if self._wanted:
            self._asked = devices.install_devices()
