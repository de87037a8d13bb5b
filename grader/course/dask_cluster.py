"""A Dask cluster as a batch sees it: whether it may be spoken to, who is there, and of which version."""

from __future__ import annotations

import ipaddress
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import distributed
from distributed import Client, Security

from grader.course.dask_worker import own_versions
from grader.model.errors import CannotGrade, UsageError

CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 2.0  # between two looks at who is there
START_AGAIN = "what is graded is kept: start the batch again"
LOST = f"the connection to the Dask scheduler was lost; {START_AGAIN}"
_TLS_HELP = (
    "Dask's settings name the certificates (DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and ..__KEY, or distributed.yaml)"
)


def assert_trusted(address: str) -> None:
    """Raise UsageError unless an address is TLS or on this very machine: Dask runs what it is sent."""
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise UsageError(
            f"--dask {address}: not an address; write tls://HOST:PORT, as the scheduler shows it"
        )
    if parts.scheme == "tls" or (parts.scheme == "tcp" and is_loopback(host)):
        return
    raise UsageError(
        f"--dask {address}: is neither TLS nor on this machine; whoever can reach a Dask scheduler without "
        "TLS can run programs on its workers: start scheduler and workers with certificates and write tls://"
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name or number."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TidyClient(Client):  # type: ignore[misc]  # distributed has no types
    """A client that is closed at once where it could not be started.

    Dask leaves such a client to the garbage collector, which closes it whenever it comes by: within the start
    of the next client too, and then both wait for the same lock for ever.
    """

    def start(self, **kwargs: Any) -> None:
        """As Dask's own, which the constructor calls."""
        try:
            super().start(**kwargs)
        except BaseException:
            self.close()
            raise


def connect(address: str, *, seconds: float = CONNECT_SECONDS) -> Client:
    """A client of the scheduler there. Raises UsageError in one line where there is none."""
    assert_trusted(address)
    for name in ("distributed", "distributed.client"):  # what goes wrong is said in a line of ours
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        security = Security(require_encryption=True) if address.startswith("tls:") else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared below
            return TidyClient(address, timeout=seconds, security=security, set_as_default=False)
    except OSError as error:
        why = "nothing answered" if isinstance(error, TimeoutError) else str(error)
        raise UsageError(
            f"--dask {address}: no Dask scheduler within {seconds:.0f} s: {why}; is it running, and "
            f"may this machine reach it? With tls:// {_TLS_HELP}"
        ) from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"--dask {address}: {' '.join(str(error).split())}; {_TLS_HELP}") from None


@contextmanager
def reached() -> Iterator[None]:
    """Say in one line that the scheduler is gone, whichever error of Dask's shows it."""
    try:
        yield
    except OSError as error:
        raise CannotGrade(LOST) from error


class Cluster:
    """The workers of a cluster, looked at now and every few seconds.

    Raises UsageError as soon as the scheduler or a worker has other versions or an address to be wary of.
    """

    def __init__(self, client: Client, *, tell: Callable[[str], None]) -> None:
        self.client = client
        self.addresses: frozenset[str] = frozenset()
        self._tell = tell
        self._threads = 0
        self._looked = 0.0
        self._said = False
        self._look()

    def threads(self) -> int:
        """The workers' threads, 0 while there is no worker."""
        self.assert_connected()
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._look()
        return self._threads

    def _look(self) -> None:
        with reached():
            found: Mapping[str, int] = self.client.nthreads()
            if not self._looked or not self.addresses.issuperset(found):
                self._assert_usable(found)
        self.addresses, self._threads = frozenset(found), sum(found.values())
        self._looked = time.monotonic()
        if not self._threads and not self._said:
            self._tell(f"waiting for workers: {self.client.scheduler.address} has none (Ctrl-C to stop)")
        self._said = not self._threads

    def assert_connected(self) -> None:
        """Raise CannotGrade when the scheduler is gone."""
        if self.client.status != "running":
            raise CannotGrade(LOST)

    def _assert_usable(self, workers: Mapping[str, int]) -> None:
        for address in workers:
            assert_trusted(address)
        versions = self.client.get_versions(packages=["chainrule"])
        assert_same("the scheduler", versions["scheduler"])
        for address, found in versions["workers"].items():
            assert_same(f"the worker {address}", found)


def assert_same(who: str, found: Mapping[str, Any]) -> None:
    """Raise UsageError where a part of the cluster differs in what has to be the same everywhere."""
    packages = found["packages"]
    theirs = {
        "chainrule": packages["chainrule"],
        "python": ".".join(packages["python"].split(".")[:2]),
        "distributed": packages["distributed"],
    }
    for name, version in {**own_versions(), "distributed": distributed.__version__}.items():
        if theirs[name] != version:
            raise UsageError(
                f"{who} has {name} {theirs[name] or '(not installed)'}, this machine {version}: grades would "
                "not be the same; install the same versions everywhere and start the batch again"
            )
