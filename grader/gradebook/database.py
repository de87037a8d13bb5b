"""Connections to SQLite or PostgreSQL by URL, and their errors as lines that say what to do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from grader.model.errors import GradebookError

WAIT_SECONDS = 15
"""How long a writer waits for another one before it gives up."""

POSTGRES = "postgresql+psycopg"
_DRIVERS = frozenset({"sqlite", POSTGRES})
LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "tmpfs"})
"""File systems that one machine writes to; the write-ahead log needs its programs to share memory."""
MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")


def parse_url(text: str) -> URL:
    """The database at a URL or a file's path. Raises GradebookError."""
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise GradebookError(f"{without_password(text)}: not a database URL; {advice()}") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername=POSTGRES)
    if url.drivername not in _DRIVERS:
        raise GradebookError(f"a gradebook cannot live in {url.drivername!r}; {advice()}")
    return url


def advice() -> str:
    """What a gradebook's address looks like."""
    return (
        "write a file's path, sqlite:///reports/gradebook.sqlite or postgresql+psycopg://user@host/name "
        "(the password in the environment variable PGPASSWORD)"
    )


def without_password(text: str) -> str:
    """A URL that may be shown: whatever is between the user's name and the host is left out."""
    head, at, tail = text.rpartition("@")
    scheme, slashes, user = head.partition("://")
    if not at or not slashes:
        return text
    return f"{scheme}://{user.partition(':')[0]}@{tail}"


def connect(url: URL, *, wait: float = WAIT_SECONDS, name: str = "chainrule") -> Engine:
    """An engine whose write transactions take turns. Raises GradebookError if a driver is missing."""
    try:
        if url.drivername == POSTGRES:
            milliseconds = int(wait * 1000)
            return create_engine(
                url,
                connect_args={
                    "connect_timeout": max(2, int(wait)),
                    "application_name": name,
                    "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
                },
            )
        engine = create_engine(url, connect_args={"timeout": wait})
    except (ImportError, NoSuchModuleError):
        raise GradebookError(
            "PostgreSQL needs a driver: pip install 'chainrule[postgres]' (and nothing else)"
        ) from None
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Turn off the driver's own transactions, so that ``_begin_sqlite`` decides how one begins."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # some builds wait for less with a write-ahead log


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later asks for the write lock too late: if another one has
    # written in between, SQLite refuses at once instead of waiting. So writers take the lock as they begin.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises GradebookError for errors of the database."""
    with in_words(engine.url), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it or, after any error, nothing. Raises GradebookError."""
    with (
        in_words(engine.url),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def write_ahead(engine: Engine, *, mounts: Path = MOUNTS) -> Iterator[None]:
    """Let SQLite append to a log for a while: a commit then waits for the disk once instead of four times.

    Commits are as durable as before. The log is a second file, so it is taken back at the end: a gradebook
    that nobody has open is one file. A file system of another machine keeps the slow way, and so does a
    gradebook that is busy now; whoever opens it reads either.
    """
    is_local = engine.url.drivername == "sqlite" and _file_system(engine.url, mounts) in LOCAL
    if is_local:
        _journal(engine, "WAL")
    try:
        yield
    finally:
        if is_local:
            _journal(engine, "DELETE")


def _journal(engine: Engine, mode: str) -> None:
    """Ask for a way of committing; while another program has the file open it stays as it is."""
    engine.dispose()  # connections that are kept know the old way
    with closing(sqlite3.connect(str(engine.url.database), timeout=1)) as connection:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError:
            return


def _file_system(url: URL, mounts: Path) -> str:
    """What kind of file system holds a file; nothing if this system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        place = Path(url.database or "").resolve()
    except OSError:
        return ""
    found = {}
    for line in lines:
        _, folder, kind, *_ = line.split(" ")
        found[Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), folder))] = kind  # the last mount is on top
    return next((found[folder] for folder in place.parents if folder in found), "")


@contextmanager
def in_words(url: URL) -> Iterator[None]:
    """Turn the database's own errors into a GradebookError of one line."""
    try:
        yield
    except SQLAlchemyError as error:
        raise GradebookError(explained(url, error)) from None


def explained(url: URL, error: SQLAlchemyError) -> str:
    """Which gradebook, what went wrong, what to do. Never a password."""
    where = shown(url)
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    low = said.lower()
    known = (
        ("append-only", "rows of a gradebook are never changed or deleted; add a new one"),
        ("database is locked", "another program is writing to it; wait for it to end, then try again"),
        ("lock timeout", "another program is writing to it; wait for it to end, then try again"),
        ("file is not a database", "this file is no gradebook; name another with --db"),
        ("malformed", "the file is damaged; put back a copy, or name a new one with --db and grade again"),
        ("disk is full", "the disk is full; make room and start again, nothing that was graded is lost"),
        ("no space left", "the disk is full; make room and start again, nothing that was graded is lost"),
        ("disk i/o error", "the disk cannot be read or written; start again when it can"),
        ("readonly", "it may not be written; check the permissions of the file and of its folder"),
        ("unable to open", "its folder does not exist or may not be read; check the path"),
        ("password", "the password or the user is wrong; set PGPASSWORD, or put the user in the URL"),
        ("does not exist", "it has to exist first: createdb NAME"),
        ("connection", "the server cannot be reached; is it running, and are host and port right?"),
        ("server closed", "the server ended the connection; start again when it is back"),
    )
    if isinstance(error, DBAPIError) or said:
        for sign, meaning in known:
            if sign in low:
                return f"gradebook {where}: {meaning} ({without_secret(said, url)[:200]})"
    return f"gradebook {where}: {without_secret(said, url)[:300]}"


def without_secret(text: str, url: URL) -> str:
    """The text without the URL's password, should a driver repeat it."""
    return text.replace(str(url.password), "***") if url.password else text


def shown(url: URL) -> str:
    """The database as it may be shown: SQLite's file, or the URL without its password."""
    if url.drivername == "sqlite":
        return str(url.database)
    return without_password(url.render_as_string(hide_password=True))


def make_folder(url: URL) -> None:
    """Make the folder of a new SQLite file. Raises GradebookError if that is not possible."""
    if url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        return
    folder = Path(url.database).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GradebookError(f"gradebook {url.database}: {folder}: {error.strerror}") from None
