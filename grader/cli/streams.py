"""What to do with a standard output that takes nothing more."""

from __future__ import annotations

import os
import sys


def abandon_stdout() -> None:
    """Send the rest nowhere: Python would complain again at exit, and leave with a status of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
