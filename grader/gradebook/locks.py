"""One batch per assignment at a time; whoever starts a second learns who runs the first.

The lock belongs to an open file or a connection, not to a row: a batch that is killed leaves none behind, and
nobody has to judge whether an old one is still meant.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from grader.gradebook.database import in_words, shown
from grader.model.errors import GradebookError

_POOL = "chainrule batch"
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_FAR = 1 << 30  # where Windows locks a byte: nobody else may read what is locked, and others read the name


@contextmanager
def one_batch(engine: Engine, assignment: str, *, who: str) -> Iterator[None]:
    """Hold the assignment's batch lock. Raises GradebookError that names the process that holds it.

    The kernel or the server releases the lock when its holder dies, however it dies.
    """
    if engine.dialect.name == "postgresql":
        with _server_lock(engine, assignment, who):
            yield
    elif engine.url.database and engine.url.database != ":memory:":
        with _file_lock(Path(f"{engine.url.database}.lock"), shown(engine.url), who):
            yield
    else:
        yield


def busy(where: str, holder: str) -> GradebookError:
    """The error for a second batch."""
    return GradebookError(
        f"gradebook {where}: a batch is running already ({holder or 'it did not say who it is'}); "
        "wait for it to end, or stop it: what it has graded stays"
    )


@contextmanager
def _file_lock(path: Path, where: str, who: str) -> Iterator[None]:
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise GradebookError(f"gradebook {where}: its lock {path}: {error.strerror}") from None
    # The file is never deleted: one process could then hold the deleted file's lock, another the new one's.
    try:
        if not _locked(descriptor):
            raise busy(where, os.read(descriptor, 200).decode(errors="replace").strip())
        os.ftruncate(descriptor, 0)
        os.write(descriptor, who.encode())
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock an open file at its beginning; False if somebody else has it. The lock ends with the file's."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # Windows only

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # Unix only

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return True


@contextmanager
def _server_lock(engine: Engine, assignment: str, who: str) -> Iterator[None]:
    """An advisory lock of one connection, whose application_name says who holds it.

    AUTOCOMMIT, because a batch may hold the lock for hours: an open transaction would keep the server from
    cleaning up for as long. The key is a number: two assignments with the same one (one chance in two
    billion) would only keep each other out.
    """
    number = int.from_bytes(hashlib.sha256(f"{_POOL} {assignment}".encode()).digest()[:4], "big") >> 1
    with (
        in_words(engine.url),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        connection.execute(text("SELECT set_config('application_name', :who, false)"), {"who": who[:60]})
        if not connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar_one():
            holder = connection.execute(
                text(
                    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
                    "WHERE locktype = 'advisory' AND objid = :n AND granted LIMIT 1"
                ),
                {"n": number},
            ).scalar()
            raise busy(shown(engine.url), str(holder or ""))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})
