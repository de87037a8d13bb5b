"""Recorded evidence, from the file and from the run, as the checks receive it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from grader.checks.evidence import Recording
from grader.model.assignment import Assignment
from grader.model.errors import BadEvidence
from grader.notebooks.answers import Answer
from grader.notebooks.cells import Cell
from grader.notebooks.recordings import RawRecording

RESERVED = "weights"
"""The key of a recording's data that holds packed weights; no text for people."""
MAX_TEXTS = 12
MAX_SHOWN = 1_500
"""Texts of one item that a report shows, and characters of each."""
MAX_DEPTH = 4

_TICKS = re.compile("`+")
_ODD = re.compile(r"[^\w. -]")


@dataclass(frozen=True)
class Recorded:
    """All that was recorded for one item: its distinct readable recordings, and what is wrong with others.

    ``raw`` is what the recordings were read from, ``replayed`` is what the run recorded while grading,
    ``broken`` says why that run was not the replay that the author asked for.
    """

    recordings: tuple[Recording, ...] = ()
    problems: tuple[str, ...] = ()
    raw: tuple[RawRecording, ...] = ()
    replayed: Recording | None = None
    broken: str = ""

    @property
    def found(self) -> bool:
        """Whether the submission recorded anything for the item, readable or not."""
        return bool(self.recordings or self.problems)


def recorded_in(answers: Mapping[str, Answer]) -> dict[str, Recorded]:
    """What the file holds for each item. Recordings with the same data and parameters count once.

    Of recordings that differ only the first two are kept.
    """
    return {item: _recorded(answer) for item, answer in answers.items()}


def recordings_in(cells: Iterable[Cell], assignment: Assignment) -> Iterator[Recording]:
    """Every readable recording of a submission that is of an item of the assignment."""
    for content in (content for cell in cells for content in cell.evidence):
        with suppress(BadEvidence):
            recording = Recording.of(content)
            if assignment.find(recording.item) is not None:
                yield recording


def with_replay(
    found: Mapping[str, Recorded], replayed: Sequence[RawRecording], *, broken: str = ""
) -> dict[str, Recorded]:
    """The same, with what the run recorded. Of several for one item, that of the recorded cell wins."""
    return {
        item: replace(entry, replayed=_replayed(item, entry, replayed), broken=broken)
        for item, entry in found.items()
    }


def contents_of(found: Mapping[str, Recorded]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Each item's readable recording as a JSON object, which an author's ``prepare`` receives.

    None of an item with several that differ: that is its problem whatever they hold, and going through all of
    them costs the grader minutes.
    """
    return {
        item: tuple(raw.content for raw in entry.raw) if len(entry.recordings) == 1 else ()
        for item, entry in found.items()
    }


def texts_of(found: Recorded) -> str:
    """The recorded texts as Markdown code blocks; untrusted."""
    texts = [text for recording in found.recordings for text in _texts(recording.data)][:MAX_TEXTS]
    return "\n\n".join(f"`{name}`\n\n{_fenced(text)}" for name, text in texts)


def _recorded(answer: Answer) -> Recorded:
    recordings: list[Recording] = []
    kept: list[RawRecording] = []
    problems = list(answer.bad_evidence)
    for raw in answer.evidence:
        try:
            found = Recording.of(raw.content)
        except BadEvidence as error:
            problems.append(f"cell {raw.cell}: {error}")
            continue
        if all((found.data, found.parameters) != (other.data, other.parameters) for other in recordings):
            recordings.append(found)
            kept.append(raw)
            if len(recordings) > 1:
                break
    return Recorded(tuple(recordings), tuple(problems), tuple(kept))


def _replayed(item: str, entry: Recorded, replayed: Sequence[RawRecording]) -> Recording | None:
    cells = {raw.cell for raw in entry.raw}
    own = [raw for raw in replayed if raw.content.get("item") == item]
    own.sort(key=lambda raw: raw.cell in cells)  # stable: the last one made in a recorded cell comes last
    try:
        return Recording.of(own[-1].content) if own else None
    except BadEvidence:
        return None


def _texts(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for key, entry in value.items():
        if isinstance(entry, str) and entry.strip() and key != RESERVED:
            yield _ODD.sub("?", ".".join((*path, key)))[:80], entry
        elif isinstance(entry, dict) and key != RESERVED and len(path) < MAX_DEPTH:
            yield from _texts(entry, (*path, key))


def _fenced(text: str) -> str:
    """A code block with a fence longer than any in its text, so that the text cannot close it."""
    if len(text) > MAX_SHOWN:
        text = f"{text[:MAX_SHOWN]}…"
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}\n{text}\n{fence}"
