"""From the run's one recorded seed to a seed for each check and for student code.

Student code can read the seeds of its own generators, and must not be able to predict from them what a check
draws. The run's seed is short, because people type it, so a plain hash of it could be reversed by trying all
seeds. Therefore every seed is derived from a slow hash: within the time of a notebook nobody finds the run's
seed, nor from it another check's.
"""

from __future__ import annotations

import functools
import hashlib

_ROUNDS = 10_000  # 3 ms, once for each grading; to try two billion seeds takes months
_BITS = 63


class Seeds:
    """The seeds of one grading; the same run seed gives the same seeds on every machine."""

    def __init__(self, run: int) -> None:
        self._root = _root(run)

    def of_check(self, key: str) -> int:
        """63 bits for the draws of the check named ``key``, whichever other checks run."""
        return self._derived("check", key)

    def of_student(self, key: str = "cells") -> int:
        """63 bits for student code's generators, while the cells run or in the copy for a check."""
        return self._derived("student", key)

    def _derived(self, whose: str, key: str) -> int:
        digest = hashlib.sha256(self._root + f"{whose}:{key}".encode()).digest()
        return int.from_bytes(digest[:8], "little") >> (64 - _BITS)


@functools.lru_cache(maxsize=16)
def _root(run: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", str(run).encode(), b"chainrule seeds", _ROUNDS)
