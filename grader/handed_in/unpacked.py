"""Modules that a student packed to hand them in: platforms take no folders, so they lie in `layers.zip`."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from grader.handed_in.archives import Archive, Unusable
from grader.handed_in.content_store import ContentStore
from grader.handed_in.graded_file import ARCHIVES, SCRIPT
from grader.handed_in.tarballs import Tarball, open_archive
from grader.handed_in.trees import Entry, Listing, Place, Tree, Zip, below
from grader.notebooks.submission_file import MAX_BYTES

MAX_ARCHIVES = 5
MAX_MODULES = 200
"""Modules that are taken from one archive."""


@contextlib.contextmanager
def with_modules(
    tree: Tree, files: Sequence[Entry], store: ContentStore
) -> Iterator[tuple[Tree, Sequence[Entry]]]:
    """The tree and its files together with the modules in the archives among them, as if unpacked there.

    What lies there already is not covered up. An archive that cannot be opened holds nothing.
    """
    archives = [entry for entry in files if entry.suffix in ARCHIVES]
    taken = {entry.laid for entry in files}
    found: dict[Place, tuple[Zip, Entry]] = {}
    with contextlib.ExitStack() as stack:
        for entry in archives[:MAX_ARCHIVES]:
            with contextlib.suppress(Unusable, OSError):
                packed = Zip(stack.enter_context(opened(tree, entry, store)))
                for place, module in _modules(packed, entry):
                    if place not in taken:
                        found.setdefault(place, (packed, module))
        modules = [Entry(place, module.size) for place, (_, module) in found.items()]
        yield _Both(tree, found) if found else tree, [*files, *modules]


@contextlib.contextmanager
def opened(tree: Tree, entry: Entry, store: ContentStore) -> Iterator[Archive | Tarball]:
    """An archive among the files, opened in place on disk, or from a temporary copy out of another one.

    Raises Unusable, OSError.
    """
    path = tree.on_disk(entry)
    if path is not None:
        with open_archive(path) as archive:
            yield archive
        return
    if entry.size > MAX_BYTES:
        raise Unusable(f"holds {entry.size:,} bytes; at most {MAX_BYTES:,} are read")
    with tree.open(entry) as stream, store.temporary(stream) as file, open_archive(file) as archive:
        yield archive


def _modules(packed: Zip, archive: Entry) -> Iterator[tuple[Place, Entry]]:
    """The modules in an archive, each with its place beside it; a package's own files lie in its folder."""
    entries = [one for one in below(packed, ()) if isinstance(one, Entry) and one.suffix == SCRIPT]
    base = archive.laid[:-1]
    if any(one.place == ("__init__.py",) for one in entries):
        base = (*base, archive.name.removesuffix(archive.suffix))
    for one in itertools.islice(entries, MAX_MODULES):
        yield (*base, *one.place), one


class _Both:
    """A tree, and modules that lie in archives."""

    def __init__(self, tree: Tree, modules: Mapping[Place, tuple[Zip, Entry]]) -> None:
        self._tree, self._modules = tree, modules

    def listing(self, place: Place) -> Listing:
        return self._tree.listing(place)

    def open(self, entry: Entry) -> AbstractContextManager[BinaryIO]:
        packed, module = self._modules.get(entry.place, (self._tree, entry))
        return packed.open(module)

    def on_disk(self, entry: Entry) -> Path | None:
        return None if entry.place in self._modules else self._tree.on_disk(entry)
