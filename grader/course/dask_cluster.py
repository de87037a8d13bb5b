"""A Dask cluster: may we connect to it, who is there, and with which versions."""

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
_LOOK_SECONDS = 2.0  # between two questions to the scheduler about its workers
START_AGAIN = "what is graded is kept: start the batch again"
LOST = f"the connection to the Dask scheduler was lost; {START_AGAIN}"
_TLS_HELP = (
    "Dask's settings name the certificates (DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and ..__KEY, or distributed.yaml)"
)


def assert_trusted(address: str) -> None:
    """Raise UsageError unless an address is TLS or on this machine: Dask runs whatever it is sent."""
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
    """Whether a host is this machine by name or number; no name is looked up, for a server could lie."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TidyClient(Client):  # type: ignore[misc]  # distributed has no types
    """A client that is closed at once if it cannot be started.

    Dask leaves such a client to the garbage collector, which may close it during the start of the next one;
    the two then wait for the same lock for ever.
    """

    def start(self, **kwargs: Any) -> None:
        """Start as Dask does; its constructor calls this."""
        try:
            super().start(**kwargs)
        except BaseException:
            self.close()
            raise


def connect(address: str, *, seconds: float = CONNECT_SECONDS) -> Client:
    """A client of the scheduler at an address. Raises UsageError, one line, if there is none."""
    assert_trusted(address)
    for name in ("distributed", "distributed.client"):  # errors become one line of ours
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
def scheduler_reached() -> Iterator[None]:
    """Turn whichever error shows that the scheduler is gone into CannotGrade."""
    try:
        yield
    except OSError as error:
        raise CannotGrade(LOST) from error


class Cluster:
    """The workers of a cluster, asked for now and every few seconds.

    Raises UsageError as soon as the scheduler or a worker has other versions, or an address that is not
    trusted: a worker may join at any time.
    """

    def __init__(self, client: Client, *, notify: Callable[[str], None]) -> None:
        self.client = client
        self.addresses: frozenset[str] = frozenset()
        self._notify = notify
        self._threads = 0
        self._looked = 0.0
        self._said = False
        self._look()

    def threads(self) -> int:
        """The number of the workers' threads; 0 while there is no worker."""
        self.assert_connected()
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._look()
        return self._threads

    def _look(self) -> None:
        with scheduler_reached():
            found: Mapping[str, int] = self.client.nthreads()
            if not self._looked or not self.addresses.issuperset(found):
                self._assert_usable(found)
        self.addresses, self._threads = frozenset(found), sum(found.values())
        self._looked = time.monotonic()
        if not self._threads and not self._said:
            self._notify(f"waiting for workers: {self.client.scheduler.address} has none (Ctrl-C to stop)")
        self._said = not self._threads

    def assert_connected(self) -> None:
        """Raise CannotGrade if the scheduler is gone."""
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
    """Raise UsageError if a part of the cluster differs in versions that have to be the same everywhere."""
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
