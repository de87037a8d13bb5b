"""Where in a folder or a zip one student's work ends and the next one's begins: names decide, not contents.

A download of Canvas, Moodle or Gradescope says whose a file is. Elsewhere a file at the top is one student's,
and a folder is one student's where it holds one notebook, or one named like the assignment's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import msgspec

from grader.handed_in import download_names
from grader.handed_in.archives import Unusable
from grader.handed_in.choosing import ARCHIVE, NOTEBOOK, SCRIPT, Wanted, gradable, listed, stem_of
from grader.handed_in.trees import Entry, Listing, Place, Tree, below
from grader.model.hints import Hint

DOWNLOAD = "looks like a download of a whole class; grade it by itself"
NO_NOTEBOOK = "holds no notebook (.ipynb) and no script (.py)"
_SAME, _COPY, _HOLDS = 3, 2, 1
_FEW = 3


class Submission(msgspec.Struct, frozen=True):
    """Files that one person, or one group, handed in together.

    ``holds_class`` says whether they are one zip with a whole class's work.
    """

    place: Place
    files: tuple[Entry, ...]
    people: tuple[Hint, ...]
    at: str = ""
    late: bool | None = None
    holds_class: bool = False


class Problem(msgspec.Struct, frozen=True):
    """A place that nothing can be graded from: why, in one line, and whose it may be."""

    place: Place
    why: str
    who: Hint = Hint()


Part = Submission | Problem


def submissions(tree: Tree, wanted: Wanted, *, class_zips: bool) -> Iterator[Part]:
    """What a start holds, by name. With ``class_zips`` a zip that is there alone is a whole class's."""
    listing = tree.listing(())
    yield from _problems((), listing)
    if platform_of(listing):
        yield from _of_platform(tree, (), listing)
    else:
        yield from _plain_top(tree, listing, wanted, class_zips=class_zips)


def platform_of(listing: Listing) -> str:
    """The platform whose download this is: "gradescope", "moodle", "canvas", or empty."""
    if any(entry.name == download_names.METADATA for entry in listing.files):
        return "gradescope"
    work = [entry.name for entry in listing.files if entry.suffix in (NOTEBOOK, SCRIPT, ARCHIVE)]
    if download_names.is_moodle([*listing.folders, *work]):
        return "moodle"
    return "canvas" if download_names.is_canvas(work) else ""


def looks_like_a_class(listing: Listing) -> bool:
    """Whether what should be one student's has the names of a download with several people's work.

    Students name the files in it, so that nothing may be given to anybody by these names.
    """
    platform = platform_of(listing)
    if platform in ("", "gradescope"):
        return bool(platform)
    read = download_names.moodle if platform == "moodle" else download_names.canvas
    names = [*listing.folders, *(entry.name for entry in listing.files)]
    return len({named.who.label for name in names if (named := read(name))}) > 1


def _problems(place: Place, listing: Listing) -> Iterator[Problem]:
    return (Problem((*place, name) if name else place, why) for name, why in listing.refused)


def _files(tree: Tree, place: Place) -> tuple[list[Entry], list[Problem]]:
    """All files below a folder, and what of it cannot be taken."""
    files, problems = [], []
    for found in below(tree, place):
        if isinstance(found, Entry):
            files.append(found)
        else:
            problems.append(Problem(*found))
    return files, problems


# -- downloads of platforms ---------------------------------------------------------------------------------


def _of_platform(tree: Tree, place: Place, listing: Listing) -> Iterator[Part]:
    platform = platform_of(listing)
    if platform == "gradescope":
        yield from _gradescope(tree, place, listing)
    else:
        yield from _by_person(
            tree, place, listing, download_names.moodle if platform == "moodle" else download_names.canvas
        )


