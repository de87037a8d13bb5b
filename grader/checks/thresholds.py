"""What a statistic is compared with: the author's own number, a calibrated bound, or nothing yet.

Nothing yet: while `grade calibrate` is finding the bound on the reference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader.model.calibration import Calibration, Side
from grader.model.errors import AuthorError, CheckFailed

RECALIBRATE = "run: grade calibrate"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One value of a statistic.

    ``side`` says which values pass. ``resolution`` is the step of a statistic that counts something.
    ``worthless`` is the value of a solution that has learned nothing: no bound may let it pass. For a rate,
    ``trials`` is the number of trials. ``weaker`` are values that the same run would have had if it had
    learned less, each with what it stands for: a bound that lets them pass notices little.
    """

    value: float
    side: Side
    resolution: float = 0.0
    worthless: float | None = None
    trials: int = 0
    weaker: tuple[tuple[str, float], ...] = ()


PARTS = ((2, "half"), (10, "a tenth"), (100, "a hundredth"))
"""By how much a weaker solution learns less, and in words."""


def partly(value: float, worthless: float) -> tuple[tuple[str, float], ...]:
    """What solutions have that come a part of the way from having learned nothing to ``value``."""
    return tuple(
        (f"{words} of what the reference learns", worthless + (value - worthless) / part)
        for part, words in PARTS
    )


class Limit:
    """What a statistic is compared with."""

    def bar(self, side: Side) -> float | None:
        """The bound, or None while it is being calibrated."""
        raise NotImplementedError

    def note(self, seen: Seen) -> None:
        """Receive a value that was seen; only a calibration keeps it."""

    def origin(self) -> str:
        """Where the bound comes from and what it guarantees, for a message."""
        raise NotImplementedError


@dataclass(frozen=True)
class Fixed(Limit):
    """A number that the author answers for."""

    number: float

    def bar(self, side: Side) -> float:  # noqa: ARG002  # the same for every side
        """See Limit.bar."""
        return self.number

    def origin(self) -> str:
        """See Limit.origin."""
        return "a bound of the check's author"


@dataclass(frozen=True)
class Stored(Limit):
    """A bound that `grade calibrate` found on the reference."""

    calibration: Calibration

    def bar(self, side: Side) -> float:
        """See Limit.bar. Raises AuthorError if it was calibrated for another kind of statistic."""
        if side is not self.calibration.side:
            raise AuthorError(
                f"the bound {self.calibration.statistic!r} was calibrated as `{self.calibration.side}`, but "
                f"the check uses it as `{side}`; {RECALIBRATE}"
            )
        return self.calibration.bound

    def origin(self) -> str:
        """See Limit.origin."""
        found = self.calibration
        return (
            f"a correct solution fails with probability at most {found.risk:.1g}, calibrated on "
            f"{found.values} values of the reference: {found.mean:.4g} ± {found.sd:.2g}"
        )


Bound = float | Limit
"""What an author passes as a bound: a number, or ``calibrated("...")``."""


def limit_of(given: Bound) -> Limit:
    """An author's number or ``calibrated("...")`` as a limit. Raises AuthorError for anything else."""
    if isinstance(given, Limit):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise AuthorError(f'a bound is a number or calibrated("..."), not {given!r}')
    return Fixed(float(given))


def assert_within(limit: Bound, seen: Seen, *, words: str) -> None:
    """Pass when the value is on the right side of the limit. Raises CheckFailed; ``words`` name the value."""
    against = limit_of(limit)
    if not math.isfinite(seen.value):
        raise CheckFailed(f"{words} is {seen.value}, expected a finite number.")
    against.note(seen)
    bar = against.bar(seen.side)
    if bar is None:
        return
    most = seen.side is Side.MOST
    if seen.value > bar if most else seen.value < bar:
        wanted = "at most" if most else "at least"
        raise CheckFailed(f"{words} is {seen.value:.4g}, expected {wanted} {bar:.4g} ({against.origin()}).")
