"""The submission that a person names: a file with what belongs to it, one student's folder, or a zip.

What lies beside a file comes along only if the folder is one student's, by the rules of a class. Other
students' files never do, nor does anything of the assignment's own folder: only the reference, graded itself,
takes its solved modules along.
"""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from grader.handed_in.archives import Unusable
from grader.handed_in.assemble import assemble
from grader.handed_in.bundles import bundles, rivals, split
from grader.handed_in.content_store import ContentStore
from grader.handed_in.contents import Answers, Looker
from grader.handed_in.downloads import Bundle, nothing_in, platform_of
from grader.handed_in.graded_file import (
    ARCHIVES,
    COPY,
    NOTHING_EXPECTED,
    SCRIPT,
    Choice,
    Expected,
    choose,
    gradable,
    stem_of,
)
from grader.handed_in.package import Package
from grader.handed_in.tarballs import open_archive
from grader.handed_in.trees import Entry, Folder, Place, Refused, Tree, Zip
from grader.model.errors import SubmissionError
from grader.model.text import counted, printable
from grader.notebooks.names import imported_names
from grader.notebooks.submission_file import bytes_of, ending_of, read

MAX_AROUND = 2000
"""Files among which a named one is still taken for part of a student's folder."""

_MANIFEST, _OF_AN_ASSIGNMENT = "assignment.toml", ("hidden_tests", "public_tests", "reference")
_CLASS = "holds the work of several people; `grade batch` grades a class, or name one of them"


def package_of(path: Path, expected: Expected = NOTHING_EXPECTED, *, into: Path) -> Package:
    """The package of a file, a folder or a zip that a person names.

    What is inside zips is kept below ``into``, a private folder of the grader. Raises SubmissionError, one
    line, and UsageError if ``into`` cannot be written.
    """
    shown = printable(path.name or str(path), limit=300)
    store = ContentStore(into)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        mode = 0
    try:
        if stat.S_ISDIR(mode):
            return _of_folder(Folder(path, without=into), path, expected, store)
        if stat.S_ISREG(mode) and ending_of(path.name) in ARCHIVES:
            with open_archive(path) as archive:
                return _of_tree(Zip(archive), expected, store)
        bytes_of(path)  # for its errors, which name what to do about a path
        return _of_file(path.absolute(), expected, store)
    except Unusable as error:
        raise SubmissionError(f"{shown}: {error}") from None
    except OSError as error:
        raise SubmissionError(f"{shown}: cannot be read: {error.strerror or error}") from None


def _of_folder(tree: Tree, path: Path, expected: Expected, store: ContentStore) -> Package:
    if (path / _MANIFEST).is_file() and (path / "hidden_tests").is_dir():
        raise Unusable("is the assignment's own folder; name the folder or file of a submission")
    return _of_tree(tree, expected, store)


def _of_tree(tree: Tree, expected: Expected, store: ContentStore) -> Package:
    """The package of a whole tree, which has to be one student's."""
    if platform_of(tree.listing(())):
        raise Unusable(_CLASS)
    found = list(_around(tree, ()))
    files = [one for one in found if isinstance(one, Entry)]
    work = gradable(files, expected)
    lines = [f"{printable(one.name, limit=200)}: {one.why}" for one in found if isinstance(one, Refused)]
    if not work:
        raise Unusable(
            "; ".join((*lines[:1], *([nothing_in(files, expected)] if files or not lines else ())))
        )
    looker = expected.looker(tree)
    own = list(itertools.islice(split(files, (), expected, looker), 2))
    if len(own) > 1:
        raise Unusable(_CLASS)
    choice = choose(work, expected, Answers(work, looker))
    if not choice.graded:
        raise Unusable("holds only a zip; name that zip")
    choice = msgspec.structs.replace(choice, notices=(*choice.notices, *lines[:20]))
    return assemble(tree, choice, files, expected, store)


def _of_file(path: Path, expected: Expected, store: ContentStore) -> Package:
    tree = Folder(path.parent, without=store.folder)
    entry = Entry((path.name,), path.lstat().st_size)
    own, notices = _with_it(tree, path, entry, expected)
    entry = next((one for one in own if one.place == entry.place), entry)
    choice = Choice((entry,), notices)
    if len(expected.notebooks) > 1 and len(own) > 1:
        looker = expected.looker(tree)
        several = choose(gradable(own, expected), expected, Answers(own, looker))
        choice = several if entry in several.graded else choice
    return assemble(tree, choice, own, expected, store)


