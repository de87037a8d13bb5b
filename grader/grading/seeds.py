"""One recorded seed, many draws: what a check draws must not be predictable from what student code is given.

Student code can read the seeds of its own generators. Each seed here is a digest of a slow one of the run's
seed, so that neither the run's seed nor another check's can be worked out from it in a notebook's time,
although the run's seed is short enough to be typed.
"""

from __future__ import annotations

import hashlib

_ROUNDS = 10_000  # 3 ms, once a grading; two billion seeds would take months
_BITS = 63


class Seeds:
    """The seeds of one grading, the same for the same run seed on every machine."""

    def __init__(self, run: int) -> None:
        self._root = hashlib.pbkdf2_hmac("sha256", str(run).encode(), b"chainrule seeds", _ROUNDS)

    def of_check(self, key: str) -> int:
        """63 bits for what the check named ``key`` draws, the same whichever other checks run."""
        return self._derived("check", key)

    def of_student(self, key: str = "cells") -> int:
        """63 bits for student code's own generators, while its cells run or in the copy for one check."""
        return self._derived("student", key)

    def _derived(self, whose: str, key: str) -> int:
        digest = hashlib.sha256(self._root + f"{whose}:{key}".encode()).digest()
        return int.from_bytes(digest[:8], "little") >> (64 - _BITS)
