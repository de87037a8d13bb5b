"""What was handed in and cannot be read, so that its student is not shown as one who handed in nothing."""

from __future__ import annotations

from sqlalchemy import Connection

from grader.gradebook.migrations.m0001_first_tables import WORDS, append_only

TABLES = (
    """CREATE TABLE refusal (
        "row" {serial}, assignment TEXT NOT NULL, name TEXT NOT NULL, student TEXT NOT NULL,
        why TEXT NOT NULL, at TEXT NOT NULL)""",
    'CREATE INDEX ix_refusal_last ON refusal (assignment, name, "row")',
)


def upgrade(connection: Connection) -> None:
    """Add the table and its triggers."""
    dialect = connection.dialect.name
    for statement in TABLES:
        connection.exec_driver_sql(statement.format(**WORDS[dialect]))
    for statement in append_only(dialect, ("refusal",)):
        connection.exec_driver_sql(statement)
