"""One line about a whole notebook, where every check would otherwise fail for the same reason.

A file that defines none of the names asked for is most likely not the file that was meant. A zero would be
silent, so its code items stay undecided until a person has looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.own_code import OwnCode
from grader.model import endings
from grader.model.records import CheckResult
from grader.model.text import plural
from grader.notebooks.names import defined_names
from grader.notebooks.submission_file import SubmissionFile

SHOWN = 6


@dataclass(frozen=True)
class Headline:
    """What is wrong with a notebook, the items that it leaves undecided, and what these wait for."""

    text: str
    items: tuple[str, ...]
    waits_for: str
    file: SubmissionFile | None = None


def find_headlines(
    folder: AssignmentFolder,
    owners: Mapping[str, SubmissionFile | None],
    results: Sequence[CheckResult],
    missing: Mapping[tuple[str, str], str],
    answered: Collection[str],
    codes: Mapping[int, OwnCode],
) -> list[Headline]:
    """The headlines of a submission.

    ``missing`` are the names that checks did not find; ``answered`` are the items of evidence for which there
    is something, which are decided all the same. ``codes`` are the files' texts, by their identity.
    """
    decidable = [item.id for item in folder.assignment.of_kind("evidence") if item.id not in answered]
    code = [item.id for item in folder.assignment.of_kind("code")]
    files = {id(file): file for file in owners.values() if file is not None}
    headlines = [
        headline
        for file in files.values()
        if (
            headline := _of_file(
                file, [item for item in code if owners[item] is file], folder, results, missing
            )
        )
    ]
    headlines = [
        replace(
            headline, items=(*headline.items, *(item for item in decidable if owners[item] is headline.file))
        )
        for headline in [*headlines, *_of_absent(folder, owners)]
    ]
    known = {item for headline in headlines for item in headline.items}
    return [*headlines, *_of_elsewhere(owners, missing, codes, known=known)]


def _of_elsewhere(
    owners: Mapping[str, SubmissionFile | None],
    missing: Mapping[tuple[str, str], str],
    codes: Mapping[int, OwnCode],
    *,
    known: Collection[str],
) -> Iterator[Headline]:
    """What was handed in, but in a file that is not the item's: it may well be right."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for (item, _), name in missing.items():
        file = owners[item]
        if file is not None and item not in known and (place := codes[id(file)].elsewhere(name)):
            found.setdefault((file.name, place), {}).setdefault(item, []).append(name)
    for (own, place), items in found.items():
        names = _some([name for several in items.values() for name in several])
        advice = ""
        if place.endswith(".ipynb"):
            advice = "; name all graded notebooks in `submission.notebooks`, and an item's in its `notebook`"
        whose = f"{plural(len(items), 'item', 'items')} {', '.join(items)}"
        text = f"{whose}: {place} defines {names}, {own} does not{advice}"
        yield Headline(text, tuple(items), endings.IN_ANOTHER_FILE)


def _some(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    rest = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in different[:SHOWN]) + rest


def _of_file(
    file: SubmissionFile,
    items: Sequence[str],
    folder: AssignmentFolder,
    results: Sequence[CheckResult],
    missing: Mapping[tuple[str, str], str],
) -> Headline | None:
    own = [result for result in results if result.item in items]
    if not own or any((result.item, result.check) not in missing for result in own):
        return None
    names = list(dict.fromkeys(missing[result.item, result.check] for result in own))
    if (folder.asked_names | set(names)) & defined_names(file.cells):
        return None
    text = f"{file.name} defines none of the names asked for ({_some(names)}); is it the right file?"
    return Headline(text, tuple(dict.fromkeys(result.item for result in own)), endings.NOT_THE_FILE, file)


def _of_absent(folder: AssignmentFolder, owners: Mapping[str, SubmissionFile | None]) -> Iterator[Headline]:
    absent = [item for item in folder.assignment.item if owners[item.id] is None]
    if absent:
        names = ", ".join(item.id for item in absent)
        code = tuple(item.id for item in absent if item.kind == "code")
        yield Headline(f"no notebook was handed in for {names}", code, endings.NOT_HANDED_IN)
