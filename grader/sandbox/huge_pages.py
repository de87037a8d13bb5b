"""Fewer, larger pages for what the zygote holds, so that copying it takes a quarter of the time.

A fork copies one entry for each page. With torch loaded that is some 60,000 entries of 4 KiB pages, about
6 ms, and as much again when the copy ends; gathered into pages of 2 MiB it is about 1 ms. Needs Linux 6.1
(MADV_COLLAPSE); where it does not work nothing is lost but time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.sandbox import syscalls

HUGE = 2 << 20


def gather() -> None:
    """Gather the calling process's private memory into huge pages. Takes about 0.3 s for 250 MB."""
    with Path("/proc/self/maps").open() as maps:
        found = list(regions(maps))
    for start, length in found:
        with contextlib.suppress(OSError):
            syscalls.collapse(start, length)


def regions(maps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """(start, length) of each private, writable, unnamed region, cut to whole huge pages.

    ``maps`` are the lines of /proc/PID/maps. Files' pages are shared by forks anyway.
    """
    for line in maps:
        span, permissions, *rest = line.split(maxsplit=5)
        name = rest[3].strip() if len(rest) > 3 else ""  # noqa: PLR2004  # offset, device, inode, name
        if not permissions.startswith("rw") or permissions[3] != "p" or name not in ("", "[heap]"):
            continue
        first, last = (int(address, 16) for address in span.split("-"))
        start, end = -(-first // HUGE) * HUGE, last // HUGE * HUGE
        if start < end:
            yield start, end - start
