"""Numbered steps from an empty database to today's schema, each applied once, in order.

A released step is never edited: gradebooks that it made exist, and would keep the old form. A change of the
schema is a new step. ``schema`` describes the result, for queries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from grader.gradebook.migrations import (
    m0001_first_tables,
    m0002_times_and_owners,
    m0003_refusals,
    m0004_marking,
    m0005_rosters,
)


@dataclass(frozen=True)
class Migration:
    """One step: its number, its name, and the function that upgrades a database from the step before."""

    number: int
    name: str
    upgrade: Callable[[Connection], None]


MIGRATIONS = (
    Migration(1, "first tables", m0001_first_tables.upgrade),
    Migration(2, "times and owners", m0002_times_and_owners.upgrade),
    Migration(3, "refusals", m0003_refusals.upgrade),
    Migration(4, "marking", m0004_marking.upgrade),
    Migration(5, "rosters", m0005_rosters.upgrade),
)
NEWEST = MIGRATIONS[-1].number
