"""Where in a folder or a zip one student's files end and the next one's begin: names decide, hardly contents.

A download from a learning platform says whose each file is. Elsewhere a file at the top belongs to one
student, and so does a folder that holds one notebook, or one named like the assignment's, or scripts of which
one defines what the assignment asks for, or is named like the assignment's where that says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from grader.handed_in import download_names
from grader.handed_in.contents import MAX_FILES, Answers, Looker
from grader.handed_in.downloads import (
    ADVICE,
    DOWNLOAD,
    FEEDBACK,
    Bundle,
    Part,
    files_below,
    looks_like_a_class,
    nothing_in,
    of_platform,
    platform_of,
)
from grader.handed_in.graded_file import (
    ARCHIVES,
    COPY,
    HOLDS,
    MARKDOWN,
    NOTEBOOK,
    SAME,
    SCRIPT,
    Expected,
    gradable,
    stem_of,
)
from grader.handed_in.trees import Entry, Listing, Place, Refused, Tree, below
from grader.model.owner_hints import OwnerHint

_FEW = 3
_WORKPLACES = frozenset(
    {
        "assignment",
        "code",
        "homework",
        "hw",
        "notebook",
        "notebooks",
        "python",
        "solution",
        "src",
        "submission",
    }
)
"""Names of folders that students give to the place of their code; no person is called so."""


def bundles(tree: Tree, expected: Expected, looker: Looker, *, class_zips: bool) -> Iterator[Part]:
    """The bundles of a tree, by name. With ``class_zips``, a zip that lies there alone holds a class."""
    listing = tree.listing(())
    yield from listing.refused
    if platform_of(listing):
        yield from of_platform(tree, (), listing, expected)
    else:
        yield from _Plain(tree, expected, looker).top(listing, class_zips=class_zips)


class _Plain:
    """A tree that no platform made."""

    def __init__(self, tree: Tree, expected: Expected, looker: Looker) -> None:
        self._tree, self._expected, self._looker = tree, expected, looker

    def top(self, listing: Listing, *, class_zips: bool) -> Iterator[Part]:
        """The top: each file is one student's; folders are looked into."""
        ends = (NOTEBOOK, *ARCHIVES)
        work = [entry for entry in listing.files if entry.suffix in ends and not entry.is_feedback]
        # A script beside notebooks is what they import, so it is a submission only where there are none.
        helpers = bool(work or _has_notebooks(self._tree, listing))
        alone = len(work) == 1 and work[0].suffix in ARCHIVES and not listing.folders
        entries = {entry.name: entry for entry in listing.files}
        for name in sorted([*entries, *listing.folders]):
            if name not in entries:
                yield from self._folder(name, is_alone=not work and len(listing.folders) == 1)
            elif not self._expected.is_given(name):
                yield from self._file(entries[name], helpers=helpers, holds_class=alone and class_zips)

    def _file(self, entry: Entry, *, helpers: bool, holds_class: bool) -> Iterator[Part]:
        if entry.is_feedback:
            yield Refused(entry.name, FEEDBACK, is_ours=True)
            return
        named = entry.suffix == MARKDOWN and self._expected.fit(entry.name) >= HOLDS
        if entry.suffix in (NOTEBOOK, *ARCHIVES) or named or (entry.suffix == SCRIPT and not helpers):
            yield msgspec.structs.replace(_own(entry, self._expected), holds_class=holds_class)
        elif entry.suffix == SCRIPT:
            why = (
                "a script beside notebooks is taken for their helper; to grade it, move it to its own folder"
            )
            yield Refused(entry.name, why)
        elif entry.suffix != ".csv":  # a roster
            advice = ADVICE.get(entry.suffix, "hand in a notebook (.ipynb) or a script (.py)")
            yield Refused(entry.name, f"is no notebook; {advice}")

    def _folder(self, name: str, *, is_alone: bool) -> Iterator[Part]:
        listing = self._tree.listing((name,))
        # A download unpacked into its own folder: nothing else was handed in, so no student named it.
        if is_alone and platform_of(listing):
            yield from (refused.within((name,)) for refused in listing.refused)
            yield from of_platform(self._tree, (name,), listing, self._expected)
            return
        if looks_like_a_class(listing):
            yield Refused(name, DOWNLOAD, OwnerHint(words=(name,), label=name))
            return
        files, refused = files_below(self._tree, (name,))
        yield from refused
        if gradable(files, self._expected):
            yield from split(files, (name,), self._expected, self._looker)
        elif not refused:
            why = nothing_in(files, self._expected)
            yield Refused(name, why, OwnerHint(words=(name,), label=name), is_ours=why == FEEDBACK)


def _has_notebooks(tree: Tree, listing: Listing) -> bool:
    """Whether there are scripts at the top, and notebooks in the folders beside them."""
    if not any(entry.suffix == SCRIPT for entry in listing.files):
        return False
    files = (found for folder in listing.folders for found in below(tree, (folder,)))
    return any(isinstance(found, Entry) and found.suffix in (NOTEBOOK, *ARCHIVES) for found in files)


