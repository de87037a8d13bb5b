"""Limits that both pools and their workers share: how often to try, how much to send, how soon to stop."""

from __future__ import annotations

MOST_DEATHS = 3
"""Workers that may die on one submission before it is set aside: two could be the machine's fault."""

MAX_FRAME = 512 << 20
"""Bytes of one message between a pool and a worker: a record with all of its pictures stays far below."""

STOP_SECONDS = 0.5
"""How soon a pool that waits for answers notices that it was asked to stop."""
