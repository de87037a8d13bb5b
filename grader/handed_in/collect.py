"""Every submission in a folder or a zip as courses have them: what, where, and by whom.

Nothing is run, nothing is unpacked under a name from a zip, and no file stops the others: what cannot be
taken becomes one line. Submissions come one at a time, in a stable order, and none is held in memory.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from grader.handed_in.archives import Unusable
from grader.handed_in.assemble import assemble
from grader.handed_in.bundles import bundles
from grader.handed_in.content_store import ContentStore
from grader.handed_in.contents import Answers, Looker
from grader.handed_in.downloads import DOWNLOAD, FEEDBACK, NO_NOTEBOOK, Bundle, looks_like_a_class, nothing_in
from grader.handed_in.graded_file import ARCHIVES, NOTHING_EXPECTED, Choice, Expected, choose, gradable
from grader.handed_in.own_feedback import FeedbackMarked, is_kept_feedback
from grader.handed_in.package import Package
from grader.handed_in.tarballs import open_archive
from grader.handed_in.trees import Entry, Folder, Place, Refused, Tree, Zip, below
from grader.handed_in.unpacked import opened, with_modules
from grader.model.errors import UsageError
from grader.model.owner_hints import OwnerHint
from grader.model.text import printable
from grader.notebooks.submission_file import ending_of

__all__ = ["Refused", "Submission", "collect"]


class Submission(msgspec.Struct, frozen=True):
    """What one student handed in.

    ``name`` is where it was found below the start, for people: one line, unlike any other's.
    ``submitted_at`` is ISO 8601, without a zone if none is named, "" if unknown; ``late`` is None if unknown.
    """

    name: str
    package: Package
    who: OwnerHint
    submitted_at: str = ""
    late: bool | None = None

    @property
    def notices(self) -> tuple[str, ...]:
        """What somebody should know about the package, one line each."""
        return self.package.notices

    @property
    def sha256(self) -> str:
        """The package's digest."""
        return self.package.sha256

    @property
    def path(self) -> Path:
        """Where the first graded file's bytes are."""
        return Path(self.package.first.path)


def collect(
    start: Path, *, into: Path, expected: Expected = NOTHING_EXPECTED
) -> Iterator[Submission | Refused]:
    """The submissions in a folder or a zip, sorted by name.

    Files on disk stay where they are; those in zips are stored below ``into``, a private folder of the
    grader, as ``ab/<sha256>.ipynb``. ``expected`` is what the assignment asks for, which tells the
    graded file from others.

    Raises UsageError if ``start`` is neither folder nor zip, or ``into`` is not writable.
    """
    is_archive = _is_archive(start)
    collector = _Collector(ContentStore(into), expected)
    return _named_apart(collector.of_archive(start) if is_archive else collector.of_folder(start), start)


def _is_archive(start: Path) -> bool:
    try:
        mode = start.stat().st_mode
    except OSError as error:
        raise UsageError(
            f"{start}: {error.strerror}; name a folder of submissions or a zip of them"
        ) from None
    is_archive = stat.S_ISREG(mode) and ending_of(start.name) in ARCHIVES
    if not is_archive and not stat.S_ISDIR(mode):
        raise UsageError(f"{start}: is no folder and no zip; name a folder of submissions or a zip of them")
    return is_archive