def split(files: Sequence[Entry], place: Place, expected: Expected, looker: Looker) -> Iterator[Bundle]:
    """The bundles of a folder, given all files below it: one student's, or several students'."""
    work = _anchors(files, expected)
    direct = {entry.place[-1]: entry for entry in work if len(entry.place) == len(place) + 1}
    deeper = defaultdict[str, list[Entry]](list)
    for entry in files:
        if len(entry.place) > len(place) + 1:
            deeper[entry.place[len(place)]].append(entry)
    inner = {name: own for name, below_it in deeper.items() if (own := _anchors(below_it, expected))}
    if not _has_notebook(files, expected):
        one = _is_one_answer(work, direct, inner, expected, looker)
    else:
        inner = {name: own for name, own in inner.items() if _has_notebook(own, expected)}
        one = _is_one_person(list(direct.values()), list(inner.values()), expected)
        one = one or (not inner and len(direct) <= _FEW and len(rivals(work, expected, looker)) == 1)
    if one:
        yield Bundle(place, tuple(files), (_who(place, list(direct.values()), expected),))
        return
    if not direct and len(inner) == 1:
        (name,) = inner
        if name.casefold() in _WORKPLACES or expected.fit(name) >= HOLDS:
            # "ada/code/hw3.ipynb" beside "ada/data": the outer folder is the student's.
            found = list(split(deeper[name], (*place, name), expected, looker))
            yield from [msgspec.structs.replace(found[0], files=tuple(files))] if len(found) == 1 else found
            return
    for name in sorted([*direct, *inner]):
        if name in direct:
            yield _own(direct[name], expected)
        if name in inner:
            yield from split(deeper[name], (*place, name), expected, looker)


def _anchors(files: Sequence[Entry], expected: Expected) -> list[Entry]:
    """The files that say whose a folder is: notebooks and archives; scripts where there are none."""
    own = gradable(files, expected)
    return [entry for entry in own if entry.suffix in (NOTEBOOK, *ARCHIVES)] or own


def _has_notebook(files: Sequence[Entry], expected: Expected) -> bool:
    return any(entry.suffix in (NOTEBOOK, *ARCHIVES) for entry in _anchors(files, expected))


def _is_one_answer(
    work: Sequence[Entry],
    direct: Mapping[str, Entry],
    inner: Mapping[str, Sequence[Entry]],
    expected: Expected,
    looker: Looker,
) -> bool:
    """Whether a folder of scripts is one student's: one of them is the answer, the others help it.

    By what they define; by their names where nothing is asked for or none defines any of it.
    """
    if len(inner) == 1 and not direct:
        return False  # the inner folder says more
    parts = {expected.part(name) for name in direct} - {""}
    if len(work) == 1 or len(parts) > 1:
        return True
    able = rivals(work, expected, looker) if looker.asked else []
    if able:
        return len(able) == 1
    return _is_one_person(list(direct.values()), list(inner.values()), expected)


def rivals(
    work: Sequence[Entry], expected: Expected, looker: Looker, *, of: Entry | None = None
) -> list[Entry]:
    """The files that may be answers of several people: each defines most of what the best or ``of`` does.

    A file that uses the best one or is used by it, is named like a draft of it, or like another one of the
    manifest's notebooks, is no rival of it.
    """
    if len(work) > MAX_FILES:
        return list(work)
    answers = Answers(work, looker)
    able = [entry for entry in work if answers.own(entry) or answers.whole(entry)]
    if not able:
        return []
    best = of or max(able, key=lambda entry: (len(answers.whole(entry)), len(answers.own(entry))))
    names, used = answers.whole(best), answers.reached(best)
    stem, part = stem_of(best.name).casefold(), expected.part(best.name)

    def is_rival(entry: Entry) -> bool:
        own = stem_of(entry.name).casefold()
        drafts = entry.place[:-1] == best.place[:-1] and (own.startswith(stem) or stem.startswith(own))
        linked = entry.place in used or best.place in answers.reached(entry)
        if part and expected.part(entry.name) not in ("", part):
            return False
        return not drafts and not linked and 2 * len(answers.whole(entry) & names) > len(names)

    return [best, *(entry for entry in able if entry is not best and is_rival(entry))]


def _is_one_person(direct: Sequence[Entry], deeper: Sequence[Sequence[Entry]], expected: Expected) -> bool:
    """Whether a folder is one student's, by the names of its files and of the files in its folders."""
    fits = [expected.fit(entry.name) for entry in direct]
    if max(fits, default=0) >= COPY:
        others = sum(any(expected.fit(entry.name) >= COPY for entry in files) for files in deeper)
        return others <= 1  # one is an older copy of one's own; two are a class with a template beside it
    if deeper:
        return False
    # Among a few files, the only one that holds the expected name is the student's. Among many it is one
    # student's of a class, whose others named their files differently.
    return len(direct) == 1 or (fits.count(HOLDS) == 1 and len(direct) <= _FEW)


def _who(place: Place, direct: Sequence[Entry], expected: Expected) -> OwnerHint:
    """Whose a folder is. A folder named like the assignment says nothing about that."""
    named = place
    while len(named) > 1 and expected.fit(named[-1]) == SAME:
        named = named[:-1]
    named_by = [entry for entry in direct if entry.suffix in (NOTEBOOK, *ARCHIVES) or len(direct) == 1]
    own = [word for entry in named_by if expected.fit(entry.name) < COPY for word in _words(entry, expected)]
    return OwnerHint(words=_different((*reversed(named), *own)), label="/".join(named))


def _own(entry: Entry, expected: Expected) -> Bundle:
    """A bundle of this one file."""
    folders = entry.place[:-1]
    words = _different((*_words(entry, expected), *reversed(folders)))
    label = "/".join((*folders, stem_of(entry.name)))
    return Bundle(entry.place, (entry,), (OwnerHint(words=words, label=label),))


def _words(entry: Entry, expected: Expected) -> Iterator[str]:
    """The parts of a file's name that may name its student."""
    stem = stem_of(entry.name)
    yield from (stem, expected.without(stem))
    named = download_names.canvas(entry.name) or download_names.moodle(entry.name)
    if named is not None:
        yield named.who.name


def _different(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
