"""The arrays that a check received, to see whether it wrote into one.

They are copies: a check that changes what a call returned, and expects the student's code to see that, judges
right code wrong. Only small arrays are kept, and not many.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

LARGEST, MOST = 1 << 16, 300
"""Bytes of an array that is kept, and arrays."""


class HandedOut:
    """Arrays with what they held when the check received them."""

    def __init__(self) -> None:
        self._kept: list[tuple[np.ndarray[Any, Any], int]] = []

    def add(self, value: object) -> None:
        """Keep an array, or those in a list, tuple or dict."""
        if type(value) is np.ndarray:
            if value.nbytes <= LARGEST and value.dtype.kind in "biufc" and len(self._kept) < MOST:
                self._kept.append((value, _sum(value)))
            return
        parts = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
        for part in parts:  # type: ignore[attr-defined]  # a list, a tuple or a dict's values
            if type(part) is np.ndarray:
                self.add(part)

    def is_changed(self) -> bool:
        """Whether any of them holds something else now."""
        return any(_sum(array) != before for array, before in self._kept)


def _sum(array: np.ndarray[Any, Any]) -> int:
    return zlib.crc32(array.tobytes())
