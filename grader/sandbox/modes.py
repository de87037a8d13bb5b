"""Finding out, by trying, which isolation modes this machine offers.

Importable everywhere, so that a laptop without a sandbox can say so instead of failing.
"""

from __future__ import annotations

import os
import subprocess
import sys

from grader.model.errors import SandboxUnavailable
from grader.model.isolation import Mode

SLOT_USERS = range(60000, 65000)
"""Users that sandboxes run as when root starts them; no ordinary accounts have these numbers."""

UNREADABLE = "the sandbox's user cannot read"
"""How the message begins if set-up failed because of a file's permissions."""

_PROBE_SECONDS = 30.0


def usual_mode() -> Mode:
    """The mode for this machine and user, not tried yet: the first sandbox will tell whether it works.

    Raises SandboxUnavailable where there is none at all (everywhere but on Linux).
    """
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable(elsewhere(sys.platform))
    # Never a user namespace for root: the kernel does not count root's processes, so no fork bomb would stop.
    return Mode.NS_ROOT if os.geteuid() == 0 else Mode.NS_USER


def weaker(mode: Mode) -> Mode | None:
    """The mode to use instead of ``mode`` after a sandbox of it failed to start; None if none may be used.

    Only a mode that was proven, and only if ``mode`` does not work here at all, not because of one spec.
    """
    if probe(mode) is None:
        return None
    known = candidates()
    rest = known[known.index(mode) + 1 :] if mode in known else ()
    return next((other for other in rest if probe(other) is None), None)


def choose_mode() -> Mode:
    """The strongest mode that this machine offers, proven by starting a sandbox with it.

    Raises SandboxUnavailable, saying what a person can do, if none works. A mode without namespaces is chosen
    only if they were tried and do not work; the mode is named on every grade.
    """
    strongest = usual_mode()
    failure = probe(strongest)
    if failure is None:
        return strongest
    other = weaker(strongest)
    if other is None:
        raise SandboxUnavailable(remedy(strongest, failure))
    return other


def available() -> tuple[Mode, ...]:
    """The isolating modes that this process can really use, strongest first, each proven by a sandbox."""
    return tuple(mode for mode in candidates() if probe(mode) is None)


def candidates() -> tuple[Mode, ...]:
    """The isolating modes that fit this machine and user, strongest first, none tried yet."""
    if not sys.platform.startswith("linux"):
        return ()
    weaker = {Mode.NS_ROOT: Mode.SETUID, Mode.NS_USER: Mode.LANDLOCK}
    return usual_mode(), weaker[usual_mode()]


def probe(mode: Mode) -> str | None:
    """Start a sandbox in ``mode``, look at its walls from inside, end it: None, or what failed in words."""
    command = [sys.executable, "-P", "-m", "grader.sandbox.mode_probe", mode.value]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return done.stderr.strip().rpartition("\n")[2] or f"the probe ended with status {done.returncode}"


def elsewhere(platform: str) -> str:
    """One line for a person whose system has no sandbox: what it is called, and where to go."""
    system = {"darwin": "macOS", "win32": "Windows"}.get(platform, platform)
    return (
        f"{system} has no sandbox for other people's notebooks: grade them on Linux, in WSL2 or in a Linux "
        "container; for your own work add --no-sandbox"
    )


def remedy(mode: Mode, failure: str) -> str:
    """One line for a person: what failed when a sandbox was started in ``mode``, and what to do about it."""
    if UNREADABLE in failure:  # says itself what to do
        return failure
    return f"no sandbox here ({failure}); {advice(mode)}; or, for your own work only, --no-sandbox"


def advice(mode: Mode) -> str:
    """What gives the user of ``mode`` the strongest walls there are."""
    if mode.own_user:
        return (
            "as root, namespaces and mounts must be allowed: start Docker with "
            "`--security-opt seccomp=unconfined --cap-add SYS_ADMIN` "
            "(with AppArmor also `--security-opt apparmor=unconfined`)"
        )
    return (
        "an ordinary user needs user namespaces: on Ubuntu "
        "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, in Docker "
        "`--security-opt seccomp=unconfined --cap-add SYS_ADMIN`"
    )
