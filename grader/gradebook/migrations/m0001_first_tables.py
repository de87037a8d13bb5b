"""Students, submissions, results, grades and marks, and the triggers that refuse changes of their rows.

Written as SQL rather than with ``schema``'s tables: those change with later versions, and this step must not.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

TABLES = (
    """CREATE TABLE student (
        "row" {serial}, id TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, section TEXT NOT NULL,
        at TEXT NOT NULL)""",
    """CREATE TABLE submission (
        "row" {serial}, assignment TEXT NOT NULL, student TEXT NOT NULL, name TEXT NOT NULL,
        sha256 TEXT NOT NULL, path TEXT NOT NULL, submitted_at TEXT NOT NULL, received_at TEXT NOT NULL,
        UNIQUE (assignment, student, name, sha256, submitted_at))""",
    """CREATE TABLE result (
        "row" {serial}, key TEXT NOT NULL UNIQUE, assignment TEXT NOT NULL,
        sha256 TEXT NOT NULL, item_keys TEXT NOT NULL, items TEXT NOT NULL,
        prints TEXT NOT NULL, record {bytes} NOT NULL,
        earned INTEGER NOT NULL, possible INTEGER NOT NULL, decided INTEGER NOT NULL, at TEXT NOT NULL)""",
    """CREATE TABLE grade (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"),
        result_key TEXT NOT NULL REFERENCES result (key),
        at TEXT NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL)""",
    """CREATE TABLE mark (
        "row" {serial}, submission INTEGER NOT NULL REFERENCES submission ("row"), item TEXT NOT NULL,
        hundredths INTEGER, comment TEXT NOT NULL, at TEXT NOT NULL,
        author TEXT NOT NULL, reason TEXT NOT NULL)""",
    "CREATE INDEX ix_student_id ON student (id)",
    "CREATE INDEX ix_result_content ON result (assignment, sha256)",
    'CREATE INDEX ix_grade_last ON grade (submission, "row")',
    'CREATE INDEX ix_mark_last ON mark (submission, item, "row")',
)
FACTS = ("student", "submission", "result", "grade", "mark")
WORDS = {
    "sqlite": {"serial": "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", "bytes": "BLOB"},
    "postgresql": {"serial": "INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytes": "BYTEA"},
}
REFUSAL = "is append-only: a correction is a new row"
FUNCTION = f"""CREATE FUNCTION chainrule_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%% {REFUSAL}', TG_TABLE_NAME; END $$"""


def upgrade(connection: Connection) -> None:
    """Make the tables and their triggers in an empty database."""
    dialect = connection.dialect.name
    for statement in TABLES:
        connection.exec_driver_sql(statement.format(**WORDS[dialect]))
    if dialect == "postgresql":
        connection.exec_driver_sql(FUNCTION)
    for statement in append_only(dialect, FACTS):
        connection.exec_driver_sql(statement)


def append_only(dialect: str, tables: Sequence[str]) -> list[str]:
    """The triggers that refuse to change or delete the rows of tables; later steps use them too."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} {REFUSAL}'); END"
            for table in tables
            for event in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION chainrule_refuse()"
        for table in tables
    ]
