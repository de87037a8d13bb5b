"""Deciding between two success rates with few trials: Wald's sequential probability ratio test.

After each trial the likelihood of all results so far under a wrong solution's rate is divided by that under a
correct solution's rate. For a correct solution this ratio is a supermartingale, so the probability that it
ever reaches 1/risk is at most ``risk`` (Ville's inequality), however often and however long one looks. That
allows stopping after any trial: a test of fixed size, repeated after each trial, would fail more often than
it states. The other side stops at miss/2 with the same guarantee. What is still undecided after the last
trial passes, since doubt costs no points; how often a wrong solution passes in that way is computed exactly,
and bounded by ``miss``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.checks.thresholds import Bound, Seen, Stored, limit_of
from grader.model.calibration import RISK, Side
from grader.model.errors import AuthorError, CheckFailed

MISS = 0.01


@dataclass(frozen=True, kw_only=True)
class SequentialTest:
    """Distinguishes a success rate of at least ``right`` from one of at most ``wrong``.

    A correct solution fails with probability at most ``risk``, a wrong one passes with at most ``miss``.
    Raises AuthorError if ``limit`` trials cannot guarantee that.
    """

    right: float
    wrong: float
    risk: float = RISK
    miss: float = MISS
    limit: int = 50

    def __post_init__(self) -> None:
        if not 0 < self.wrong < self.right < 1:
            raise AuthorError(
                f"a sequential test needs 0 < against < at_least < 1, not {self.wrong:g} and {self.right:g}"
            )
        passes = 1 - self.failing(self.wrong)
        if passes > self.miss:
            raise AuthorError(
                f"{self.limit} trials cannot tell a rate of {self.right:g} from {self.wrong:g}: a wrong "
                f"solution would pass with probability {passes:.2g}, more than {self.miss:g}; allow more "
                "trials, or take rates further apart"
            )

    def verdict(self, wins: int, losses: int) -> bool | None:
        """True passes, False fails, None asks for another trial."""
        # The log of the likelihood ratio, wrong over right: each loss adds to it, each win takes from it.
        ratio = wins * math.log(self.wrong / self.right)
        ratio += losses * math.log((1 - self.wrong) / (1 - self.right))
        if ratio >= -math.log(self.risk):
            return False
        # Half of `miss` is spent here; the other half is left for what the last trial lets through.
        if ratio <= math.log(self.miss / 2) or wins + losses >= self.limit:
            return True
        return None

    def failing(self, rate: float) -> float:
        """The exact probability that a solution with this success rate fails."""
        # Forward through all trials: only the number of losses matters, not their order, so the state of an
        # undecided test is one number, and its distribution fits in a dictionary.
        failed, open_ = 0.0, {0: 1.0}  # losses so far -> probability of being there, undecided
        for trial in range(1, self.limit + 1):
            moved: dict[int, float] = {}
            for losses, chance in open_.items():
                moved[losses] = moved.get(losses, 0.0) + chance * rate
                moved[losses + 1] = moved.get(losses + 1, 0.0) + chance * (1 - rate)
            verdicts = {losses: self.verdict(trial - losses, losses) for losses in moved}
            failed += sum(moved[losses] for losses, verdict in verdicts.items() if verdict is False)
            open_ = {losses: moved[losses] for losses, verdict in verdicts.items() if verdict is None}
        return failed


def assert_mostly(
    trial: Callable[[int], object],
    *,
    at_least: Bound,
    against: float,
    limit: int = 50,
    miss: float = MISS,
    name: str = "the run",
) -> None:
    """Pass when ``trial`` succeeds at a rate of ``at_least``, not ``against``; stop as soon as that is clear.

    ``trial(k)`` makes the k-th independent run (fresh data, fresh seed) and returns True or False, as the
    check's author judges it. ``at_least`` is a correct solution's rate, a number or ``calibrated("...")``;
    ``against`` is the rate of a solution that must not pass. At the rate ``at_least`` or higher the check
    fails with probability at most 1e-4; at ``against`` or lower it passes with at most ``miss``. What is
    undecided after ``limit`` trials passes. Raises CheckFailed, or AuthorError if ``limit`` is too small.
    """
    right = limit_of(at_least)
    rate = right.bar(Side.RATE)
    if rate is None:  # being calibrated: all trials are made, and the rate they show is noted
        wins = sum(_outcome(trial(k)) for k in range(limit))
        right.note(Seen(value=wins, side=Side.RATE, trials=limit, worthless=against))
        return
    risk = right.calibration.risk if isinstance(right, Stored) else RISK
    test = SequentialTest(right=rate, wrong=against, risk=risk, limit=limit, miss=miss)
    wins = losses = 0
    verdict = None
    while verdict is None:
        won = _outcome(trial(wins + losses))
        wins, losses = wins + won, losses + (not won)
        verdict = test.verdict(wins, losses)
    if not verdict:
        raise CheckFailed(
            f"{name} succeeded in {wins} of {wins + losses} trials, expected in {rate:.4g} of them "
            f"(a solution that does fails with probability at most {risk:.1g})."
        )


def _outcome(won: object) -> bool:
    if not isinstance(won, bool | np.bool_):
        raise AuthorError(f"a trial gives True or False, not {type(won).__name__}")
    return bool(won)
