"""Everything that was handed in, from a folder or a zip as courses have them: what, where, and by whom.

Nothing of it is run, nothing is unpacked under a name from a zip, and no file stops the others: what cannot
be taken becomes one line. Files come one after the other, in a stable order, and none is held in memory.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from grader.handed_in.archives import Archive, Unusable
from grader.handed_in.by_student import (
    DOWNLOAD,
    NO_NOTEBOOK,
    Problem,
    Submission,
    looks_like_a_class,
    submissions,
)
from grader.handed_in.choosing import ARCHIVE, Wanted, choose, gradable
from grader.handed_in.content_store import Keeper, copied
from grader.handed_in.trees import Entry, Folder, Place, Tree, Zip, below
from grader.model.errors import UsageError
from grader.model.hints import Hint
from grader.notebooks.submission_file import MAX_BYTES
from grader.notebooks.text import shown


class Found(msgspec.Struct, frozen=True):
    """A file that can be graded.

    ``name`` is where it was found, below the start, for people: one line, and no other file's. ``path`` is
    where its bytes lie now, ``size`` counts them. ``submitted_at`` is ISO 8601 in UTC, empty where the
    layout does not tell; ``late`` is None where it does not tell that. ``notices`` are one line each.
    """

    name: str
    path: Path
    sha256: str
    size: int
    who: Hint
    submitted_at: str = ""
    late: bool | None = None
    notices: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """Something handed in that cannot be graded: its name, one line that says why, whose it may be."""

    name: str
    why: str
    who: Hint = Hint()


def collect(start: Path, *, into: Path, wanted: Collection[str] = ()) -> Iterator[Found | Refused]:
    """What a folder or a zip holds, sorted by name.

    Files on disk stay where they are; those in zips are kept below ``into``, a private folder of the grader,
    as ``ab/<sha256>.ipynb``. ``wanted`` are names of the assignment's notebook, which tell it from other
    notebooks. Raises UsageError for a start that is neither, and where ``into`` cannot be written to.
    """
    is_zip = _is_zip(start)
    collector = _Collector(Keeper(into), Wanted.of(wanted))
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
    """The way from a start to files with digests. Names are told with what they lie ``within``."""

    def __init__(self, keeper: Keeper, wanted: Wanted) -> None:
        self._keeper = keeper
        self._wanted = wanted

    def of_folder(self, path: Path) -> Iterator[Found | Refused]:
        """What a folder on disk holds."""
        return self._of_tree(Folder(path, without=self._keeper.folder), (), class_zips=True)

    def of_zip(self, path: Path) -> Iterator[Found | Refused]:
        """What a zip on disk holds."""
        try:
            with Archive(path) as archive:
                yield from self._of_tree(Zip(archive), (), class_zips=False)
        except (Unusable, OSError) as error:
            yield Refused(path.name, words(error))

    def _of_tree(self, tree: Tree, within: Place, *, class_zips: bool) -> Iterator[Found | Refused]:
        for part in submissions(tree, self._wanted, class_zips=class_zips):
            if isinstance(part, Problem):
                yield Refused(_name(within, part.place), part.why, part.who)
            else:
                yield from self._of_submission(tree, part, within)

    def _of_submission(self, tree: Tree, part: Submission, within: Place) -> Iterator[Found | Refused]:
        entry, notice = choose(gradable(part.files), self._wanted)
        if entry.suffix == ARCHIVE:
            yield from self._of_packed(tree, entry, part, within, notice)
        else:
            yield from self._taken(tree, entry, part, within, notice)

    def _of_packed(
        self, tree: Tree, entry: Entry, part: Submission, within: Place, notice: str
    ) -> Iterator[Found | Refused]:
        """What a zip among the files holds: a person's work, or a class's."""
        here = (*within, *entry.place)
        try:
            with self._archive(tree, entry) as archive:
                inner = Zip(archive)
                if part.holds_class:
                    yield from self._of_tree(inner, here, class_zips=False)
                elif looks_like_a_class(inner.listing(())):
                    yield Refused(_name((), here), DOWNLOAD, part.people[0])
                else:
                    yield from self._of_one_persons_zip(inner, part, here, notice)
        except (Unusable, OSError) as error:
            yield Refused(_name((), here), words(error), part.people[0])

    def _of_one_persons_zip(
        self, tree: Zip, part: Submission, within: Place, notice: str
    ) -> Iterator[Found | Refused]:
        files = [found for found in below(tree, ()) if isinstance(found, Entry)]
        for name, why in tree.listing(()).refused:
            yield Refused(_name(within, (name,)), why, part.people[0])
        work = [entry for entry in gradable(files) if entry.suffix != ARCHIVE]
        if work:
            entry, other = choose(work, self._wanted)
            yield from self._taken(tree, entry, part, within, notice, other)
        elif gradable(files):
            yield Refused(_name((), within), "a zip in a zip of a zip; hand in the notebook", part.people[0])
        else:
            yield Refused(_name((), within), f"{NO_NOTEBOOK}; hand in the notebook", part.people[0])

    @contextlib.contextmanager
    def _archive(self, tree: Tree, entry: Entry) -> Iterator[Archive]:
        """A zip among the files, opened where it lies or from a copy that is gone afterwards."""
        path = tree.on_disk(entry)
        if path is not None:
            with Archive(path) as archive:
                yield archive
            return
        _check_size(entry)
        with tree.open(entry) as stream, self._keeper.for_a_while(stream) as copy, Archive(copy) as archive:
            yield archive

    def _taken(
        self, tree: Tree, entry: Entry, part: Submission, within: Place, *notices: str
    ) -> Iterator[Found | Refused]:
        """The file with its digest, once for each of its people."""
        name = _name(within, entry.place)
        try:
            _check_size(entry)
            path = tree.on_disk(entry)
            with tree.open(entry) as stream:
                if path is None:
                    path, digest, size = self._keeper.keep(stream, suffix=entry.suffix)
                else:
                    digest, size = copied(stream, None)
        except (Unusable, OSError) as error:
            yield Refused(name, words(error), part.people[0])
            return
        said = tuple(filter(None, notices))
        for who in part.people:
            apart = f"{name} ({who.label})" if len(part.people) > 1 else name
            yield Found(apart, path, digest, size, who, part.at, part.late, said)


def words(error: Unusable | OSError) -> str:
    """An error as one line for people."""
    if isinstance(error, Unusable):
        return str(error)
    return f"cannot be read: {error.strerror or error}; check the disk and its permissions"


def _check_size(entry: Entry) -> None:
    if entry.size > MAX_BYTES:
        raise Unusable(f"holds {entry.size:,} bytes; at most {MAX_BYTES:,} can be graded: clear its outputs")


def _name(within: Place, place: Place) -> str:
    return "/".join((*within, *place))


def _named_apart(several: Iterator[Found | Refused], start: Path) -> Iterator[Found | Refused]:
    """The same with names that fit on one line, no two files with the same; a line where there is nothing."""
    seen = set[str]()
    for found in several:
        name = plain = shown(found.name or ".", limit=300)
        number = 1
        while isinstance(found, Found) and name in seen:
            number += 1
            name = f"{plain} ({number})"
        seen.add(name)
        yield found if name == found.name else msgspec.structs.replace(found, name=name)
    if not seen:
        yield Refused(shown(start.name, limit=300), f"{NO_NOTEBOOK}: it is empty; name the folder that does")
