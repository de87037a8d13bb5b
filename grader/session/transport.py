"""How one request reaches a copy of a notebook's state, and how its answer comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from grader.inside import codec
from grader.session.allowance import Allowance

Frame = list[codec.Buffer]
OnOutput = Callable[[int, codec.Buffer, codec.Buffer], None]
"""Receives (kind, tree, buffer) of a frame of output."""


class Transport(Protocol):
    """Carries one request and its answer."""

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, allowance: Allowance
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """Send a request, pass output to ``on_output``, return (kind, tree, buffer) of the answer.

        Raises CallTimedOut once the allowance is used up, TooBusy if the machine is too busy to say,
        SandboxDied if the process has ended, WireError if something arrived that is not a frame.
        """
