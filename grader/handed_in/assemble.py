"""One student's files made into a package: which come along, where they lie, what somebody should know.

Places are from the lowest folder that holds everything, as the student laid it; a package whose files all lie
in or below the graded file's folder begins there. Other files are bounded in number and size.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from grader.digests import digest_of_file
from grader.handed_in.archives import Unusable
from grader.handed_in.content_store import ContentStore, copy
from grader.handed_in.graded_file import MARKDOWN, NOTEBOOK, SCRIPT, Choice, Expected
from grader.handed_in.package import FileRef, Package
from grader.handed_in.trees import Entry, Place, Tree
from grader.handed_in.unpacked import with_modules
from grader.model.text import counted, printable
from grader.notebooks.submission_file import MAX_BYTES

MAX_FILES = 200
MAX_BESIDE = 20_000_000
"""Bytes of all files beside the graded ones."""
MAX_PLACE = 500
"""Characters of a file's place."""

_LIBRARIES = sys.stdlib_module_names | {"grader", "matplotlib", "numpy", "pandas", "scipy", "torch"}
_GIVEN_OUT = ("README.md", "conftest.py", "public_tests/*")
"""What `grade template` lays beside the students' files."""
_SHOWN = 3


class Laid(msgspec.Struct, frozen=True):
    """A file and its place in the package."""

    entry: Entry
    place: str


def assemble(
    tree: Tree, choice: Choice, files: Sequence[Entry], expected: Expected, store: ContentStore
) -> Package:
    """The package of one student's files. Raises Unusable and OSError if a graded file cannot be read."""
    with with_modules(tree, files, store) as (whole, every):
        return _assembled(whole, choice, every, expected, store)


def _assembled(
    tree: Tree, choice: Choice, files: Sequence[Entry], expected: Expected, store: ContentStore
) -> Package:
    notices = [*choice.notices]
    every = lay_out(files, choice.graded, notices)
    graded = [next(laid for laid in every if laid.entry is entry) for entry in choice.graded]
    for one in graded:
        if one.entry.size > MAX_BYTES:
            raise Unusable(too_large(one.entry))
    folder = _folder_of(graded[0].place)
    others = [laid for laid in every if laid not in graded]
    others = _in_their_places(others, expected, folder, notices)
    others = list(_without_given(tree, others, expected, folder, notices))
    beside = list(_wanted(others, expected, folder, notices))
    refs = [_ref(tree, laid, store) for laid in graded]
    for laid in beside:
        try:
            refs.append(_ref(tree, laid, store))
        except (Unusable, OSError) as error:
            why = str(error) if isinstance(error, Unusable) else f"cannot be read: {error.strerror}"
            notices.append(f"{printable(laid.place)} was left out: {why}")
    notices += _warnings([ref.place for ref in refs], folder)
    places = tuple(laid.place for laid in graded)
    return Package(places, tuple(sorted(refs, key=_place)), tuple(notices))


def lay_out(files: Sequence[Entry], graded: Sequence[Entry], notices: list[str]) -> list[Laid]:
    """Each file with its place; one line for each that has none because another one lies there."""
    top = _shared([entry.laid[:-1] for entry in graded])
    if any(entry.laid[: len(top)] != top for entry in files):
        top = _shared([entry.laid[:-1] for entry in files])
    laid: dict[str, Laid] = {}
    # Of two files at one place, as a platform without folders may tell of them, the graded one stays.
    for entry in [*graded, *(entry for entry in files if entry not in graded)]:
        place = "/".join(entry.laid[len(top) :])
        if entry in graded:
            place = "/".join(_plain(part) for part in entry.laid[len(top) :])
        if laid.setdefault(place, Laid(entry, place)).entry is not entry:
            notices.append(
                f"{printable(entry.place[-1])} was left out: another file is called {printable(place)}"
            )
    return list(laid.values())


def _in_their_places(
    others: Sequence[Laid], expected: Expected, folder: str, notices: list[str]
) -> list[Laid]:
    """The files, with the assignment's modules in their folders: a platform without folders loses these."""
    places = defaultdict[str, list[str]](list)
    for place in expected.modules:
        places[place.rpartition("/")[2]].append(folder + place)
    taken = {laid.place for laid in others}
    found = []
    for laid in others:
        several = places.get(laid.entry.name, [])
        place = several[0] if len(several) == 1 else laid.place
        if laid.place == folder + laid.entry.name and place not in taken:
            notices.append(f"{printable(laid.place)} is graded as {place}, where the assignment has it")
            laid = Laid(laid.entry, place)  # noqa: PLW2901  # the same file, elsewhere
        found.append(laid)
    return found


def too_large(entry: Entry) -> str:
    """Why a file of this size is refused."""
    return f"holds {entry.size:,} bytes; at most {MAX_BYTES:,} can be graded: clear its outputs"


def _shared(folders: Sequence[Place]) -> Place:
    """The lowest folder that all of these lie in, or are."""
    first, last = min(folders), max(folders)
    depth = 0
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    return first[:depth]


