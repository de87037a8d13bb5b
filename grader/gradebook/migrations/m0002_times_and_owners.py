"""What is learnt about submissions later: times, owners, extensions, platforms' numbers; what needs a person.

Facts of their own rather than columns of ``submission``, whose rows never change: the last row counts.
"""

from __future__ import annotations

from sqlalchemy import Connection

from grader.gradebook.migrations.m0001_first_tables import WORDS, append_only

TABLES = (
    """CREATE TABLE arrival (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"),
        submitted_at TEXT NOT NULL, late INTEGER,
        at TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL)""",
    """CREATE TABLE owner (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"), student TEXT NOT NULL,
        at TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL)""",
    """CREATE TABLE extension (
        "row" {serial}, assignment TEXT NOT NULL, student TEXT NOT NULL, until TEXT NOT NULL,
        at TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL)""",
    """CREATE TABLE participant (
        "row" {serial}, assignment TEXT NOT NULL, number TEXT NOT NULL, student TEXT NOT NULL,
        at TEXT NOT NULL)""",
    "ALTER TABLE result ADD COLUMN attention TEXT NOT NULL DEFAULT ''",
    'CREATE INDEX ix_arrival_last ON arrival (submission, "row")',
    'CREATE INDEX ix_owner_last ON owner (submission, "row")',
)
FACTS = ("arrival", "owner", "extension", "participant")


def upgrade(connection: Connection) -> None:
    """Add the tables and their triggers, and the column."""
    dialect = connection.dialect.name
    for statement in TABLES:
        connection.exec_driver_sql(statement.format(**WORDS[dialect]))
    for statement in append_only(dialect, FACTS):
        connection.exec_driver_sql(statement)
