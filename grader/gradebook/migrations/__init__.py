"""Numbered steps from an empty database to today's schema, each applied once, in order, in a transaction.

A step that has been released is never edited: what it made is in use somewhere. A change is a new step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from grader.gradebook.migrations import m0001_first_tables


@dataclass(frozen=True)
class Migration:
    """One step: its number, its name, and what brings a database of the step before to this one."""

    number: int
    name: str
    upgrade: Callable[[Connection], None]


MIGRATIONS = (Migration(1, "first tables", m0001_first_tables.upgrade),)
NEWEST = MIGRATIONS[-1].number
