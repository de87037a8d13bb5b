"""Where in a folder or a zip one student's files end and the next one's begin: names decide, not contents.

A download from Canvas, Moodle or Gradescope says whose each file is. Elsewhere a file at the top belongs to
one student, and so does a folder that holds one notebook, or one named like the assignment's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from grader.handed_in import download_names
from grader.handed_in.archives import Unusable
from grader.handed_in.download_names import DownloadName, GradescopeMetadata, ReadName
from grader.handed_in.graded_file import ARCHIVE, NOTEBOOK, SCRIPT, ExpectedNames, gradable, listed, stem_of
from grader.handed_in.trees import Entry, Listing, Place, Refused, Tree, below
from grader.model.owner_hints import OwnerHint

DOWNLOAD = "looks like a download of a whole class; grade it by itself"
NO_NOTEBOOK = "holds no notebook (.ipynb) and no script (.py)"
_SAME, _COPY, _HOLDS = 3, 2, 1
_FEW = 3


class Bundle(msgspec.Struct, frozen=True):
    """Files that one student, or one group, handed in together.

    ``place`` is the file or folder that they lie in. ``submitted_at`` is ISO 8601 in UTC, "" if unknown;
    ``late`` is None if unknown. ``holds_class`` marks a single zip with the work of a whole class.
    """

    place: Place
    files: tuple[Entry, ...]
    people: tuple[OwnerHint, ...]
    submitted_at: str = ""
    late: bool | None = None
    holds_class: bool = False


Part = Bundle | Refused


def bundles(tree: Tree, expected: ExpectedNames, *, class_zips: bool) -> Iterator[Part]:
    """The bundles of a tree, by name. With ``class_zips``, a zip that lies there alone holds a class."""
    listing = tree.listing(())
    yield from listing.refused
    if platform_of(listing):
        yield from _of_platform(tree, (), listing)
    else:
        yield from _plain_top(tree, listing, expected, class_zips=class_zips)


def platform_of(listing: Listing) -> str:
    """The platform whose download this is: "gradescope", "moodle", "canvas", or "" for none."""
    if any(entry.name == download_names.METADATA for entry in listing.files):
        return "gradescope"
    work = [entry.name for entry in listing.files if entry.suffix in (NOTEBOOK, SCRIPT, ARCHIVE)]
    if download_names.is_moodle([*listing.folders, *work]):
        return "moodle"
    return "canvas" if download_names.is_canvas(work) else ""


def looks_like_a_class(listing: Listing) -> bool:
    """Whether a folder that should be one student's is named like a download with several people's work.

    The student chose these names, so they must never assign anybody a file.
    """
    platform = platform_of(listing)
    if platform in ("", "gradescope"):
        return bool(platform)
    read = download_names.READERS[platform]
    names = [*listing.folders, *(entry.name for entry in listing.files)]
    return len({named.who.label for name in names if (named := read(name))}) > 1


def _files(tree: Tree, place: Place) -> tuple[list[Entry], list[Refused]]:
    """All files below a folder, and what was refused there."""
    files, refused = [], []
    for found in below(tree, place):
        if isinstance(found, Entry):
            files.append(found)
        else:
            refused.append(found)
    return files, refused


# -- downloads of platforms ---------------------------------------------------------------------------------


def _of_platform(tree: Tree, place: Place, listing: Listing) -> Iterator[Part]:
    platform = platform_of(listing)
    if platform == "gradescope":
        yield from _gradescope(tree, place, listing)
    else:
        yield from _by_person(tree, place, listing, download_names.READERS[platform])


def _by_person(tree: Tree, place: Place, listing: Listing, read: ReadName) -> Iterator[Part]:
    """The files and folders of one level, grouped by the person in their names."""
    people: dict[str, list[tuple[DownloadName, Entry | str]]] = defaultdict(list)
    entries: list[tuple[str, Entry | str]] = [(entry.name, entry) for entry in listing.files]
    for name, entry in sorted([*entries, *((folder, folder) for folder in listing.folders)], key=_first):
        named = read(name)
        if named is not None:
            people[named.who.label].append((named, entry))
        elif not isinstance(entry, Entry) or entry.suffix in (NOTEBOOK, SCRIPT, ARCHIVE):
            why = "its name is not like the others in this download; grade it by itself"
            yield Refused(name, why).within(place)
    for parts in people.values():
        yield from _one_person(tree, place, parts)


def _one_person(
    tree: Tree, place: Place, parts: Sequence[tuple[DownloadName, Entry | str]]
) -> Iterator[Part]:
    files = list[Entry]()
    for named, entry in parts:
        if isinstance(entry, Entry):
            files.append(msgspec.structs.replace(entry, called=named.file))
        else:
            inner, refused = _files(tree, (*place, entry))
            files += inner
            yield from refused
    first, entry = parts[0]
    top = entry.place if isinstance(entry, Entry) else (*place, entry)
    late = any(named.late for named, _ in parts) if first.late is not None else None
    yield _checked(Bundle(top, tuple(files), (first.who,), late=late))


def _gradescope(tree: Tree, place: Place, listing: Listing) -> Iterator[Part]:
    entry = next(entry for entry in listing.files if entry.name == download_names.METADATA)
    known = dict[str, GradescopeMetadata]()
    try:
        with tree.open(entry) as lines:
            known = download_names.read_metadata(lines)
    except (Unusable, OSError) as error:
        yield Refused("/".join(entry.place), f"{error}; it is not known who handed in what")
    for folder in listing.folders:
        metadata = known.get(folder, GradescopeMetadata())
        people = metadata.submitters or (OwnerHint(label=folder),)
        files, refused = _files(tree, (*place, folder))
        yield from refused
        yield _checked(Bundle((*place, folder), tuple(files), people, submitted_at=metadata.submitted_at))
    for entry in listing.files:
        if entry.name != download_names.METADATA and entry.suffix != ".csv":
            why = "is not the folder of a submission; hand in a notebook (.ipynb)"
            yield Refused("/".join(entry.place), why)


def _checked(bundle: Bundle) -> Part:
    if gradable(bundle.files):
        return bundle
    seen = f"; it holds {listed(bundle.files)}" if bundle.files else ": it is empty"
    return Refused("/".join(bundle.place), f"{NO_NOTEBOOK}{seen}", bundle.people[0])


def _first(pair: tuple[str, Entry | str]) -> str:
    return pair[0]


# -- plain folders ------------------------------------------------------------------------------------------


def _plain_top(tree: Tree, listing: Listing, expected: ExpectedNames, *, class_zips: bool) -> Iterator[Part]:
    """The top of a tree that no platform made: each file is one student's; folders are looked into."""
    work = [entry for entry in listing.files if entry.suffix in (NOTEBOOK, ARCHIVE)]
    # A script beside notebooks is what they import, so it is a submission only where there are none.
    helpers = bool(work or _has_notebooks(tree, listing))
    alone = [entry.suffix for entry in work] == [ARCHIVE] and not listing.folders
    entries = {entry.name: entry for entry in listing.files}
    for name in sorted([*entries, *listing.folders]):
        if name not in entries:
            yield from _plain_folder(tree, name, expected, is_alone=not work and len(listing.folders) == 1)
        elif entries[name].suffix in (NOTEBOOK, ARCHIVE) or (entries[name].suffix == SCRIPT and not helpers):
            own = _own(entries[name], expected)
            yield msgspec.structs.replace(own, holds_class=alone and class_zips)
        elif entries[name].suffix == SCRIPT:
            why = (
                "a script beside notebooks is taken for their helper; to grade it, move it to its own folder"
            )
            yield Refused(name, why)
        elif entries[name].suffix != ".csv":  # a roster
            yield Refused(name, "is no notebook; hand in a notebook (.ipynb) or a script (.py)")


