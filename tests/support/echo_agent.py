"""A tiny agent for testing the sandbox itself: runs what it is sent and answers with JSON, a line each.

It stands in for ``grader.inside.agent`` where the walls are the subject, not the protocol.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any, NoReturn


def make_shell() -> dict[str, Any]:
    """The namespace that all lines share."""
    return {"__name__": "__main__"}


def prepare(shell: dict[str, Any]) -> None:
    """Nothing: the namespace is ready."""


def serve(connection: socket.socket, shell: dict[str, Any]) -> NoReturn:
    """Answer each line ``{"run": source}`` with ``{"value": answer}`` or ``{"error": "Name: text"}``.

    The source assigns its result to ``answer``.
    """
    stream = connection.makefile("rwb")
    for line in stream:
        shell["answer"] = None
        try:
            exec(json.loads(line)["run"], shell)
            reply = {"value": shell["answer"]}
        except BaseException as error:  # noqa: BLE001  # KeyboardInterrupt and SystemExit are answers too
            reply = {"error": f"{type(error).__name__}: {error}"}
        stream.write(json.dumps(reply, default=repr).encode() + b"\n")
        stream.flush()
    os._exit(0)
