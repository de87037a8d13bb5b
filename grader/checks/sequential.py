"""Deciding between two rates of success with as few trials as the case allows.

Wald's sequential test: after each trial the likelihood of the results under a wrong solution's rate is
divided by that under a right one's. While a right solution is at work this ratio is a supermartingale, so it
ever reaches 1/risk with probability at most ``risk`` (Ville), whenever one looks and however long. The other
side stops at miss/2, with the same guarantee. What is still open at the last trial passes: doubt costs no
points; how often a wrong solution gets through by that is computed, not estimated, and bounded by ``miss``.
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
    """Tells a success rate of at least ``right`` from one of at most ``wrong``.

    A right solution fails with probability at most ``risk``, a wrong one passes with at most ``miss``.
    Raises AuthorError when ``limit`` trials cannot keep that.
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
        ratio = wins * math.log(self.wrong / self.right)
        ratio += losses * math.log((1 - self.wrong) / (1 - self.right))
        if ratio >= -math.log(self.risk):
            return False
        if ratio <= math.log(self.miss / 2) or wins + losses >= self.limit:
            return True
        return None

    def failing(self, rate: float) -> float:
        """The exact probability that a solution with this success rate fails."""
        failed, open_ = 0.0, {0: 1.0}  # losses so far -> probability that the test still runs
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
    """Pass when ``trial`` succeeds at a rate of ``at_least``, not ``against``; stops when the case is clear.

    ``trial(k)`` makes the k-th independent run (fresh data, fresh seed) and gives True or False, as the
    check's author judges it. ``at_least`` is a correct solution's rate, a number or ``calibrated("...")``,
    ``against`` that of a solution that must not pass. With that rate or a higher one the check fails with
    probability at most 1e-4; at the rate ``against`` or a lower one it passes with at most ``miss``; what is
    undecided after ``limit`` trials passes. Raises CheckFailed; AuthorError when ``limit`` cannot keep this.
    """
    right = limit_of(at_least)
    rate = right.bar(Side.RATE)
    if rate is None:
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
