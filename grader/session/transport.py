"""How requests reach a copy of a notebook's state, and what comes back.

A ``Session`` speaks the codec over a ``Transport``; the sandboxed and the in-process transport carry the same
frames, so a check means the same on a laptop and in the grader.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Protocol

from grader.inside import codec
from grader.inside.recordings import EVIDENCE, MAX_RECORDING, MAX_RECORDINGS
from grader.model.errors import AuthorError, SandboxDied, StudentError, UnsupportedValue
from grader.session.proxy import Proxy, Student

Frame = list[codec.Buffer]
OnOutput = Callable[[int, codec.Buffer, codec.Buffer], None]

MAX_PRINTED = 1 << 19  # characters of one check, two full calls
MAX_PICTURES = 50
STREAMS = ("stdout", "stderr")
CUT = "\n[output truncated]\n"

NOT_AN_ANSWER = "the student's process sent something that is not an answer"


class Transport(Protocol):
    """Carries one request and its answer."""

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, seconds: float
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """Send a request, hand streams and displays to ``on_output``, give the final (kind, tree, buffer).

        Raises CallTimedOut after ``seconds`` of wall-clock time, SandboxDied when nobody answers any more,
        WireError when what came is not a frame.
        """


class Session:
    """One copy of a notebook's state as the trusted side sees it."""

    def __init__(self, transport: Transport, *, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._printed: list[tuple[str, str]] = []
        self._room = MAX_PRINTED
        self.pictures: list[str] = []
        self.evidence: list[bytes] = []

    @property
    def student(self) -> Student:
        """What a check holds in its hand."""
        return Student(self)

    @property
    def printed(self) -> str:
        """What student code wrote to stdout in this session."""
        return "".join(text for name, text in self._printed if name == "stdout")

    @property
    def written(self) -> str:
        """What student code wrote to stdout and stderr in this session, in order."""
        return "".join(text for _, text in self._printed)

    def forget_output(self) -> None:
        """Start anew with no text, no pictures and no evidence."""
        self._printed, self._room = [], MAX_PRINTED
        self.pictures, self.evidence = [], []

    def request(self, operation: str, *arguments: object, seconds: float | None = None) -> Any:
        """The value of one operation of the agent.

        Raises StudentError for an exception in student code, UnsupportedValue for a value that may not cross,
        AuthorError for an argument that may not, and what the transport raises.
        """
        number = secrets.randbits(63)
        try:
            frame = codec.pack(
                codec.REQUEST, number, {"op": operation, "with": list(arguments)}, self._handle_of_proxy
            )
        except codec.NotPlainDataError as error:
            raise AuthorError(
                f"the check passes {error} to student code; "
                "pass numbers, strings, lists, dicts, arrays or proxies"
            ) from None
        try:
            kind, tree, buffer = self._transport.exchange(
                frame, number, self._on_output, seconds=seconds or self._seconds
            )
            value = codec.unpack(tree, buffer, self._proxy)
        except codec.WireError as error:
            raise SandboxDied(f"{NOT_AN_ANSWER} ({error})") from None
        if kind == codec.REPLY:
            return value
        raise _error_from(value)

    def _proxy(self, node: dict[str, Any], _: codec.Decoder) -> Proxy:
        number, kind = node.get("id"), node.get("type")
        if type(number) is not int or not 0 <= number < 1 << 62 or type(kind) is not str:
            raise codec.WireError("malformed handle")
        return Proxy(self, number, kind[:80])

    def _handle_of_proxy(self, encoder: codec.Encoder, value: object, depth: int) -> Any:
        if not isinstance(value, Proxy):
            raise codec.NotPlainDataError(f"an object of type {type(value).__name__}")
        if value._session is not self:
            raise AuthorError(f"{value!r} belongs to another check; get it anew from this check's `student`")
        number, path = value._where()
        return {"$": "ref", "id": number, "path": encoder.encode([list(step) for step in path], depth + 1)}

    def _on_output(self, kind: int, tree: codec.Buffer, buffer: codec.Buffer) -> None:
        value = codec.unpack(tree, buffer)
        if kind == codec.DISPLAY:
            if type(value) is dict:
                self._on_display(value)
            return
        if type(value) is not list or [type(part) for part in value] != [str, str]:
            raise codec.WireError("malformed stream")
        name, text = value
        if name not in STREAMS:
            raise codec.WireError("malformed stream")
        if text and self._room > 0:
            self._printed.append((name, text if len(text) <= self._room else text[: self._room] + CUT))
            self._room -= len(text)

    def _on_display(self, data: dict[Any, Any]) -> None:
        """Keep a picture as its base64, and evidence as the bytes that came: nobody has read them yet."""
        picture, recording = data.get("image/png"), data.get(EVIDENCE)
        if type(picture) is bytes and len(self.pictures) < MAX_PICTURES:
            self.pictures.append(picture.decode("ascii", "replace"))
        room = len(self.evidence) < MAX_RECORDINGS
        if type(recording) is bytes and len(recording) <= MAX_RECORDING and room:
            self.evidence.append(recording)


def _error_from(value: Any) -> Exception:
    """The error that an error frame describes; its texts are the student's."""
    fields = ("kind", "message", "traceback", "unsupported")
    if type(value) is not dict or any(type(value.get(field)) is not str for field in fields):
        return SandboxDied(f"{NOT_AN_ANSWER} (malformed error)")
    if value["unsupported"]:
        return UnsupportedValue(
            f"the student's code gave {value['unsupported'][:200]}, which cannot be checked"
        )
    return StudentError(value["kind"][:100], value["message"][:2000], value["traceback"][-4000:])