def _by_person(
    tree: Tree, place: Place, listing: Listing, read: Callable[[str], download_names.Named | None]
) -> Iterator[Part]:
    """Files and folders of one level, put together by the person in their names."""
    people: dict[str, list[tuple[download_names.Named, Entry | str]]] = defaultdict(list)
    entries: list[tuple[str, Entry | str]] = [(entry.name, entry) for entry in listing.files]
    for name, entry in sorted([*entries, *((folder, folder) for folder in listing.folders)], key=_first):
        named = read(name)
        if named is not None:
            people[named.who.label].append((named, entry))
        elif not isinstance(entry, Entry) or entry.suffix in (NOTEBOOK, SCRIPT, ARCHIVE):
            yield Problem(
                (*place, name), "its name is not like the others in this download; grade it by itself"
            )
    for parts in people.values():
        yield from _one_person(tree, place, parts)


def _one_person(
    tree: Tree, place: Place, parts: Sequence[tuple[download_names.Named, Entry | str]]
) -> Iterator[Part]:
    files = list[Entry]()
    for named, entry in parts:
        if isinstance(entry, Entry):
            files.append(msgspec.structs.replace(entry, called=named.file))
        else:
            inner, problems = _files(tree, (*place, entry))
            files += inner
            yield from problems
    first, entry = parts[0]
    top = entry.place if isinstance(entry, Entry) else (*place, entry)
    late = any(named.late for named, _ in parts) if first.late is not None else None
    yield _checked(Submission(top, tuple(files), (first.who,), late=late))


def _gradescope(tree: Tree, place: Place, listing: Listing) -> Iterator[Part]:
    entry = next(entry for entry in listing.files if entry.name == download_names.METADATA)
    known = dict[str, download_names.HandedInBy]()
    try:
        with tree.open(entry) as lines:
            known = download_names.read_metadata(lines)
    except (Unusable, OSError) as error:
        yield Problem(entry.place, f"{error}; it is not known who handed in what")
    for folder in listing.folders:
        by = known.get(folder, download_names.HandedInBy())
        people = by.people or (Hint(label=folder),)
        files, problems = _files(tree, (*place, folder))
        yield from problems
        yield _checked(Submission((*place, folder), tuple(files), people, at=by.at))
    for entry in listing.files:
        if entry.name != download_names.METADATA and entry.suffix != ".csv":
            yield Problem(entry.place, "is no folder of a submission; hand in a notebook (.ipynb)")


def _checked(found: Submission) -> Part:
    if gradable(found.files):
        return found
    seen = f"; it holds {listed(found.files)}" if found.files else ": it is empty"
    return Problem(found.place, f"{NO_NOTEBOOK}{seen}", found.people[0])


def _first(pair: tuple[str, Entry | str]) -> str:
    return pair[0]


# -- plain folders ------------------------------------------------------------------------------------------


def _plain_top(tree: Tree, listing: Listing, wanted: Wanted, *, class_zips: bool) -> Iterator[Part]:
    """A start that no platform made: each file is one student's, each folder is looked into."""
    work = [entry for entry in listing.files if entry.suffix in (NOTEBOOK, ARCHIVE)]
    helpers = bool(work or _has_notebooks(tree, listing))
    alone = [entry.suffix for entry in work] == [ARCHIVE] and not listing.folders
    entries = {entry.name: entry for entry in listing.files}
    for name in sorted([*entries, *listing.folders]):
        if name not in entries:
            yield from _plain_folder(tree, name, wanted, is_alone=not work and len(listing.folders) == 1)
        elif entries[name].suffix in (NOTEBOOK, ARCHIVE) or (entries[name].suffix == SCRIPT and not helpers):
            own = _own(entries[name], wanted)
            yield msgspec.structs.replace(own, holds_class=alone and class_zips)
        elif entries[name].suffix == SCRIPT:
            why = (
                "a script beside notebooks is taken for their helper; to grade it, move it to its own folder"
            )
            yield Problem((name,), why)
        elif entries[name].suffix != ".csv":  # a roster
            yield Problem((name,), "is no notebook; hand in a notebook (.ipynb) or a script (.py)")


