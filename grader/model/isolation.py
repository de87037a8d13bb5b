"""What every layer says of a sandbox: its isolation mode, and how it ended."""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass


class Mode(enum.StrEnum):
    """How student code is kept apart. The name is recorded on every grade.

    NS_USER and NS_ROOT have the same walls: processes, files, network and user of their own, Landlock and
    seccomp. An ordinary user builds them through a user namespace; root builds them directly and gives each
    sandbox its own user.
    SETUID (root) and LANDLOCK (an ordinary user) do without namespaces. Student code runs among the machine's
    files and processes; Landlock, seccomp and, in SETUID, a separate user keep it from touching them, but not
    from seeing that they exist. In LANDLOCK student code may start no process.
    NONE has no walls and is used only when a person asks for it.
    """

    NS_USER = "ns-user"
    NS_ROOT = "ns-root"
    SETUID = "setuid"
    LANDLOCK = "landlock"
    NONE = "none"

    @property
    def isolates(self) -> bool:
        """Whether student code is kept from the machine's files, processes and network."""
        return self is not Mode.NONE

    @property
    def namespaces(self) -> bool:
        """Whether a sandbox has files and processes of its own, instead of the machine's behind rules."""
        return self in (Mode.NS_USER, Mode.NS_ROOT)

    @property
    def own_user(self) -> bool:
        """Whether root gives each sandbox a user that nothing else belongs to."""
        return self in (Mode.NS_ROOT, Mode.SETUID)

    @property
    def forks(self) -> bool:
        """Whether student code may fork, and so whether a state can be copied."""
        return self is not Mode.LANDLOCK


class EndReason(enum.StrEnum):
    """Why a sandbox, or one process in it, ended."""

    CLOSED = "closed"
    """By us; it was alive until then."""
    KILLED = "killed"
    """By us, because it did not answer (``Box.kill``)."""
    MEMORY = "memory"
    WALL_TIME = "wall time"
    CPU_TIME = "processor time"
    EXITED = "exited"
    """By itself, or by a signal that was none of our limits: the exit status says which."""
    NOT_STARTED = "not started"
    SUPERVISOR_LOST = "supervisor lost"
    """Its supervisor is gone without a word, and the kernel ended the sandbox with it."""


@dataclass(frozen=True)
class Usage:
    """What a sandbox has used of the machine, in seconds.

    ``cpu`` is the processor time of all its processes. ``starved`` is time in which it could have run and was
    given no processor, not even for another process of its own; never more than that.
    """

    cpu: float
    starved: float


@dataclass(frozen=True)
class Ending:
    """How a process ended. ``exit_status`` is the exit code, or a signal's number negated; None if unknown.

    ``str`` gives the words for a person: "memory", "exit 3", "signal 11 (SIGSEGV)".
    """

    reason: EndReason
    exit_status: int | None = None

    def __str__(self) -> str:
        if self.reason is not EndReason.EXITED or self.exit_status is None:
            return self.reason.value
        if self.exit_status >= 0:
            return f"exit {self.exit_status}"
        number = -self.exit_status
        try:
            return f"signal {number} ({signal.Signals(number).name})"
        except ValueError:  # a real-time signal has no name
            return f"signal {number}"
