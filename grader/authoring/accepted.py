"""Survivors that the author accepts: `hidden_tests/audit.toml` says which, and why each is right."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from grader.authoring.mutants import Mutant, Target
from grader.model.errors import AuditError

FILE = "audit.toml"


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mutants of a region that may survive: of one line of the reference, of these kinds, or both.

    ``what`` is the mistake's name as the report shows it, with ``*`` for anything; several are one too many
    for one reason, but may share it.
    """

    region: str
    why: str
    line: str = ""
    what: tuple[str, ...] = ("*",)

    def holds(self, mutant: Mutant, target: Target) -> bool:
        """Whether a mutant is meant."""
        return (
            target.name == self.region
            and (not self.line or self.line in _changed(mutant, target))
            and any(fnmatchcase(mutant.what, pattern) for pattern in self.what)
        )

    def __str__(self) -> str:
        kinds = "" if self.what == ("*",) else f" ({', '.join(self.what)})"
        return f"{self.region}: {self.line or 'any line'}{kinds}"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accepted: tuple[Accepted, ...] = ()


def read_accepted(checks: Path) -> tuple[Accepted, ...]:
    """What an author accepts; nothing without a file. Raises AuditError for one that cannot be used."""
    path = checks / FILE
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).accepted
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise AuditError(f"{path}: {error}; write [[accepted]] with region, line, what and why") from None


def why_accepted(mutant: Mutant, target: Target, accepted: Iterable[Accepted]) -> str:
    """Why a mutant may survive; "" if nobody says so."""
    return next((one.why for one in accepted if one.holds(mutant, target)), "")


def without_use(
    accepted: Sequence[Accepted], mutants: Sequence[Mutant], targets: Sequence[Target]
) -> list[str]:
    """One line for each entry that means no mutant at all: the reference has changed since."""
    return [
        f"{FILE} accepts {one}, but there is no such mutant"
        for one in accepted
        if not any(one.holds(mutant, targets[mutant.target]) for mutant in mutants)
    ]


def _changed(mutant: Mutant, target: Target) -> set[str]:
    """The lines of the reference that a mutant changes, without their indents."""
    lines = target.unit.text.split("\n")
    return {lines[number - 1].strip() for number in mutant.lines}