def _wanted(others: Sequence[Laid], expected: Expected, folder: str, notices: list[str]) -> Iterator[Laid]:
    """The files that come along, code first, then what lies near the top, as far as the bounds go."""
    count, size = MAX_FILES - 1, MAX_BESIDE
    refused: dict[str, list[str]] = defaultdict(list)
    for laid in sorted(others, key=_by_use):
        if why := _odd(laid.place):
            refused[why].append(laid.place)
        elif not _is_allowed(laid.place, expected.files, folder):
            # A student hands in the folder that was given out: nothing is wrong with that.
            if not _is_allowed(laid.place, _GIVEN_OUT, folder):
                refused["the assignment takes no such file"].append(laid.place)
        elif not count or laid.entry.size > size:
            refused[f"at most {MAX_FILES} files with {MAX_BESIDE:,} bytes come along"].append(laid.place)
        else:
            count, size = count - 1, size - laid.entry.size
            yield laid
    notices += _left_out(refused)


def _left_out(refused: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """One line for each reason with the places of the files that it keeps out."""
    for why, places in refused.items():
        shown = ", ".join(printable(place) for place in places[:_SHOWN])
        more = (
            f" and {counted(len(places) - _SHOWN, 'other file', 'other files')}"
            if len(places) > _SHOWN
            else ""
        )
        yield f"{shown}{more} {'was' if len(places) == 1 else 'were'} left out: {why}"


def _by_use(laid: Laid) -> tuple[bool, int, str]:
    is_code = laid.entry.suffix in (SCRIPT, NOTEBOOK, MARKDOWN)
    return not is_code, laid.place.count("/"), laid.place


def _odd(place: str) -> str:
    """Why a file cannot lie at a place; "" if it can."""
    if not place.isprintable() or "\\" in place:
        return "a name with control characters or backslashes"
    return f"a name of more than {MAX_PLACE} characters" if len(place) > MAX_PLACE else ""


def _plain(part: str) -> str:
    """A graded file's name fit to lie anywhere: it is graded, whatever it is called."""
    return printable(part, limit=MAX_PLACE // 2).replace("\\", "?")


def _is_allowed(place: str, patterns: Sequence[str], folder: str) -> bool:
    inner = place.removeprefix(folder)
    return any(fnmatchcase(place, pattern) or fnmatchcase(inner, pattern) for pattern in patterns)


def _ref(tree: Tree, laid: Laid, store: ContentStore) -> FileRef:
    path = tree.on_disk(laid.entry)
    with tree.open(laid.entry) as stream:
        if path is None:
            path, digest, size = store.store(
                stream, suffix=laid.entry.suffix if laid.entry.suffix in _PLAIN else ""
            )
        else:
            digest, size = copy(stream, None)
    download = laid.entry.place[-1] if laid.entry.called else ""
    return FileRef(laid.place, str(path.absolute()), digest, size, download)


_PLAIN = frozenset({NOTEBOOK, SCRIPT, MARKDOWN})


def _without_given(
    tree: Tree, others: Sequence[Laid], expected: Expected, folder: str, notices: list[str]
) -> Iterator[Laid]:
    """The files without copies of what the course gives, where the course's own would lie.

    What a student adds to a folder that the course gives comes along.
    """
    added: dict[str, list[str]] = defaultdict(list)
    for laid in others:
        name, _, rest = laid.place.removeprefix(folder).partition("/")
        given = expected.given.get(name)
        course = given / rest if given is not None and rest else given
        if course is None or (given is not None and given.is_dir() and not os.path.lexists(course)):
            yield laid
        elif not course.is_file():
            added[f"the course gives {name}, which is used instead"].append(laid.place)
        elif not _is_copy(tree, laid.entry, course):
            notices.append(f"{printable(laid.place)} differs from the course's own, which is used instead")
    notices += _left_out(added)


def _is_copy(tree: Tree, entry: Entry, course: Path) -> bool:
    if entry.size != course.stat().st_size or entry.size > MAX_BYTES:
        return False
    try:
        with tree.open(entry) as stream:
            return copy(stream, None)[0] == digest_of_file(course)
    except (Unusable, OSError):
        return False


def _warnings(places: Sequence[str], folder: str) -> Iterator[str]:
    """Lines about names that mean something else elsewhere."""
    alike = defaultdict[str, list[str]](list)
    for place in places:
        alike[place.casefold()].append(place)
    for same in alike.values():
        if len(same) > 1:
            yield f"{' and '.join(map(printable, sorted(same)[:_SHOWN]))} differ in capital letters only"
    tops = {place.removeprefix(folder).partition("/") for place in places}
    modules = {
        (top if slash else top.removesuffix(".py"), slash)
        for top, slash, _ in tops
        if slash or top.endswith(".py")
    }
    for module, slash in sorted(modules):
        if module in _LIBRARIES:
            yield f"{module}{slash or '.py'} has the name of a module that Python or the grader brings along"


def _folder_of(place: str) -> str:
    """The folder of a place with its slash at the end, "" for the top."""
    return place[: place.rfind("/") + 1]


def _place(ref: FileRef) -> str:
    return ref.place
