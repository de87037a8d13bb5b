"""The record of one audit: what became of each mutant of the reference. Reports are pure functions of it."""

from __future__ import annotations

import enum
from typing import Any, TypeVar

import msgspec

from grader.model.points import Points

SCHEMA = "chainrule.audit/1"
Part = TypeVar("Part")


class Verdict(enum.StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    """A check did not pass."""
    SLOW = "slow"
    """A check was still waiting at its limit; a student's code would fail it too."""
    SURVIVED = "survived"
    """All checks pass, and an input shows that it is not the reference."""
    EQUIVALENT = "equivalent"
    """All checks pass, and it gave the reference's values on every input that was tried."""
    ACCEPTED = "accepted"
    """It survived, and the author says in `hidden_tests/audit.toml` why that is right."""


class Difference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input on which a mutant differs from the reference.

    ``check`` made this call; with ``same_input`` it received the mutant's very value and passed, else it
    makes the call with inputs on which both agree, and ``variation`` says what was changed.
    """

    check: str
    title: str
    call: str
    reference: str
    mutant: str
    same_input: bool
    variation: str = ""


class MutantResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mutant. ``region`` counts in the audit's regions, ``lost`` are points by item.

    ``killed_by`` are the checks that did not pass; ``raised`` is whether each of them only saw an exception.
    ``inputs`` is how many calls were compared with the reference's.
    """

    region: int
    family: str
    what: str
    diff: str
    verdict: Verdict
    killed_by: tuple[str, ...] = ()
    raised: bool = False
    lost: dict[str, Points] = {}
    seconds: float = 0.0
    inputs: int = 0
    difference: Difference | None = None
    why: str = ""


class RegionRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A solution region. ``item`` is the one that loses most without it, "" if none loses anything.

    ``way`` is how its mutants are run: "redefined", "cells again" or "whole notebook". ``taken_out`` are the
    points that each item loses if the region is taken out, ``checks`` the checks that are run on its mutants.
    """

    name: str
    file: str
    line: int
    item: str = ""
    way: str = ""
    checks: tuple[str, ...] = ()
    taken_out: dict[str, Points] = {}


class AuditedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item of the manifest whose checks are audited."""

    id: str
    title: str
    points: Points
    checks: tuple[str, ...]


class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole audit. ``made`` is how many mutants with one mistake there are, tried or not."""

    schema: str
    assignment: str
    assignment_sha256: str
    seed: int
    audited_at: str
    seconds: float
    workers: int
    made: int
    items: tuple[AuditedItem, ...]
    regions: tuple[RegionRecord, ...]
    mutants: tuple[MutantResult, ...]
    notices: tuple[str, ...] = ()

    def of(self, *verdicts: Verdict) -> tuple[MutantResult, ...]:
        """The mutants with one of these verdicts."""
        return tuple(mutant for mutant in self.mutants if mutant.verdict in verdicts)

    @property
    def counted(self) -> int:
        """How many mutants a check should have noticed."""
        return len(self.of(Verdict.KILLED, Verdict.SLOW, Verdict.SURVIVED))

    @property
    def score(self) -> float:
        """The percentage of them that a check did notice; 100 if there are none."""
        noticed = len(self.of(Verdict.KILLED, Verdict.SLOW))
        return 100 * noticed / self.counted if self.counted else 100.0


def encode(audit: Audit) -> bytes:
    """The audit as indented JSON, UTF-8, points as decimal numbers."""
    encoder = msgspec.json.Encoder(enc_hook=_out, decimal_format="number")
    return msgspec.json.format(encoder.encode(audit), indent=2) + b"\n"


def decode(data: bytes) -> Audit:
    """The Audit that ``encode`` wrote. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.Decoder(Audit, dec_hook=_in, float_hook=str).decode(data)


def encode_part(part: MutantResult | RegionRecord) -> bytes:
    """One part of an audit, for the process that puts it together."""
    return msgspec.json.Encoder(enc_hook=_out, decimal_format="number").encode(part)


def decode_part(data: bytes, kind: type[Part]) -> Part:
    """What ``encode_part`` wrote."""
    return msgspec.json.Decoder(kind, dec_hook=_in, float_hook=str).decode(data)


def _out(value: object) -> Any:
    if isinstance(value, Points):
        return value.decimal
    raise NotImplementedError(type(value))


def _in(kind: type, value: Any) -> Any:
    if kind is Points:
        return Points.of(value)
    raise NotImplementedError(kind)
