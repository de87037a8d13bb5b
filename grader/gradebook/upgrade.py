"""Upgrading a database to this version's schema: the steps it lacks, all in one transaction.

Either all of them are applied or none, so a failed upgrade leaves a gradebook that the older Chainrule opens.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, inspect, text

from grader.gradebook.database import reading, shown, writing
from grader.gradebook.migrations import MIGRATIONS, Migration
from grader.model.errors import GradebookError

_UPGRADE_LOCK = 0x4348_4149_4E52  # "CHAINR"; any number that nobody else uses for an advisory lock


def upgrade(engine: Engine, *, now: str, steps: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Apply the missing steps; their names.

    Raises GradebookError, and changes nothing, if a newer Chainrule wrote the database or it holds tables of
    another program.
    """
    with reading(engine) as connection:
        if applied_steps(connection, steps) == len(steps):
            return []
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _UPGRADE_LOCK})
        done = applied_steps(connection, steps)  # again: another process may have upgraded it meanwhile
        if done == 0:
            connection.exec_driver_sql(
                "CREATE TABLE migration (number INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, "
                "applied_at TEXT NOT NULL)"
            )
        for step in steps[done:]:
            step.upgrade(connection)
            connection.execute(
                text("INSERT INTO migration (number, name, applied_at) VALUES (:number, :name, :at)"),
                {"number": step.number, "name": step.name, "at": now},
            )
        return [step.name for step in steps[done:]]


def applied_steps(connection: Connection, steps: Sequence[Migration]) -> int:
    """How many of the steps the database has. Raises GradebookError unless they are the first, in order."""
    where = f"gradebook {shown(connection.engine.url)}"
    tables = set(inspect(connection).get_table_names())
    if "migration" not in tables:
        if tables:
            raise GradebookError(
                f"{where}: holds other tables ({', '.join(sorted(tables)[:3])}) and is no gradebook; "
                "name an empty database with --db"
            )
        return 0
    rows = connection.execute(text("SELECT number, name FROM migration ORDER BY number")).all()
    seen = [(number, name) for number, name in rows]
    known = [(step.number, step.name) for step in steps]
    if len(seen) > len(known) and seen[: len(known)] == known:
        raise GradebookError(
            f"{where}: was written by a newer Chainrule (schema {seen[-1][0]}, this one knows "
            f"{known[-1][0]}); upgrade Chainrule: pip install --upgrade chainrule"
        )
    if seen != known[: len(seen)]:
        raise GradebookError(f"{where}: its schema is not one of Chainrule's; name another with --db")
    return len(seen)