def _has_notebooks(tree: Tree, listing: Listing) -> bool:
    """Whether the first folders hold notebooks: then scripts at the top are nobody's submission."""
    if not any(entry.suffix == SCRIPT for entry in listing.files):
        return False
    files = (found for folder in listing.folders for found in below(tree, (folder,)))
    return any(isinstance(found, Entry) and found.suffix in (NOTEBOOK, ARCHIVE) for found in files)


def _plain_folder(tree: Tree, name: str, wanted: Wanted, *, is_alone: bool) -> Iterator[Part]:
    listing = tree.listing((name,))
    if is_alone and platform_of(listing):
        yield from _problems((name,), listing)
        yield from _of_platform(tree, (name,), listing)
        return
    if looks_like_a_class(listing):
        yield Problem((name,), DOWNLOAD, Hint(words=(name,), label=name))
        return
    files, problems = _files(tree, (name,))
    yield from problems
    if gradable(files):
        yield from _split(files, (name,), wanted)
    elif not problems:
        seen = f"; it holds {listed(files)}" if files else ": it is empty"
        yield Problem((name,), f"{NO_NOTEBOOK}{seen}", Hint(words=(name,), label=name))


def _split(files: Sequence[Entry], place: Place, wanted: Wanted) -> Iterator[Part]:
    """The submissions below a folder, of which all files are given: one person's, or several people's."""
    work = gradable(files)
    direct = {entry.place[-1]: entry for entry in work if len(entry.place) == len(place) + 1}
    deeper = defaultdict[str, list[Entry]](list)
    for entry in work:
        if len(entry.place) > len(place) + 1:
            deeper[entry.place[len(place)]].append(entry)
    if _is_one_person(list(direct.values()), list(deeper.values()), wanted):
        yield Submission(place, tuple(files), (_who(place, list(direct.values()), wanted),))
        return
    for name in sorted([*direct, *deeper]):
        if name in direct:
            yield _own(direct[name], wanted)
        if name in deeper:
            yield from _split(deeper[name], (*place, name), wanted)


def _is_one_person(direct: Sequence[Entry], deeper: Sequence[Sequence[Entry]], wanted: Wanted) -> bool:
    """Whether a folder is one student's, by the names of what lies in it and of what lies in its folders."""
    fits = [wanted.fit(entry.name) for entry in direct]
    if max(fits, default=0) >= _COPY:
        others = sum(any(wanted.fit(entry.name) >= _COPY for entry in files) for files in deeper)
        return others <= 1  # an older copy of one's own; two are a class with a template beside it
    if deeper:
        return False
    return len(direct) == 1 or (fits.count(_HOLDS) == 1 and len(direct) <= _FEW)


def _who(place: Place, direct: Sequence[Entry], wanted: Wanted) -> Hint:
    """Whose a folder is; a folder named like the assignment says nothing about that."""
    named = place
    while len(named) > 1 and wanted.fit(named[-1]) == _SAME:
        named = named[:-1]
    own = [word for entry in direct if wanted.fit(entry.name) < _COPY for word in _words(entry, wanted)]
    return Hint(words=_different((*reversed(named), *own)), label="/".join(named))


def _own(entry: Entry, wanted: Wanted) -> Submission:
    """A file that is a submission by itself."""
    folders = entry.place[:-1]
    words = _different((*_words(entry, wanted), *reversed(folders)))
    label = "/".join((*folders, stem_of(entry.name)))
    return Submission(entry.place, (entry,), (Hint(words=words, label=label),))


def _words(entry: Entry, wanted: Wanted) -> Iterator[str]:
    """What of a file's name may be somebody's."""
    stem = stem_of(entry.name)
    yield from (stem, wanted.without(stem))
    named = download_names.canvas(entry.name) or download_names.moodle(entry.name)
    if named is not None:
        yield named.who.name


def _different(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