def _has_notebooks(tree: Tree, listing: Listing) -> bool:
    """Whether there are scripts at the top, and notebooks in the folders beside them."""
    if not any(entry.suffix == SCRIPT for entry in listing.files):
        return False
    files = (found for folder in listing.folders for found in below(tree, (folder,)))
    return any(isinstance(found, Entry) and found.suffix in (NOTEBOOK, ARCHIVE) for found in files)


def _plain_folder(tree: Tree, name: str, expected: ExpectedNames, *, is_alone: bool) -> Iterator[Part]:
    listing = tree.listing((name,))
    # A download unpacked into its own folder: nothing but that folder was handed in, so no student named it.
    if is_alone and platform_of(listing):
        yield from (refused.within((name,)) for refused in listing.refused)
        yield from _of_platform(tree, (name,), listing)
        return
    if looks_like_a_class(listing):
        yield Refused(name, DOWNLOAD, OwnerHint(words=(name,), label=name))
        return
    files, refused = _files(tree, (name,))
    yield from refused
    if gradable(files):
        yield from _split(files, (name,), expected)
    elif not refused:
        seen = f"; it holds {listed(files)}" if files else ": it is empty"
        yield Refused(name, f"{NO_NOTEBOOK}{seen}", OwnerHint(words=(name,), label=name))