def _with_it(
    tree: Folder, path: Path, entry: Entry, expected: Expected
) -> tuple[Sequence[Entry], tuple[str, ...]]:
    """The files that belong to a named one, itself among them, and a notice if it had to be left alone."""
    if _is_of_assignment(path.parent):
        return _in_assignment(tree, path, entry, expected)
    found = list(itertools.islice(_around(tree, ()), MAX_AROUND + 1))
    if len(found) > MAX_AROUND:
        many = counted(MAX_AROUND, "file", "files")
        return [entry], (f"it lies among more than {many} and is graded without them",)
    files = [one for one in found if isinstance(one, Entry)]
    looker = expected.looker(tree)
    bundle = _bundle_of(entry, tree, files, expected, looker)
    if bundle is None:
        return [entry], ()
    work = gradable(bundle.files, expected)
    answers = Answers(work, looker)
    answers.own(entry)  # only so many are read, this one among them
    most = max((len(answers.whole(one)) for one in work), default=0)
    named = next((one for one in work if one.place == entry.place), None)
    if named is None or 2 * len(answers.whole(named)) < most:
        return [entry], ()  # the folder's answer is another file: whose this one is, is not known
    return list(_without_others(named, bundle.files, work, expected, looker)), ()


def _in_assignment(
    tree: Folder, path: Path, entry: Entry, expected: Expected
) -> tuple[Sequence[Entry], tuple[str, ...]]:
    """A file of the assignment's folder, with the modules of the reference only if it is the reference.

    Modules that it imports and that lie there are named: without them it may earn nothing.
    """
    top = path.parent.resolve()
    own = [entry]
    if top / path.name in expected.solved:
        others = [one for one in expected.solved if one.is_relative_to(top) and one != top / path.name]
        own += [Entry(one.relative_to(top).parts, one.stat().st_size) for one in others]
    listing = tree.listing(())
    beside = {*listing.folders, *(stem_of(one.name) for one in listing.files if one.suffix == SCRIPT)}
    beside -= {stem_of(one.place[0]) for one in own} | {stem_of(name) for name in expected.given}
    wanted = {module.partition(".")[0] for module in imported_names(read(path).cells).values()}
    left = tuple(
        f"{printable(name)} lies in the assignment's own folder and does not come along: grade a copy of "
        f"{printable(entry.name)} and what belongs to it in another folder"
        for name in sorted(wanted & beside)
    )
    return own, left


def _bundle_of(
    entry: Entry, tree: Tree, files: Sequence[Entry], expected: Expected, looker: Looker
) -> Bundle | None:
    """The bundle of the folder that a file is in."""
    if platform_of(tree.listing(())):
        parts = bundles(tree, expected, looker, class_zips=False)
        several = [part for part in parts if isinstance(part, Bundle)]
    else:
        several = list(split(files, (), expected, looker))
    return next((one for one in several if any(file.place == entry.place for file in one.files)), None)


def _without_others(
    named: Entry, files: Sequence[Entry], work: Sequence[Entry], expected: Expected, looker: Looker
) -> Iterator[Entry]:
    """The files without those that may be another person's answer, and without the folders of such files."""
    several = len(expected.notebooks) > 1
    alike = {one.place for one in rivals(work, expected, looker, of=named) if one is not named}
    if not several:
        alike |= {one.place for one in work if one is not named and expected.fit(one.name) >= COPY}
    folders = {place[0] for place in alike if len(place) > 1}
    for one in files:
        if one.place not in alike and not (len(one.place) > 1 and one.place[0] in folders):
            yield one


def _is_of_assignment(folder: Path) -> bool:
    """Whether a folder is an assignment's own, where nothing is handed in together."""
    inner = folder.name in _OF_AN_ASSIGNMENT and (folder.parent / _MANIFEST).is_file()
    return inner or (folder / _MANIFEST).is_file()


def _around(tree: Tree, place: Place) -> Iterator[Entry | Refused]:
    """All files below a folder, without folders that are an assignment's."""
    listing = tree.listing(place)
    if place and any(entry.place[-1] == _MANIFEST for entry in listing.files):
        return
    yield from (refused.within(place) if place else refused for refused in listing.refused)
    yield from listing.files
    for folder in listing.folders:
        yield from _around(tree, (*place, folder))
