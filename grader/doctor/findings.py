"""Trying the sandbox's promises for real, on this machine, in one mode.

Each probe runs in a sandbox of that mode and, as its control, in a process without walls, where it must
succeed: a probe that cannot fail proves nothing. Importable everywhere; trying needs Linux.
"""

from __future__ import annotations

import enum
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from grader.doctor import bait
from grader.doctor.probing import ProbeResult, try_inside
from grader.doctor.promises import PROMISES, Promise, cell
from grader.model.isolation import Mode
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote

_PRELOAD = ("numpy",)
_HOLE = "do not grade other people's work here; please report what `grade doctor --json` prints"


class Verdict(enum.StrEnum):
    """How one promise fared.

    UNPROVEN: the probe did not succeed without a sandbox either. NOT_PROMISED: this mode does not give it.
    """

    HOLDS = "holds"
    BROKEN = "broken"
    UNPROVEN = "unproven"
    NOT_PROMISED = "not promised"

    @property
    def good(self) -> bool:
        """Whether grading may rest on it."""
        return self in (Verdict.HOLDS, Verdict.NOT_PROMISED)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One promise tried. ``seen`` is what the probe could do inside, ``control`` what it did without walls.

    ``mend`` is what a person can do about a promise that is broken or not given, "" where nothing is wrong.
    """

    name: str
    title: str
    verdict: Verdict
    seen: str = ""
    control: str = ""
    mend: str = ""


def try_all(mode: Mode, *, promises: Sequence[Promise] = PROMISES) -> Generator[Finding]:
    """Try the promises one after the other; yields each finding as soon as it is known (0.25 s each).

    Raises InfrastructureError if a sandbox of this mode does not start: that says nothing of its promises.
    """
    with Zygote.start(preload=_PRELOAD) as zygote:
        for promise in promises:
            yield try_one(zygote, mode, promise)


def try_one(zygote: Zygote, mode: Mode, promise: Promise) -> Finding:
    """Try one promise, in a sandbox of ``mode`` and without a sandbox."""
    seen = promise.broken(_tried(zygote, mode, promise))
    control = promise.broken(_tried(zygote, Mode.NONE, promise)) if promise.control else ""
    verdict = _verdict(promise, mode, seen, control)
    return Finding(
        name=promise.name,
        title=promise.title,
        verdict=verdict,
        seen=seen,
        control=control,
        mend=_mend(verdict, promise, mode),
    )


def _tried(zygote: Zygote, mode: Mode, promise: Promise) -> ProbeResult:
    spec = BoxSpec(mode=mode, limits=promise.limits)
    result = ProbeResult()
    with bait.laid_out() as names:
        for _ in range(promise.runs):
            result = try_inside(zygote, spec, cell(promise, names), seconds=promise.seconds)
    return result


def _verdict(promise: Promise, mode: Mode, seen: str, control: str) -> Verdict:
    if seen:
        return Verdict.BROKEN if promise.given(mode) else Verdict.NOT_PROMISED
    if promise.control == "always" and not control:
        return Verdict.UNPROVEN
    return Verdict.HOLDS


def _mend(verdict: Verdict, promise: Promise, mode: Mode) -> str:
    if verdict is Verdict.NOT_PROMISED:
        return promise.mend(mode)
    return "" if verdict is Verdict.HOLDS else _HOLE
