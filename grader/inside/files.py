"""Laying a submission's files where its cells run.

Places were checked outside, and are checked again here.
"""

from __future__ import annotations

import os


def lay(place: str, data: bytes) -> bool:
    """Write one file below the working directory; False if it cannot lie there.

    What lies there already stays: it is what the course gives. No link is followed on the way.
    """
    parts = place.split("/")
    if {"", ".", ".."} & set(parts) or "\0" in place:
        return False
    folder = ""
    try:
        for part in parts[:-1]:
            folder = os.path.join(folder, part)
            if os.path.islink(folder):
                return False
            os.makedirs(folder, exist_ok=True)
        target = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(target, "wb") as file:
            file.write(data)
    except (OSError, ValueError):
        return False
    return True
