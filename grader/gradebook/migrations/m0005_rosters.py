"""The roster as it was read, so that its columns come back with the grades."""

from __future__ import annotations

from sqlalchemy import Connection

from grader.gradebook.migrations.m0001_first_tables import WORDS, append_only

TABLE = """CREATE TABLE roster (
    "row" {serial}, assignment TEXT NOT NULL, name TEXT NOT NULL, content {bytes} NOT NULL,
    at TEXT NOT NULL)"""


def upgrade(connection: Connection) -> None:
    """Add the table and its triggers."""
    dialect = connection.dialect.name
    connection.exec_driver_sql(TABLE.format(**WORDS[dialect]))
    for statement in append_only(dialect, ("roster",)):
        connection.exec_driver_sql(statement)
