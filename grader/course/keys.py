"""Digests of everything that decides a result: one with the same key need not be computed again.

Each item has a key of its own, so that changing a check of one item leaves the results of the others valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from grader.course.owners import owners_of
from grader.digests import digest_of_file, digest_of_texts, digests_below
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.assignment import EnvironmentRules, Item, Limits, SubmissionRules
from grader.model.records import SCHEMA
from grader.model.version import __version__


@dataclass(frozen=True)
class Keys:
    """The digests of one assignment's items as they are now; no submission is in them yet."""

    items: Mapping[str, str]

    def of_items(self, sha256: str) -> dict[str, str]:
        """Each item's key for a submission with this digest."""
        return {item: digest_of_texts([part, sha256]) for item, part in self.items.items()}


def result_key(item_keys: Mapping[str, str]) -> str:
    """The key of a result with these items."""
    return digest_of_texts(f"{item}={key}" for item, key in sorted(item_keys.items()))


def keys_of(folder: AssignmentFolder, *, seed: int) -> Keys:
    """The keys of an assignment whose inputs are drawn from ``seed``.

    Raises ManifestError if a check belongs to no item of the manifest.
    """
    checks = folder.checks(hidden=True)
    files = digests_below(checks)
    owners = owners_of(checks)
    owned = {name for names in owners.values() for name in names}
    # A file without checks (conftest.py, a helper) may be used by any of them, so it belongs to every item.
    helpers = digest_of_texts(
        f"{name}={digest}" for name, digest in sorted(files.items()) if name not in owned
    )
    shared = digest_of_texts([__version__, SCHEMA, str(seed), helpers, _settings(folder), _given(folder)])
    reference = digest_of_file(folder.path / folder.assignment.notebook)
    return Keys(
        {
            item.id: digest_of_texts(
                [
                    shared,
                    _entry(item),
                    "" if item.kind == "code" else reference,
                    *(f"{name}={files[name]}" for name in sorted(owners.get(item.id, ()))),
                ]
            )
            for item in folder.assignment.item
        }
    )


def _entry(item: Item) -> str:
    fields = msgspec.to_builtins(item, enc_hook=str)
    if not item.notebook:
        del fields["notebook"]  # items of assignments with one notebook keep their keys
    if not item.bonus:
        del fields["bonus"]  # and so do those of before there was a bonus
    return msgspec.json.encode(fields).decode()


def _settings(folder: AssignmentFolder) -> str:
    assignment = folder.assignment
    settings: list[object] = [assignment.title, _limits(assignment.limits), assignment.budget]
    # What an assignment does not use is left out: gradebooks from before it existed keep their results.
    rules = [assignment.submission, assignment.environment, sorted(folder.asked_names)]
    if rules != [SubmissionRules(), EnvironmentRules(), []]:
        settings += rules
    return msgspec.json.encode(settings, order="deterministic").decode()


def _limits(limits: Limits) -> msgspec.Raw:
    fields = msgspec.to_builtins(limits)
    if limits.total_seconds == Limits().total_seconds:
        del fields["total_seconds"]  # younger than the others: results from before it keep their keys
    return msgspec.Raw(msgspec.json.encode(fields))


def _given(folder: AssignmentFolder) -> str:
    """A digest of the files that are beside every submission while it runs."""
    parts = []
    for name, path in sorted(folder.given_files().items()):
        digests = digests_below(path) if path.is_dir() else {name: digest_of_file(path)}
        parts += [f"{name}/{inner}={digest}" for inner, digest in digests.items()]
    return digest_of_texts(parts)
