"""``torch.compile``, which needs a compiler and files that can be run: here code runs as it is written."""

from __future__ import annotations

import sys
from typing import Any

from grader.inside.notes import not_done


def install() -> bool:
    """Let ``torch.compile`` give back what it was given; False if PyTorch is not loaded yet."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return False
    torch.compile = as_it_is
    return True


def as_it_is(model: Any = None, **_: object) -> Any:
    """The function or model itself; a decorator that gives it back where there is none yet."""
    if model is None:
        return as_it_is
    not_done("torch.compile: it runs as it is written")
    return model
