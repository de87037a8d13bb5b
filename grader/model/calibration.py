"""What `grade calibrate` found out about checks that depend on chance, kept in a file beside them.

``test_x.calibration.json`` belongs to ``test_x.py``. It holds, for each statistic, the bound that the check
uses and what the bound rests on, and the digests of what was calibrated.
"""

from __future__ import annotations

import enum

import msgspec

SCHEMA = "chainrule.calibration/1"

RISK = 1e-4
"""The largest probability with which a correct solution may fail one check."""


class Side(enum.StrEnum):
    """Which values of a statistic pass: at least the bound, at most it, or a rate of at least it."""

    LEAST = "least"
    MOST = "most"
    RATE = "rate"


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The bound of one statistic of one check, and what it rests on.

    A correct solution's statistic is on the wrong side of ``bound`` with probability at most ``risk``, at the
    stated ``confidence`` over repetitions of the calibration, under ``assumption``. ``unseen`` needs no
    assumption: it is the largest probability of an event that occurred in none of the ``values``.
    For a rate, ``bound`` is its lower confidence limit and ``risk`` that of the test that uses it.
    ``power`` is the other side of the risk: for each way in which the reference's runs could have learned
    less, the share of them that the bound refuses.
    """

    check: str
    statistic: str
    side: Side
    bound: float
    risk: float
    confidence: float
    assumption: str
    values: int
    mean: float
    sd: float
    quantiles: dict[str, float]
    unseen: float
    power: dict[str, float] = {}


class Unbounded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statistic for which no bound can be given, and why."""

    check: str
    statistic: str
    why: str


class CalibrationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All bounds of one file of checks.

    ``reference`` is the SHA-256 digest of the solved notebook with its given files and its budget, ``checks``
    that of the file of checks. The seeds were 1 to ``seeds``. ``date`` is the day of the run.
    ``unbounded`` are the statistics without a bound: their checks cannot be carried out.
    """

    schema: str
    reference: str
    checks: str
    seeds: int
    date: str
    versions: dict[str, str]
    bounds: tuple[Calibration, ...]
    unbounded: tuple[Unbounded, ...] = ()

    def find(self, check: str, statistic: str) -> Calibration | None:
        """The bound of a check's statistic, or None."""
        return next((one for one in self.bounds if (one.check, one.statistic) == (check, statistic)), None)

    def why_not(self, check: str, statistic: str) -> str:
        """Why a check's statistic has no bound; "" if nobody tried to find one."""
        names = check, statistic
        return next((one.why for one in self.unbounded if (one.check, one.statistic) == names), "")


def encode(calibration: CalibrationFile) -> bytes:
    """The file's bytes: indented JSON, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(calibration), indent=2) + b"\n"


def decode(data: bytes) -> CalibrationFile:
    """What ``encode`` wrote. Raises msgspec.ValidationError or DecodeError for anything else."""
    found = msgspec.json.decode(data, type=CalibrationFile)
    if found.schema != SCHEMA:
        raise msgspec.ValidationError(f"schema {found.schema!r}, expected {SCHEMA!r}")
    return found
