"""What a notebook finds around it: habits of Jupyter, Colab and laptops must not cost a student anything."""

from __future__ import annotations

from typing import Any

from grader.inside import devices, drive, network, nobody_there, plots, shell_lines, stand_ins


def install(shell: Any) -> None:
    """Make a notebook's shell forgiving. Acts on the whole process: only for one that runs a submission."""
    shell_lines.install(shell)
    stand_ins.install(shell)
    plots.install(shell)
    nobody_there.install(shell)
    network.install()


class Preparations:
    """What is changed only for code that needs it: it costs time or touches Python's own functions.

    With ``gpu_on_processor`` code that asks for a GPU runs on the processor; otherwise it fails.
    """

    def __init__(self, *, gpu_on_processor: bool = True) -> None:
        self._gpu, self._drive = not gpu_on_processor, False

    def look(self, source: str) -> None:
        """Prepare for code that is about to run, by the words in it."""
        if not self._gpu and "cuda" in source:
            self._gpu = devices.install()
        if not self._drive and any(place in source for place in drive.ELSEWHERE):
            self._drive = drive.install()