class _Collector:
    """Turns a start into submissions. ``within`` is where a tree lies below the start, to name its files."""

    def __init__(self, store: ContentStore, expected: Expected) -> None:
        self._store = store
        self._expected = expected

    def of_folder(self, path: Path) -> Iterator[Submission | Refused]:
        """The submissions in a folder on disk."""
        return self._of_tree(FeedbackMarked(Folder(path, without=self._store.folder)), (), class_zips=True)

    def of_archive(self, path: Path) -> Iterator[Submission | Refused]:
        """The submissions in a zip on disk."""
        try:
            with open_archive(path) as archive:
                yield from self._of_tree(FeedbackMarked(Zip(archive)), (), class_zips=False)
        except (Unusable, OSError) as error:
            yield Refused(path.name, reason(error))

    def _of_tree(self, tree: Tree, within: Place, *, class_zips: bool) -> Iterator[Submission | Refused]:
        looker = self._expected.looker(tree)
        for part in bundles(tree, self._expected, looker, class_zips=class_zips):
            looker.forget()
            if isinstance(part, Refused):
                yield part.within(within)
            else:
                yield from self._of_bundle(tree, part, within, looker)

    def _of_bundle(
        self, tree: Tree, bundle: Bundle, within: Place, looker: Looker
    ) -> Iterator[Submission | Refused]:
        files = gradable(bundle.files, self._expected)
        choice = choose(files, self._expected, Answers(files, looker))
        archives = [entry for entry in files if entry.suffix in ARCHIVES]
        # A file that answers nothing is looked past: the work may be in the zip beside it.
        if archives and not choice.graded:
            yield from self._of_packed(tree, best_archive(archives, self._expected), bundle, within)
        elif archives and self._expected.names and not choice.defined:
            yield from self._of_either(tree, choice, archives, bundle, within)
        else:
            yield from self._taken(tree, choice, bundle, within)

    def _of_either(
        self, tree: Tree, choice: Choice, archives: Sequence[Entry], bundle: Bundle, within: Place
    ) -> Iterator[Submission | Refused]:
        """The file if it takes its answers from modules in archives, or else what can be graded in one."""
        with with_modules(tree, bundle.files, self._store) as (whole, files):
            work = gradable(files, self._expected)
            again = choose(work, self._expected, Answers(work, self._expected.looker(whole)))
            if again.defined and again.graded == choice.graded:
                yield from self._taken(
                    whole, again, msgspec.structs.replace(bundle, files=tuple(files)), within
                )
                return
        entry = best_archive(archives, self._expected)
        inner = list(self._of_packed(tree, entry, bundle, within))
        if any(isinstance(found, Submission) for found in inner):
            yield from inner
        else:
            yield from self._taken(tree, choice, bundle, within)

    def _of_packed(
        self, tree: Tree, entry: Entry, bundle: Bundle, within: Place
    ) -> Iterator[Submission | Refused]:
        """The submissions in a zip among the files: one student's work, or a class's."""
        here = (*within, *entry.place)
        try:
            with opened(tree, entry, self._store) as archive:
                inner = FeedbackMarked(Zip(archive))
                if bundle.holds_class:
                    yield from self._of_tree(inner, here, class_zips=False)
                elif looks_like_a_class(inner.listing(())):
                    yield Refused(_name((), here), DOWNLOAD, bundle.people[0])
                else:
                    beside = [one for one in gradable(bundle.files, self._expected) if one is not entry]
                    yield from self._of_one_persons_zip(inner, bundle, here, beside)
        except (Unusable, OSError) as error:
            yield Refused(_name((), here), reason(error), bundle.people[0])

    def _of_one_persons_zip(
        self, tree: Tree, bundle: Bundle, within: Place, beside: Sequence[Entry]
    ) -> Iterator[Submission | Refused]:
        who = bundle.people[0]
        files = [found for found in below(tree, ()) if isinstance(found, Entry)]
        for refused in tree.listing(()).refused:
            yield msgspec.structs.replace(refused.within(within), who=who)
        work = gradable(files, self._expected)
        choice = choose(work, self._expected, Answers(work, self._expected.looker(tree)))
        if choice.graded:
            if beside:
                names = ", ".join(printable(entry.shown) for entry in beside[:3])
                line = f"{within[-1]} is graded; not graded: {names}"
                choice = msgspec.structs.replace(choice, notices=(line, *choice.notices))
            inner = msgspec.structs.replace(bundle, place=(), files=tuple(files))
            yield from self._taken(tree, choice, inner, within)
        elif work:
            # Each level may hold a bomb of its own, and nobody hands in three boxes in each other on purpose.
            yield Refused(_name((), within), "a zip in a zip of a zip; hand in the notebook", who)
        else:
            yield Refused(
                _name((), within), f"{nothing_in(files, self._expected)}; hand in the notebook", who
            )

    def _taken(
        self, tree: Tree, choice: Choice, bundle: Bundle, within: Place
    ) -> Iterator[Submission | Refused]:
        """One submission of these files for each of the bundle's people."""
        name = _name(within, choice.graded[0].place)
        try:
            files = [entry for entry in bundle.files if not entry.is_feedback]
            package = assemble(tree, choice, files, self._expected, self._store)
        except (Unusable, OSError) as error:
            yield Refused(name, reason(error), bundle.people[0])
            return
        kept = package.first
        if tree.on_disk(choice.graded[0]) is None and is_kept_feedback(Path(kept.path), kept.size):
            yield Refused(name, FEEDBACK, bundle.people[0])
            return
        for who in bundle.people:
            apart = f"{name} ({who.label})" if len(bundle.people) > 1 else name
            yield Submission(apart, package, who, bundle.submitted_at, bundle.late)


def best_archive(archives: Sequence[Entry], expected: Expected) -> Entry:
    """The archive to look into: named like the assignment's, or nearest the top."""
    return min(archives, key=lambda entry: (-expected.fit(entry.name), len(entry.place), entry.place))


def reason(error: Unusable | OSError) -> str:
    """An error as one line for people."""
    if isinstance(error, Unusable):
        return str(error)
    return f"cannot be read: {error.strerror or error}; check the disk and its permissions"


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
