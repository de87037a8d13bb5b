"""Running one probe in one real sandbox: what came back, and how the sandbox ended.

A probe is a cell of ours that tries what student code must not be able to do. It goes the way that student
code goes: zygote, supervisor, walls, agent. Importable everywhere; running one needs Linux.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grader.model.isolation import Ending
from grader.sandbox.box import Box
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote

if TYPE_CHECKING:
    from grader.inside import codec

_GRACE = 1.0
_ANSWER = {"$": "ref", "id": 0, "path": [["attribute", "answer"]]}


@dataclass
class ProbeResult:
    """What one probe did.

    ``answer`` is what the cell assigned to that name, ``printed`` what it wrote, ``error`` the exception it
    ended in. ``ended`` says how the sandbox ended if that was before the probe had answered, ``left`` whether
    something of it lives on.
    """

    answer: Any = None
    printed: str = ""
    error: str = ""
    ended: Ending | None = None
    left: bool = False


@dataclass
class _Talk:
    """Requests to the agent in a box, each with one deadline."""

    box: Box
    result: ProbeResult
    requests: int = field(default=0, init=False)

    def ask(self, operation: str, *arguments: object, seconds: float) -> Any:
        """The value of one operation; interrupts it after ``seconds``. Raises OSError when nobody answers."""
        from grader.inside import codec  # noqa: PLC0415  # numpy, which not every place with a grader has

        self.requests += 1
        message = {"op": operation, "with": list(arguments)}
        self.box.data.sendall(b"".join(codec.pack(codec.REQUEST, self.requests, message, _as_it_is)))
        deadline = time.monotonic() + seconds
        try:
            return self._answer(deadline)
        except TimeoutError:
            self.box.interrupt()
            return self._answer(time.monotonic() + _GRACE)

    def _answer(self, deadline: float) -> Any:
        from grader.inside import codec  # noqa: PLC0415

        while True:
            # One wait for the beginning of a frame; the honest agent sends the rest at once.
            self.box.data.settimeout(max(0.001, deadline - time.monotonic()))
            self.box.data.recv(1, socket.MSG_PEEK)
            self.box.data.settimeout(_GRACE)
            tree, size, _, kind = codec.parse_header(self._exactly(codec.HEADER.size))
            body = self._exactly(tree + size)
            value = codec.unpack(body[:tree], body[tree:])
            if kind == codec.STREAM:
                self.result.printed += value[1]
            elif kind != codec.DISPLAY:
                return value

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.box.data.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def try_inside(zygote: Zygote, spec: BoxSpec, source: str, *, seconds: float = 10.0) -> ProbeResult:
    """Run ``source`` as a cell in a sandbox of its own, interrupted after ``seconds``.

    Raises InfrastructureError when the sandbox does not start: that is no answer to any question.
    """
    from grader.inside.codec import WireError  # noqa: PLC0415

    result = ProbeResult()
    with zygote.spawn(spec) as box:
        box.wait_started()
        # Everything inside holds the other end: it reads as ended when nobody is left.
        with box.data.dup() as witness:
            try:
                _run(_Talk(box, result), source, seconds)
            except (OSError, EOFError, WireError) as error:
                if isinstance(error, TimeoutError):
                    box.kill()
                result.ended = box.ending(wait=_GRACE) or box.close().ending
            box.close()
            result.left = not _ended(witness)
    return result


def _run(talk: _Talk, source: str, seconds: float) -> None:
    ran = talk.ask("cell", source.encode(), seconds=seconds)
    if ran.get("ok") is not True:
        talk.result.error = f"{ran.get('kind')}: {ran.get('message')}"
        return
    talk.result.answer = talk.ask("value", _Raw(_ANSWER), seconds=seconds)


@dataclass(frozen=True)
class _Raw:
    """A node of the wire's own."""

    node: dict[str, Any]


def _as_it_is(encoder: codec.Encoder, value: object, depth: int) -> Any:
    del encoder, depth
    if not isinstance(value, _Raw):
        raise TypeError(f"an object of type {type(value).__name__}")
    return value.node


def _ended(witness: socket.socket) -> bool:
    """Whether every process that held the other end is gone; a dying one gets a moment."""
    witness.settimeout(_GRACE)
    with contextlib.suppress(ConnectionError):
        try:
            while witness.recv(1 << 16):
                continue
        except TimeoutError:
            return False
    return True
