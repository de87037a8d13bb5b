"""What a mark rests on: rubric lines with their versions, and what markers leave for each other.

Facts as in the first step, with one exception: a lease is no fact, it says who looks at an answer just now.
"""

from __future__ import annotations

from sqlalchemy import Connection

from grader.gradebook.migrations.m0001_first_tables import WORDS, append_only

TABLES = (
    """CREATE TABLE rubric_line (
        "row" {serial}, assignment TEXT NOT NULL, item TEXT NOT NULL, line INTEGER NOT NULL,
        hundredths INTEGER NOT NULL, text TEXT NOT NULL, retired INTEGER NOT NULL,
        at TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL)""",
    """CREATE TABLE mark_basis (
        "row" {serial}, mark INTEGER NOT NULL UNIQUE REFERENCES mark ("row"), versions TEXT NOT NULL,
        adjustment INTEGER NOT NULL, why TEXT NOT NULL, comment TEXT NOT NULL, origin TEXT NOT NULL,
        action TEXT NOT NULL)""",
    """CREATE TABLE trial_mark (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"), item TEXT NOT NULL,
        purpose TEXT NOT NULL, versions TEXT NOT NULL, adjustment INTEGER NOT NULL, why TEXT NOT NULL,
        comment TEXT NOT NULL, hundredths INTEGER NOT NULL, at TEXT NOT NULL, author TEXT NOT NULL)""",
    """CREATE TABLE flag (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"), item TEXT NOT NULL,
        raised INTEGER NOT NULL, words TEXT NOT NULL, at TEXT NOT NULL, author TEXT NOT NULL)""",
    """CREATE TABLE regrade_request (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"), item TEXT NOT NULL,
        words TEXT NOT NULL, mark INTEGER, at TEXT NOT NULL, author TEXT NOT NULL)""",
    """CREATE TABLE regrade_reply (
        "row" {serial}, request INTEGER NOT NULL REFERENCES regrade_request ("row"), words TEXT NOT NULL,
        mark INTEGER, at TEXT NOT NULL, author TEXT NOT NULL)""",
    """CREATE TABLE lease (
        assignment TEXT NOT NULL, item TEXT NOT NULL, unit TEXT NOT NULL, holder TEXT NOT NULL,
        until TEXT NOT NULL, PRIMARY KEY (assignment, item, unit))""",
    'CREATE INDEX ix_rubric_line_last ON rubric_line (assignment, item, line, "row")',
    "CREATE INDEX ix_mark_basis_action ON mark_basis (action)",
    'CREATE INDEX ix_trial_mark_item ON trial_mark (item, submission, "row")',
    'CREATE INDEX ix_flag_last ON flag (submission, item, "row")',
    'CREATE INDEX ix_regrade_request_item ON regrade_request (submission, item, "row")',
    "CREATE INDEX ix_regrade_reply_request ON regrade_reply (request)",
)
FACTS = ("rubric_line", "mark_basis", "trial_mark", "flag", "regrade_request", "regrade_reply")


def upgrade(connection: Connection) -> None:
    """Add the tables, and the triggers of those that only grow."""
    dialect = connection.dialect.name
    for statement in TABLES:
        connection.exec_driver_sql(statement.format(**WORDS[dialect]))
    for statement in append_only(dialect, FACTS):
        connection.exec_driver_sql(statement)
