"""Where one student's files are in the download of a learning platform, which says whose each file is."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from grader.handed_in import download_names
from grader.handed_in.archives import Unusable
from grader.handed_in.download_names import DownloadName, GradescopeMetadata, ReadName
from grader.handed_in.graded_file import WORK, Expected, gradable, listed
from grader.handed_in.trees import Entry, Listing, Place, Refused, Tree, below
from grader.model.owner_hints import OwnerHint

DOWNLOAD = "looks like a download of a whole class; grade it by itself"
FEEDBACK = "is feedback that `grade feedback` wrote, which is nobody's work: hand in the notebook itself"
_BESIDE_FEEDBACK = frozenset({"feedback.html", "feedback.pdf"})
NO_NOTEBOOK = "holds no notebook (.ipynb) and no script (.py)"


class Bundle(msgspec.Struct, frozen=True):
    """Files that one student, or one group, handed in together.

    ``place`` is the file or folder that they lie in. ``submitted_at`` is ISO 8601, without a zone if
    none is named, "" if unknown; ``late`` is None if unknown. ``holds_class`` marks a single zip with
    the work of a whole class.
    """

    place: Place
    files: tuple[Entry, ...]
    people: tuple[OwnerHint, ...]
    submitted_at: str = ""
    late: bool | None = None
    holds_class: bool = False


Part = Bundle | Refused


def platform_of(listing: Listing) -> str:
    """The platform whose download this is, a key of `download_names.READERS` or "gradescope"; "" for none."""
    if any(entry.name == download_names.METADATA for entry in listing.files):
        return "gradescope"
    work = [entry.name for entry in listing.files if entry.suffix in WORK]
    both = [*listing.folders, *work]
    if download_names.is_moodle(both):
        return "moodle"
    if download_names.is_brightspace(both):
        return "brightspace"
    if download_names.is_blackboard(work):
        return "blackboard"
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


def files_below(tree: Tree, place: Place) -> tuple[list[Entry], list[Refused]]:
    """All files below a folder, and what was refused there."""
    files, refused = [], []
    for found in below(tree, place):
        if isinstance(found, Entry):
            files.append(found)
        else:
            refused.append(found)
    return files, refused


def of_platform(tree: Tree, place: Place, listing: Listing, expected: Expected) -> Iterator[Part]:
    """The bundles of the folder of a download."""
    platform = platform_of(listing)
    if platform == "gradescope":
        yield from _gradescope(tree, place, listing, expected)
    else:
        yield from _by_person(tree, place, listing, download_names.READERS[platform], expected)


def _by_person(
    tree: Tree, place: Place, listing: Listing, read: ReadName, expected: Expected
) -> Iterator[Part]:
    """The files and folders of one level, grouped by the person and the time in their names."""
    if read is download_names.blackboard:
        read = _with_receipts(tree, listing)
    people: dict[tuple[str, str], list[tuple[DownloadName, Entry | str]]] = defaultdict(list)
    entries: list[tuple[str, Entry | str]] = [(entry.name, entry) for entry in listing.files]
    for name, entry in sorted([*entries, *((folder, folder) for folder in listing.folders)], key=_first):
        named = read(name)
        if named is not None and named.doubt:
            yield Refused(name, f"{named.doubt}, so it is nobody's; grade it by itself").within(place)
        elif named is not None:
            people[named.who.label, named.submitted_at].append((named, entry))
        elif not isinstance(entry, Entry) or entry.suffix in WORK:
            why = "its name is not like the others in this download; grade it by itself"
            yield Refused(name, why).within(place)
    for parts in people.values():
        own = [(named, entry) for named, entry in parts if not (named.is_nobodys or named.is_receipt)]
        receipts = [entry for named, entry in parts if named.is_receipt and isinstance(entry, Entry)]
        if own:
            yield from _one_person(tree, place, own, expected)
        elif receipts:
            where = "/".join(receipts[0].place)
            yield Refused(where, f"{NO_NOTEBOOK}: it came without a file", parts[0][0].who)


def _with_receipts(tree: Tree, listing: Listing) -> ReadName:
    """The reader of Blackboard's names that knows whose they are from the other names and the receipts."""
    read = download_names.blackboard
    receipts = dict[str, str]()
    labels = set[str]()
    for entry in listing.files:
        named = read(entry.name)
        if named is None:
            continue
        labels.add(named.who.label)
        if named.is_receipt:
            with contextlib.suppress(Unusable, OSError), tree.open(entry) as lines:
                first = lines.readline(download_names.MAX_RECEIPT)
                receipts.setdefault(named.who.label, first.decode("utf-8-sig", "replace").strip())
    people = download_names.blackboard_people(labels, receipts)

    def read_known(name: str) -> DownloadName | None:
        named = read(name)
        known = people.get(named.who.label) if named is not None else None
        return named if named is None or known is None else msgspec.structs.replace(named, who=known)

    return read_known


