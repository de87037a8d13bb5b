"""Which items of a submission have to be graded, given what the gradebook knows about the same files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from grader.course.jobs import Job
from grader.course.keys import Keys
from grader.gradebook.rows import StoredResult
from grader.handed_in.package import Package


@dataclass(frozen=True)
class UniqueWork:
    """Files to grade once, however many submissions have the same: ``rows`` are theirs.

    ``name`` and ``student`` are shown to people, ``package`` says where the files are.
    """

    name: str
    package: Package
    rows: tuple[int, ...] = ()
    student: str = ""

    @property
    def sha256(self) -> str:
        """The package's digest."""
        return self.package.sha256


def unique_work(
    packages: Iterable[tuple[str, Package]],
    rows: Mapping[str, Iterable[int]] | None = None,
    students: Mapping[str, str] | None = None,
) -> dict[str, UniqueWork]:
    """The distinct packages of submissions, which are given with their names, by SHA-256.

    In the order they came; ``rows`` are by SHA-256 too, ``students`` by the submissions' names.
    """
    first: dict[str, tuple[str, Package]] = {}
    for name, package in packages:
        first.setdefault(package.sha256, (name, package))
    known, people = rows or {}, students or {}
    return {
        sha256: UniqueWork(name, package, tuple(known.get(sha256, ())), people.get(name, ""))
        for sha256, (name, package) in first.items()
    }


def plan(
    work: UniqueWork, keys: Keys, *, seed: int, earlier: StoredResult | None, only: Collection[str] = ()
) -> Job | None:
    """The job that is left for a submission; None if everything wanted is known.

    ``only`` asks for these items and no other. What the earlier result says about an item still holds while
    the item's key is the same.
    """
    wanted = keys.of_items(work.sha256)
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
        name=work.name,
        package=work.package,
        seed=seed,
        only=stale if holds or only else (),
        previous=earlier.record if earlier is not None and holds else b"",
        student=work.student,
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
