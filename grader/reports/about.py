"""What a page shows beside a record: whose work it is, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from grader.model.assignment import RubricLine


class Asked(msgspec.Struct, frozen=True):
    """An item's question (Markdown) and rubric; ``evidence`` is the item whose figures it is about, or ""."""

    question: str = ""
    rubric: tuple[RubricLine, ...] = ()
    evidence: str = ""


class About(msgspec.Struct, frozen=True):
    """``student`` is shown at the top, "" if nobody knows; ``items`` say what was asked, by the item's id."""

    student: str = ""
    items: Mapping[str, Asked] = {}
