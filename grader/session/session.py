"""A session: one copy of a notebook's state, asked over a transport.

It speaks the codec. The sandboxed and the in-process transport carry the same frames, so a check means the
same on a laptop and in the grader.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from grader.inside import codec
from grader.inside.media_types import EVIDENCE, MAX_PICTURES, MAX_RECORDING, MAX_RECORDINGS, PNG
from grader.model.endings import NOT_AN_ANSWER
from grader.model.errors import AuthorError, CheckError, MissingName, SandboxDied, UnsupportedValue
from grader.session.allowance import Allowance, Meter
from grader.session.handed_out import HandedOut
from grader.session.history import Asked, History
from grader.session.proxy import ROOT, Proxy, Student
from grader.session.student_errors import MAX_NAMES, student_error
from grader.session.transport import Frame, Transport

MAX_PRINTED = 1 << 19  # characters of one check, two full calls
MAX_PLACE, MAX_NUMBER = 1000, 10_000_000  # of a place: characters, cells and lines
STREAMS = ("stdout", "stderr")
OnRequest = Callable[[str, tuple[object, ...], object], None]
"""Receives an operation, its arguments and its result, or the error that it ended with."""
CUT = "\n[output truncated]\n"


class Session:
    """One copy of a notebook's state, seen from the trusted side.

    Its requests may take ``seconds`` together, by ``meter`` if there is one. ``pictures`` (base64 PNG) and
    ``evidence`` (JSON) are what student code displayed; untrusted.
    """

    def __init__(self, transport: Transport, *, seconds: float, meter: Meter | None = None) -> None:
        self._transport = transport
        self._meter = meter
        self._allowance = Allowance(seconds, meter)
        self.used = 0.0
        """Seconds that the latest request with a limit of its own took, without those of a busy machine."""
        self.history = History()
        self.handed_out = HandedOut()
        self._excused = 0.0
        self.unanswered: CheckError | None = None
        """Why a request got no answer: the state is gone, or the latest one asked for a missing name."""
        self._printed: list[tuple[str, str]] = []
        self._room = MAX_PRINTED
        self.pictures: list[str] = []
        self.evidence: list[bytes] = []
        self.on_request: OnRequest | None = None
        """Receives every request with what came of it, for those who want to repeat them."""

    @property
    def student(self) -> Student:
        """The proxy of the student's notebook that a check receives."""
        return Student(self)

    @property
    def printed(self) -> str:
        """What student code wrote to stdout in this session."""
        return self.printed_to("stdout")

    def printed_to(self, stream: str) -> str:
        """What student code wrote to "stdout" or "stderr" in this session."""
        return "".join(text for name, text in self._printed if name == stream)

    @property
    def written(self) -> str:
        """What student code wrote to stdout and stderr in this session, in order."""
        return "".join(text for _, text in self._printed)

    @property
    def excused(self) -> float:
        """The seconds of all requests in which the machine was too busy."""
        return self._excused + self._allowance.excused()

    def forget_output(self) -> None:
        """Forget the text, pictures and evidence received so far."""
        self._printed, self._room = [], MAX_PRINTED
        self.pictures, self.evidence = [], []

    def request(self, operation: str, *arguments: object, seconds: float | None = None) -> Any:
        """The result of one operation of the agent, within ``seconds`` of its own if they are given.

        Raises StudentError for an exception in student code, UnsupportedValue for a result that is not plain
        data, AuthorError for an argument that is not, and what the transport raises.
        """
        if self.on_request is None:
            return self._requested(operation, arguments, seconds)
        try:
            value = self._requested(operation, arguments, seconds)
        except CheckError as error:
            self.on_request(operation, arguments, error)
            raise
        self.on_request(operation, arguments, value)
        return value

    def _requested(self, operation: str, arguments: tuple[object, ...], seconds: float | None) -> Any:
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
        start = time.monotonic()
        try:
            kind, value, size = self._answer(frame, number, seconds)
        except CheckError as error:
            self.unanswered = error
            raise
        if isinstance(self.unanswered, MissingName):
            self.unanswered = None
        failed = kind != codec.REPLY
        asked = Asked(operation, arguments, None if failed else value, failed=failed)
        self.history.add(asked, size=size, seconds=time.monotonic() - start)
        if not failed:
            self.handed_out.add(value)
            return value
        raised = _error_from(value, _root_names(arguments))
        if isinstance(raised, MissingName | SandboxDied):
            self.unanswered = self.unanswered or raised
        raise raised

    def _answer(self, frame: Frame, number: int, seconds: float | None) -> tuple[int, Any, int]:
        """Kind and value of an answer, and the bytes of question and answer."""
        try:
            kind, tree, buffer = self._exchange(frame, number, seconds)
            size = sum(memoryview(part).nbytes for part in (*frame, tree, buffer))
            return kind, codec.unpack(tree, buffer, self._proxy), size
        except codec.WireError as error:
            raise SandboxDied(f"{NOT_AN_ANSWER} ({error})") from None

    def _exchange(
        self, frame: Frame, number: int, seconds: float | None
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        if seconds is None:
            return self._transport.exchange(frame, number, self._on_output, allowance=self._allowance)
        allowance = Allowance(seconds, self._meter)
        try:
            return self._transport.exchange(frame, number, self._on_output, allowance=allowance)
        finally:
            self.used, self._excused = allowance.used(), self._excused + allowance.excused()

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
        """Keep a picture as base64 and evidence as bytes, both unparsed."""
        picture, recording = data.get(PNG), data.get(EVIDENCE)
        if type(picture) is bytes and len(self.pictures) < MAX_PICTURES:
            self.pictures.append(picture.decode("ascii", "replace"))
        room = len(self.evidence) < MAX_RECORDINGS
        if type(recording) is bytes and len(recording) <= MAX_RECORDING and room:
            self.evidence.append(recording)


def _root_names(arguments: tuple[object, ...]) -> list[str]:
    """The notebook's names that a request uses, the one that it is about first."""
    names: list[str] = []
    for value in arguments:
        if isinstance(value, Proxy):
            number, path = value._where()
            names += [str(path[0][1])] if number == ROOT and path else []
        elif isinstance(value, list | tuple):
            names += _root_names(tuple(value))
        elif isinstance(value, dict):
            names += _root_names(tuple(value.values()))
    return names


def _error_from(value: Any, names: list[str]) -> CheckError:
    """The error that an error frame describes; its texts are the student's.

    A name is missing only if the check asked for it: its text comes from the check, not from the frame.
    """
    fields = ("kind", "message", "traceback", "unsupported")
    if type(value) is not dict or any(type(value.get(field)) is not str for field in fields):
        return SandboxDied(f"{NOT_AN_ANSWER} (malformed error)")
    if value["unsupported"]:
        return UnsupportedValue(
            f"the student's code gave {value['unsupported'][:200]}, which cannot be checked"
        )
    if value.get("missing") is True and names:
        missing = [name for name in names if value["message"] == str(MissingName(name).message)]
        return MissingName((missing or names)[0])
    return student_error(
        [value["kind"][:100], *_bases(value.get("bases"))],
        value["message"][:2000],
        value["traceback"][-4000:],
        _place(value.get("place")),
    )


def _bases(found: object) -> list[str]:
    """The names of an exception's base classes in an error frame."""
    return [name[:100] for name in found[:MAX_NAMES] if type(name) is str] if type(found) is list else []


def _place(found: object) -> tuple[str, int, int] | None:
    """The place that an error frame names, if it is one: file, cell, line."""
    if type(found) is not list or [type(part) for part in found] != [str, int, int]:
        return None
    file, cell, line = found
    return (file[:MAX_PLACE], cell, line) if 0 <= cell < MAX_NUMBER and 0 <= line < MAX_NUMBER else None
