"""The network, which is closed: a connection that the walls refuse is named, so that nobody has to guess."""

from __future__ import annotations

import socket
from typing import Any

from grader.inside.notes import not_done

_SAID = "the network: no connection can be made"


def install() -> None:
    """Name refused connections. Acts on the whole process; nothing is refused here."""
    if getattr(socket.getaddrinfo, "names_refusals", False):
        return
    create: Any = socket.socket.__init__
    look_up: Any = socket.getaddrinfo

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: N807  # it becomes the class's own
        try:
            create(self, *arguments, **options)
        except PermissionError:
            not_done(_SAID)
            raise

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return look_up(host, *arguments, **options)
        except socket.gaierror:
            not_done(_SAID)
            raise

    getaddrinfo.names_refusals = True  # type: ignore[attr-defined]
    vars(socket)["getaddrinfo"] = getaddrinfo
    socket.socket.__init__ = __init__  # type: ignore[method-assign]