def _one_person(
    tree: Tree, place: Place, parts: Sequence[tuple[DownloadName, Entry | str]], expected: Expected
) -> Iterator[Part]:
    files = list[Entry]()
    # "part-1.py" and "part-2.py" are two files, not two uploads of one.
    counts = Counter(named.file for named, _ in parts)
    for named, entry in parts:
        if isinstance(entry, Entry):
            called = named.numbered if named.numbered and counts[named.file] > 1 else named.file
            files.append(msgspec.structs.replace(entry, called=called))
        else:
            inner, refused = files_below(tree, (*place, entry))
            files += inner
            yield from refused
    first, entry = parts[0]
    top = entry.place if isinstance(entry, Entry) else (*place, entry)
    late = any(named.late for named, _ in parts) if first.late is not None else None
    bundle = Bundle(top, tuple(files), (first.who,), first.submitted_at, late)
    yield _checked(bundle, expected)


def _gradescope(tree: Tree, place: Place, listing: Listing, expected: Expected) -> Iterator[Part]:
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
        files, refused = files_below(tree, (*place, folder))
        yield from refused
        bundle = Bundle((*place, folder), tuple(files), people, submitted_at=metadata.submitted_at)
        yield _checked(bundle, expected)
    for folder in sorted(known.keys() - set(listing.folders)):
        people = known[folder].submitters or (OwnerHint(label=folder),)
        why = f"{download_names.METADATA} names it, and it is not in this download"
        yield from (Refused(folder, why, who).within(place) for who in people)
    for entry in listing.files:
        if entry.name != download_names.METADATA and entry.suffix != ".csv":
            why = "is not the folder of a submission; hand in a notebook (.ipynb)"
            yield Refused("/".join(entry.place), why)


def _checked(bundle: Bundle, expected: Expected) -> Part:
    if gradable(bundle.files, expected):
        return bundle
    return Refused("/".join(bundle.place), nothing_in(bundle.files, expected), bundle.people[0])


def nothing_in(files: Sequence[Entry], expected: Expected) -> str:
    """Why nothing in one student's files can be graded, and what to do if the reason is a known one."""
    if not files:
        return f"{NO_NOTEBOOK}: it is empty"
    rest = [entry for entry in files if not entry.is_feedback]
    if len(rest) < len(files) and all(entry.name in _BESIDE_FEEDBACK for entry in rest):
        return FEEDBACK
    if all(expected.is_given(entry.name) for entry in files):
        return f"holds only what the course gives: {listed(files)}"
    advice = next((f"; {ADVICE[entry.suffix]}" for entry in files if entry.suffix in ADVICE), "")
    return f"{NO_NOTEBOOK}; it holds {listed(files)}{advice}"


_PRINTED = "a printout cannot be graded: hand in the notebook (.ipynb) itself"
_OTHER_ARCHIVE = "an archive of this kind is not read: unpack it, or pack it as a zip"
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys((".html", ".htm", ".pdf", ".docx"), _PRINTED),
        **dict.fromkeys((".rar", ".7z", ".gz", ".bz2", ".xz"), _OTHER_ARCHIVE),
        **dict.fromkeys((".txt", ".json", ""), "if it is a notebook, rename it so that it ends in .ipynb"),
    }
)


def _first(pair: tuple[str, Entry | str]) -> str:
    return pair[0]