def _split(files: Sequence[Entry], place: Place, expected: ExpectedNames) -> Iterator[Part]:
    """The bundles of a folder, given all files below it: one student's, or several students'."""
    work = gradable(files)
    direct = {entry.place[-1]: entry for entry in work if len(entry.place) == len(place) + 1}
    deeper = defaultdict[str, list[Entry]](list)
    for entry in work:
        if len(entry.place) > len(place) + 1:
            deeper[entry.place[len(place)]].append(entry)
    if _is_one_person(list(direct.values()), list(deeper.values()), expected):
        yield Bundle(place, tuple(files), (_who(place, list(direct.values()), expected),))
        return
    for name in sorted([*direct, *deeper]):
        if name in direct:
            yield _own(direct[name], expected)
        if name in deeper:
            yield from _split(deeper[name], (*place, name), expected)


def _is_one_person(
    direct: Sequence[Entry], deeper: Sequence[Sequence[Entry]], expected: ExpectedNames
) -> bool:
    """Whether a folder is one student's, by the names of its files and of the files in its folders."""
    fits = [expected.fit(entry.name) for entry in direct]
    if max(fits, default=0) >= _COPY:
        others = sum(any(expected.fit(entry.name) >= _COPY for entry in files) for files in deeper)
        return others <= 1  # one is an older copy of one's own; two are a class with a template beside it
    if deeper:
        return False
    # Among a few files, the only one that holds the expected name is the student's. Among many it is one
    # student's of a class, whose others named their files differently.
    return len(direct) == 1 or (fits.count(_HOLDS) == 1 and len(direct) <= _FEW)


def _who(place: Place, direct: Sequence[Entry], expected: ExpectedNames) -> OwnerHint:
    """Whose a folder is. A folder named like the assignment says nothing about that."""
    named = place
    while len(named) > 1 and expected.fit(named[-1]) == _SAME:
        named = named[:-1]
    own = [word for entry in direct if expected.fit(entry.name) < _COPY for word in _words(entry, expected)]
    return OwnerHint(words=_different((*reversed(named), *own)), label="/".join(named))


def _own(entry: Entry, expected: ExpectedNames) -> Bundle:
    """A bundle of this one file."""
    folders = entry.place[:-1]
    words = _different((*_words(entry, expected), *reversed(folders)))
    label = "/".join((*folders, stem_of(entry.name)))
    return Bundle(entry.place, (entry,), (OwnerHint(words=words, label=label),))


def _words(entry: Entry, expected: ExpectedNames) -> Iterator[str]:
    """The parts of a file's name that may name its student."""
    stem = stem_of(entry.name)
    yield from (stem, expected.without(stem))
    named = download_names.canvas(entry.name) or download_names.moodle(entry.name)
    if named is not None:
        yield named.who.name


def _different(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
