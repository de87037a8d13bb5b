"""Recorded evidence, from the file and from the run, as the checks receive it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from grader.checks.evidence import Recording
from grader.model.errors import BadEvidence
from grader.notebooks.answers import Answer
from grader.notebooks.cells import Cell
from grader.notebooks.recordings import RawRecording

RESERVED = "beginning"
"""The key of a recording's data that holds what a replay starts from; no text for people."""
MAX_TEXTS = 12
MAX_SHOWN = 1_500
"""Texts of one item that a report shows, and characters of each."""
MAX_DEPTH = 4

_TICKS = re.compile("`+")
_ODD = re.compile(r"[^\w. -]")


@dataclass(frozen=True)
class Recorded:
    """All that was recorded for one item: the distinct readable claims, and what is wrong with the others.

    ``recordings`` are what the claims were read from, ``replayed`` is what the run recorded while grading,
    ``broken`` says why that run was not the replay that the author asked for.
    """

    claims: tuple[Recording, ...] = ()
    problems: tuple[str, ...] = ()
    recordings: tuple[RawRecording, ...] = ()
    replayed: Recording | None = None
    broken: str = ""

    @property
    def found(self) -> bool:
        """Whether the submission recorded anything for the item, readable or not."""
        return bool(self.claims or self.problems)


def recorded_in(answers: Mapping[str, Answer]) -> dict[str, Recorded]:
    """What the file holds for each item. Claims with the same data and parameters count once."""
    return {item: _recorded(answer) for item, answer in answers.items()}


def claims_in(cells: Iterable[Cell]) -> Iterator[Recording]:
    """Every readable claim of a submission, whatever item it is of."""
    for content in (content for cell in cells for content in cell.evidence):
        with suppress(BadEvidence):
            yield Recording.of(content)


def with_replay(
    found: Mapping[str, Recorded], recordings: Sequence[RawRecording], *, broken: str = ""
) -> dict[str, Recorded]:
    """The same, with what the run recorded. Of several recordings for one item, the claim's own cell wins."""
    return {
        item: replace(entry, replayed=_replayed(item, entry, recordings), broken=broken)
        for item, entry in found.items()
    }


def contents_of(found: Mapping[str, Recorded]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Each item's readable recordings as JSON objects, which an author's ``prepare`` receives."""
    return {item: tuple(recording.content for recording in entry.recordings) for item, entry in found.items()}


def texts_of(found: Recorded) -> str:
    """The recorded texts as Markdown code blocks; untrusted."""
    texts = [text for claim in found.claims for text in _texts(claim.data)][:MAX_TEXTS]
    return "\n\n".join(f"`{name}`\n\n{_fenced(text)}" for name, text in texts)


def _recorded(answer: Answer) -> Recorded:
    claims: list[tuple[RawRecording, Recording]] = []
    problems = list(answer.bad_evidence)
    for recording in answer.evidence:
        try:
            claim = Recording.of(recording.content)
        except BadEvidence as error:
            problems.append(f"cell {recording.cell}: {error}")
            continue
        if all((claim.data, claim.parameters) != (other.data, other.parameters) for _, other in claims):
            claims.append((recording, claim))
    return Recorded(
        tuple(claim for _, claim in claims), tuple(problems), tuple(recording for recording, _ in claims)
    )


def _replayed(item: str, entry: Recorded, recordings: Sequence[RawRecording]) -> Recording | None:
    cells = {recording.cell for recording in entry.recordings}
    own = [recording for recording in recordings if recording.content.get("item") == item]
    own.sort(key=lambda recording: recording.cell in cells)
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
