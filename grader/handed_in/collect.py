"""Every submission in a folder or a zip as courses have them: what, where, and by whom.

Nothing is run, nothing is unpacked under a name from a zip, and no file stops the others: what cannot be
taken becomes one line. Submissions come one at a time, in a stable order, and none is held in memory.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from grader.handed_in.archives import Archive, Unusable
from grader.handed_in.bundles import DOWNLOAD, NO_NOTEBOOK, Bundle, bundles, looks_like_a_class
from grader.handed_in.content_store import ContentStore, copy
from grader.handed_in.graded_file import ARCHIVE, ExpectedNames, gradable, graded_file
from grader.handed_in.trees import Entry, Folder, Place, Refused, Tree, Zip, below
from grader.model.errors import UsageError
from grader.model.owner_hints import OwnerHint
from grader.model.text import printable
from grader.notebooks.submission_file import MAX_BYTES

__all__ = ["Refused", "Submission", "collect"]


class Submission(msgspec.Struct, frozen=True):
    """What one student handed in.

    ``name`` is where it was found below the start, for people: one line, unlike any other's. ``path`` is
    where its bytes are now, ``size`` their number. ``submitted_at`` is ISO 8601 in UTC, "" if unknown;
    ``late`` is None if unknown. ``notices`` are one line each.
    """

    name: str
    path: Path
    sha256: str
    size: int
    who: OwnerHint
    submitted_at: str = ""
    late: bool | None = None
    notices: tuple[str, ...] = ()


def collect(start: Path, *, into: Path, expected: Collection[str] = ()) -> Iterator[Submission | Refused]:
    """The submissions in a folder or a zip, sorted by name.

    Files on disk stay where they are; those in zips are stored below ``into``, a private folder of the
    grader, as ``ab/<sha256>.ipynb``. ``expected`` are the names of the assignment's notebook, which tell it
    from other notebooks. Raises UsageError if ``start`` is neither folder nor zip, or ``into`` not writable.
    """
    is_zip = _is_zip(start)
    collector = _Collector(ContentStore(into), ExpectedNames.of(expected))
    return _named_apart(collector.of_zip(start) if is_zip else collector.of_folder(start), start)


def _is_zip(start: Path) -> bool:
    try:
        mode = start.stat().st_mode
    except OSError as error:
        raise UsageError(
            f"{start}: {error.strerror}; name a folder of submissions or a zip of them"
        ) from None
    is_zip = stat.S_ISREG(mode) and start.suffix.lower() == ARCHIVE
    if not is_zip and not stat.S_ISDIR(mode):
        raise UsageError(f"{start}: is no folder and no zip; name a folder of submissions or a zip of them")
    return is_zip


class _Collector:
    """Turns a start into submissions. ``within`` is where a tree lies below the start, to name its files."""

    def __init__(self, store: ContentStore, expected: ExpectedNames) -> None:
        self._store = store
        self._expected = expected

    def of_folder(self, path: Path) -> Iterator[Submission | Refused]:
        """The submissions in a folder on disk."""
        return self._of_tree(Folder(path, without=self._store.folder), (), class_zips=True)

    def of_zip(self, path: Path) -> Iterator[Submission | Refused]:
        """The submissions in a zip on disk."""
        try:
            with Archive(path) as archive:
                yield from self._of_tree(Zip(archive), (), class_zips=False)
        except (Unusable, OSError) as error:
            yield Refused(path.name, reason(error))

    def _of_tree(self, tree: Tree, within: Place, *, class_zips: bool) -> Iterator[Submission | Refused]:
        for part in bundles(tree, self._expected, class_zips=class_zips):
            if isinstance(part, Refused):
                yield part.within(within)
            else:
                yield from self._of_bundle(tree, part, within)

    def _of_bundle(self, tree: Tree, bundle: Bundle, within: Place) -> Iterator[Submission | Refused]:
        entry, notice = graded_file(gradable(bundle.files), self._expected)
        if entry.suffix == ARCHIVE:
            yield from self._of_packed(tree, entry, bundle, within, notice)
        else:
            yield from self._taken(tree, entry, bundle, within, notice)

    def _of_packed(
        self, tree: Tree, entry: Entry, bundle: Bundle, within: Place, notice: str
    ) -> Iterator[Submission | Refused]:
        """The submissions in a zip among the files: one student's work, or a class's."""
        here = (*within, *entry.place)
        try:
            with self._archive(tree, entry) as archive:
                inner = Zip(archive)
                if bundle.holds_class:
                    yield from self._of_tree(inner, here, class_zips=False)
                elif looks_like_a_class(inner.listing(())):
                    yield Refused(_name((), here), DOWNLOAD, bundle.people[0])
                else:
                    yield from self._of_one_persons_zip(inner, bundle, here, notice)
        except (Unusable, OSError) as error:
            yield Refused(_name((), here), reason(error), bundle.people[0])

    def _of_one_persons_zip(
        self, tree: Zip, bundle: Bundle, within: Place, notice: str
    ) -> Iterator[Submission | Refused]:
        who = bundle.people[0]
        files = [found for found in below(tree, ()) if isinstance(found, Entry)]
        for refused in tree.listing(()).refused:
            yield msgspec.structs.replace(refused.within(within), who=who)
        work = [entry for entry in gradable(files) if entry.suffix != ARCHIVE]
        if work:
            entry, other = graded_file(work, self._expected)
            yield from self._taken(tree, entry, bundle, within, notice, other)
        elif gradable(files):
            # Each level may hold a bomb of its own, and nobody hands in three boxes in each other on purpose.
            yield Refused(_name((), within), "a zip in a zip of a zip; hand in the notebook", who)
        else:
            yield Refused(_name((), within), f"{NO_NOTEBOOK}; hand in the notebook", who)

    @contextlib.contextmanager
    def _archive(self, tree: Tree, entry: Entry) -> Iterator[Archive]:
        """A zip among the files, opened in place on disk, or from a temporary copy out of another zip."""
        path = tree.on_disk(entry)
        if path is not None:
            with Archive(path) as archive:
                yield archive
            return
        _assert_not_too_large(entry)
        with tree.open(entry) as stream, self._store.temporary(stream) as file, Archive(file) as archive:
            yield archive

    def _taken(
        self, tree: Tree, entry: Entry, bundle: Bundle, within: Place, *notices: str
    ) -> Iterator[Submission | Refused]:
        """One submission of this file for each of the bundle's people."""
        name = _name(within, entry.place)
        try:
            _assert_not_too_large(entry)
            path = tree.on_disk(entry)
            with tree.open(entry) as stream:
                if path is None:
                    path, digest, size = self._store.store(stream, suffix=entry.suffix)
                else:
                    digest, size = copy(stream, None)
        except (Unusable, OSError) as error:
            yield Refused(name, reason(error), bundle.people[0])
            return
        said = tuple(filter(None, notices))
        for who in bundle.people:
            apart = f"{name} ({who.label})" if len(bundle.people) > 1 else name
            yield Submission(apart, path, digest, size, who, bundle.submitted_at, bundle.late, said)


def reason(error: Unusable | OSError) -> str:
    """An error as one line for people."""
    if isinstance(error, Unusable):
        return str(error)
    return f"cannot be read: {error.strerror or error}; check the disk and its permissions"


def _assert_not_too_large(entry: Entry) -> None:
    if entry.size > MAX_BYTES:
        raise Unusable(f"holds {entry.size:,} bytes; at most {MAX_BYTES:,} can be graded: clear its outputs")


def _name(within: Place, place: Place) -> str:
    return "/".join((*within, *place))


def _named_apart(several: Iterator[Submission | Refused], start: Path) -> Iterator[Submission | Refused]:
    """The same with names of one line, unique among the submissions; one line for a start without any."""
    seen = set[str]()
    for found in several:
        name = plain = printable(found.name or ".", limit=300)
        number = 1
        while isinstance(found, Submission) and name in seen:
            number += 1
            name = f"{plain} ({number})"
        seen.add(name)
        yield found if name == found.name else msgspec.structs.replace(found, name=name)
    if not seen:
        yield Refused(
            printable(start.name, limit=300), f"{NO_NOTEBOOK}: it is empty; name the folder that does"
        )
