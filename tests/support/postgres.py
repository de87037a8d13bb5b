"""A real PostgreSQL for the tests: a cluster of their own in a temporary folder, behind a socket."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

MISSING = (
    "these tests need PostgreSQL: on Debian and Ubuntu `apt install postgresql` "
    "(CHAINRULE_POSTGRES_BIN names the folder of initdb where it lies elsewhere)"
)
START_SECONDS = 60
SERVICE_USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: the named one, the PATH's, or the newest that Debian installed."""
    given = os.environ.get("CHAINRULE_POSTGRES_BIN")
    if given:
        return Path(given)
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    places = [*reversed(debian), *([Path(on_path).parent] if on_path else [])]
    return next((place for place in places if (place / "initdb").exists()), None)


def service_user() -> str | None:
    """Whom the server runs as where the tests run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in SERVICE_USERS if name in known)


class Server:
    """One cluster. ``url()`` is an empty database of it."""

    def __init__(self, folder: Path, bin_folder: Path, user: str | None) -> None:
        self._folder, self._bin, self._user = folder, bin_folder, user

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end; its words are in the error."""
        with self._started(program, *arguments) as process:
            said, _ = process.communicate()
            assert process.returncode == 0, f"{program}: {said}"

    def start(self) -> None:
        """Make the cluster and start it; it listens on no network."""
        self.run(
            "initdb", "--pgdata=data", "--username=grader", "--auth=trust", "--no-sync", "--encoding=UTF8"
        )
        self.start_again()

    def start_again(self) -> None:
        """Start the cluster as it is."""
        settings = ["listen_addresses=", f"unix_socket_directories={self._folder}", "fsync=off"]
        options = [word for setting in settings for word in ("-c", setting)]
        self._server = self._started("postgres", "-D", "data", *options)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._server.poll() is None, f"postgres: {self._server.communicate()[0]}"
            assert time.monotonic() < deadline, "postgres does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would, with all that serves connections: they are its children."""
        main = self._server.pid
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(main)], capture_output=True, text=True, check=True
        )
        for process in (main, *map(int, listed.stdout.split())):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._server.communicate()

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self._folder), user="grader", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it, connections and all."""
        with self._server as process:
            process.send_signal(signal.SIGQUIT)
            process.communicate()

    def _started(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """The program, as the service's user where the tests run as root."""
        prefix = ["setpriv", f"--reuid={self._user}", "--clear-groups", "--"] if self._user else []
        return subprocess.Popen(
            [*prefix, str(self._bin / program), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        )

    def url(self) -> str:
        """The address of the one database, emptied: a database a test would be a thousand files each."""
        with psycopg.connect(host=str(self._folder), user="grader", dbname="postgres") as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """The address of a database of this name, there or not."""
        return f"postgresql+psycopg://grader@/{name}?host={self._folder}"


@contextmanager
def server() -> Iterator[Server]:
    """A running server, gone afterwards. Without PostgreSQL it skips, and fails where CI should have it."""
    bin_folder = programs()
    if bin_folder is None and os.environ.get("CI") == "true":
        pytest.fail("PostgreSQL is missing although .ci/run installs it")
    if bin_folder is None:
        pytest.skip(MISSING)
    user = service_user()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has 107 bytes
    try:
        if user:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        running = Server(folder, bin_folder, user)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
