"""What of a submission has to be graded, given what is known of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from grader.course.keys import Keys
from grader.course.work import Work


class Earlier(msgspec.Struct, frozen=True):
    """An earlier result for the same bytes: its items' keys and its record."""

    item_keys: Mapping[str, str]
    record: bytes


class File(msgspec.Struct, frozen=True):
    """A content that is to have a grade: a name for people, where its bytes lie, their SHA-256."""

    name: str
    path: str
    sha256: str


def plan(
    file: File, keys: Keys, *, seed: int, earlier: Earlier | None, only: Collection[str] = ()
) -> Work | None:
    """The work that is left for a file; None when everything wanted is known.

    ``only`` asks for these items and no other. What an earlier result says about an item still stands while
    the item's key is the same.
    """
    wanted = keys.of_items(file.sha256)
    if only:
        wanted = {item: key for item, key in wanted.items() if item in only}
    known = earlier.item_keys if earlier is not None else {}
    stale = tuple(item for item, key in wanted.items() if known.get(item) != key)
    if not stale:
        return None
    stands = earlier is not None and len(stale) < len(keys.items) and still_there(known, keys)
    return Work(
        name=file.name,
        path=file.path,
        sha256=file.sha256,
        seed=seed,
        only=stale if stands or only else (),
        previous=earlier.record if earlier is not None and stands else b"",
    )


def still_there(known: Mapping[str, str], keys: Keys) -> bool:
    """Whether an earlier result has anything to give: an item that the assignment still has."""
    return any(item in keys.items for item in known)


def keys_after(work: Work, keys: Keys, earlier: Earlier | None) -> dict[str, str]:
    """The item keys of the result that a work gives: what it graded, and what it took over."""
    fresh = keys.of_items(work.sha256)
    if not work.only:
        return fresh
    graded = {item: fresh[item] for item in work.only}
    kept = earlier.item_keys if earlier is not None and work.previous else {}
    return {item: key for item, key in {**kept, **graded}.items() if item in fresh}
