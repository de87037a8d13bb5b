"""The page on this machine's own address, until the marker stops it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from grader.model.errors import UsageError
from grader.review.app import application
from grader.review.guard import ENTRANCE, Keys
from grader.review.page import Page

LOOPBACK = "127.0.0.1"
BACKLOG = 64
STOPS = (signal.SIGINT, signal.SIGTERM)


def listening(port: int) -> socket.socket:
    """A socket on loopback; any free port for 0. Raises UsageError if the port is taken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except OSError as error:
        found.close()
        raise UsageError(f"port {port}: {error.strerror}; --port names another, 0 takes any") from None
    found.listen(BACKLOG)
    return found


def links(keys: Keys, port: int) -> dict[str, str]:
    """Each marker's link."""
    place = keys.public or f"http://{LOOPBACK}:{port}"
    return {marker: f"{place}{ENTRANCE}?token={token}" for marker, token in keys.tokens.items()}


def serve(page: Page, keys: Keys, bound: socket.socket, *, ready: Callable[[], None]) -> None:
    """Answer requests until the process is told to stop; ``ready`` is called as soon as it does."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn's own sends the signal once more at the end, before pages could follow the last marks.
            before = {number: signal.signal(number, self.handle_exit) for number in STOPS}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    config = uvicorn.Config(
        application(page, keys),
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        h11_max_incomplete_event_size=64 * 1024,
        timeout_graceful_shutdown=5,
    )
    Server(config).run(sockets=[bound])
