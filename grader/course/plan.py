"""Which items of a submission have to be graded, given what the gradebook knows about the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from grader.course.jobs import Job
from grader.course.keys import Keys
from grader.gradebook.rows import NewSubmission, StoredResult


@dataclass(frozen=True)
class UniqueFile:
    """A file to grade once, however many submissions have the same bytes: ``rows`` are theirs.

    ``name`` is shown to people, ``path`` is where the bytes are.
    """

    name: str
    path: str
    sha256: str
    rows: tuple[int, ...] = ()


def unique_files(
    submissions: Iterable[NewSubmission], rows: Mapping[str, Iterable[int]] | None = None
) -> dict[str, UniqueFile]:
    """The distinct files of submissions by SHA-256, in the order they came; ``rows`` are by SHA-256 too."""
    first: dict[str, NewSubmission] = {}
    for new in submissions:
        first.setdefault(new.sha256, new)
    known = rows or {}
    return {
        sha256: UniqueFile(new.name, new.path, sha256, tuple(known.get(sha256, ())))
        for sha256, new in first.items()
    }


def plan(
    file: UniqueFile, keys: Keys, *, seed: int, earlier: StoredResult | None, only: Collection[str] = ()
) -> Job | None:
    """The job that is left for a file; None if everything wanted is known.

    ``only`` asks for these items and no other. What the earlier result says about an item still holds while
    the item's key is the same.
    """
    wanted = keys.of_items(file.sha256)
    if only:
        wanted = {item: key for item, key in wanted.items() if item in only}
    known = earlier.item_keys if earlier is not None else {}
    stale = tuple(item for item, key in wanted.items() if known.get(item) != key)
    if not stale:
        return None
    # An earlier result is built upon only if it keeps something: some item is not stale, and it knows at
    # least one item that the assignment still has. Otherwise everything is graded anew.
    holds = earlier is not None and len(stale) < len(keys.items) and has_any_of(known, keys)
    return Job(
        name=file.name,
        path=file.path,
        sha256=file.sha256,
        seed=seed,
        only=stale if holds or only else (),
        previous=earlier.record if earlier is not None and holds else b"",
    )


def has_any_of(known: Iterable[str], keys: Keys) -> bool:
    """Whether any of the known items is one that the assignment still has."""
    return any(item in keys.items for item in known)


def keys_after(job: Job, keys: Keys, earlier: StoredResult | None) -> dict[str, str]:
    """The item keys of a job's result: of the items that it graded, and of those that it took over."""
    fresh = keys.of_items(job.sha256)
    if not job.only:
        return fresh
    graded = {item: fresh[item] for item in job.only}
    kept = earlier.item_keys if earlier is not None and job.previous else {}
    return {item: key for item, key in {**kept, **graded}.items() if item in fresh}
