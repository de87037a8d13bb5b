"""What decides a result, as digests: a result of the same key need not be computed again.

Each item has a key of its own, so that a changed check of one item leaves the others' results standing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.course.owners import owners_of
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.records import SCHEMA
from grader.model.version import __version__

_CACHES = frozenset({"__pycache__", ".pytest_cache", ".ipynb_checkpoints"})


@dataclass(frozen=True)
class Keys:
    """The digests of one assignment's items as they are now, without any submission."""

    items: Mapping[str, str]

    def of_items(self, sha256: str) -> dict[str, str]:
        """Each item's key for a submission of this digest."""
        return {item: digest_of([part, sha256]) for item, part in self.items.items()}


def result_key(item_keys: Mapping[str, str]) -> str:
    """The key of a result that has these items."""
    return digest_of(f"{item}={key}" for item, key in sorted(item_keys.items()))


def keys_of(folder: AssignmentFolder, *, seed: int) -> Keys:
    """The keys of an assignment whose inputs are drawn from ``seed``.

    Raises ManifestError where a check belongs to no item of the manifest.
    """
    checks = folder.checks(hidden=True)
    files = dict(files_below(checks))
    owners = owners_of(checks)
    owned = {name for names in owners.values() for name in names}
    helpers = digest_of(f"{name}={digest}" for name, digest in sorted(files.items()) if name not in owned)
    shared = digest_of([__version__, SCHEMA, str(seed), helpers, _settings(folder), _given(folder)])
    reference = file_digest(folder.path / folder.assignment.notebook)
    return Keys(
        {
            item.id: digest_of(
                [
                    shared,
                    msgspec.json.encode(item, enc_hook=str, order="deterministic").decode(),
                    "" if item.kind == "code" else reference,
                    *(f"{name}={files[name]}" for name in sorted(owners.get(item.id, ()))),
                ]
            )
            for item in folder.assignment.item
        }
    )


def _settings(folder: AssignmentFolder) -> str:
    assignment = folder.assignment
    settings = [assignment.title, assignment.limits, assignment.budget]
    return msgspec.json.encode(settings, order="deterministic").decode()


def _given(folder: AssignmentFolder) -> str:
    """What lies beside every submission while it runs."""
    parts = []
    for name, path in sorted(folder.given_files().items()):
        parts += [f"{name}/{inner}={digest}" for inner, digest in files_below(path)]
    return digest_of(parts)


def files_below(path: Path) -> Iterable[tuple[str, str]]:
    """Every file below a folder, by its path inside, with its digest; caches of Python left out."""
    if path.is_file():
        return [(path.name, file_digest(path))]
    found = sorted(entry for entry in path.rglob("*") if entry.is_file())
    return [
        (inner.as_posix(), file_digest(path / inner))
        for inner in (entry.relative_to(path) for entry in found)
        if not _CACHES.intersection(inner.parts)
    ]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, empty where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def digest_of(parts: Iterable[str]) -> str:
    """One digest of several texts; no two lists of texts run into one another."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode()
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()
