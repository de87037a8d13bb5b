"""Answers requests beside the student's code: run a cell, follow a path, call, assign, fork.

The student's code shares this process and can rewrite everything here, so nothing here decides anything: it
fetches values, and the trusted side judges them.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import inspect
import os
import random
import socket
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, Protocol

from grader.inside import codec, copies, files, habits, kernel, stand_ins
from grader.inside import shell as shells
from grader.inside.event_loop import LOOP
from grader.inside.generators import seed_all
from grader.inside.interrupts import Interrupts
from grader.inside.notes import NOTES
from grader.inside.output import Output, Stream
from grader.inside.plain import EndlessError, as_plain, fields_of
from grader.inside.threads import ThreadPools

ROOT = 0
_NO_REQUEST = -1  # what a fresh copy is in: the process that forked it answers the request
MAX_TRACEBACK = 4000

Frame = list[codec.Buffer]
Step = Sequence[Any]


class Sink(Protocol):
    """Takes frames on their way to the trusted side."""

    def send(self, frame: Frame) -> None:
        """Send one frame whole."""


class MissingNameError(NameError):
    """A check asks for a name that the notebook does not define; told apart from student code's own."""


class Namespace:
    """The notebook's globals, reached by name; object 0 of every session."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def get(self, name: str) -> Any:
        """The global of this name; raises NameError as the notebook itself would."""
        if name not in self.names:
            raise MissingNameError(f"name {name!r} is not defined in the notebook", name=name)
        return self.names[name]


class Agent:
    """Serves one copy of a notebook's state; ``shell`` is None where no cells are run."""

    def __init__(
        self,
        names: dict[str, Any],
        sink: Sink,
        *,
        shell: shells.Shell | None = None,
        interrupts: Interrupts | None = None,
    ) -> None:
        self._sink, self._shell = sink, shell
        self._interrupts = interrupts or Interrupts()
        self._request = 0
        self._process = os.getpid()
        self._home = os.getcwd()  # noqa: PTH109  # where the submission's files lie
        self._objects: list[Any] = [Namespace(names)]
        self._pools = ThreadPools()
        self._preparations = habits.Preparations()
        self.output = Output(self._emit_text, self._emit_display)
        self.stdout, self.stderr = Stream(self.output, "stdout"), Stream(self.output, "stderr")
        if shell is not None:
            shells.connect_output(shell, self.output)

    # -- one request ---------------------------------------------------------------------------------

    def handle(self, request: int, tree: codec.Buffer, buffer: codec.Buffer) -> None:
        """Answer one request: any number of stream and display frames, then one reply or error.

        A process that student code forked and that comes back here ends instead of answering a second time.
        """
        self._request = request
        self.output.begin()
        NOTES.begin()
        try:
            message = codec.unpack(tree, buffer, self._resolve)
            operation = _OPERATIONS[message["op"]]
            if message["op"] != "cell":  # a cell's redirection lasts for the cells after it, as in Jupyter
                self.take_streams()
            with self._interrupts.allowed():
                value = operation(self, *message["with"])
                reply = self._reply(request, value, may_stay=message["op"] == "call")
        except BaseException as error:  # noqa: BLE001  # student code may raise anything, also SystemExit
            reply = codec.pack(codec.ERROR, request, describe(error, self._home, self._shell))
        if os.getpid() != self._process:  # a fork made by student code: its parent answers
            os._exit(0)
        if self._request == request:  # else this is the fresh copy, which waits for a request of its own
            self.output.finish()
            self._sink.send(reply)

    def take_streams(self) -> None:
        """Receive what is printed, whatever a student has put in the streams' place."""
        sys.stdout, sys.stderr = self.stdout, self.stderr

    def _reply(self, request: int, value: object, *, may_stay: bool) -> Frame:
        """The frame for a value; what a call gave and cannot cross stays here, and a handle on it goes."""
        try:
            return codec.pack(codec.REPLY, request, value, self._reference)
        except codec.NotPlainDataError as error:
            if not may_stay:
                raise
            if isinstance(error, EndlessError):  # what was taken from it is given once more
                value = error.instead if type(value) is not list else value
        return codec.pack(codec.REPLY, request, Kept(value), self._reference)

    def _emit_text(self, name: str, text: str) -> None:
        self._emit(codec.STREAM, [name, text])

    def _emit_display(self, data: dict[str, bytes]) -> None:
        self._emit(codec.DISPLAY, data)

    def _emit(self, kind: int, value: object) -> None:
        if os.getpid() != self._process:  # a student's own fork must not write between our frames
            return
        with self._interrupts.held():
            try:
                frame = codec.pack(kind, self._request, value)
            except codec.NotPlainDataError:
                return
            self._sink.send(frame)

    # -- values --------------------------------------------------------------------------------------

    def _resolve(self, node: dict[str, Any], decoder: codec.Decoder) -> Named:
        """The object that a handle names; its path is followed later, where a KeyError is the student's."""
        return Named(self._objects[node["id"]], decoder.decode(node.get("path", [])))

    def _reference(self, encoder: codec.Encoder, value: object, depth: int) -> Any:
        if type(value) is Kept:
            return self._handle(value.value)
        plain = as_plain(value)
        if plain is not value:
            return encoder.encode(plain, depth)
        return self._handle(value)

    def _handle(self, value: object) -> dict[str, Any]:
        self._objects.append(value)
        return {"$": "ref", "id": len(self._objects) - 1, "type": shells.kind_of(value)[:80]}

    # -- operations: each takes plain data, and the student's objects as Named -----------------------

    def _cell(self, source: bytes, number: int = 0, line: int = 1) -> dict[str, Any]:
        if self._shell is None:
            raise RuntimeError("this session runs no cells")
        text = source.decode()
        self._preparations.look(text)
        result = shells.run_cell(self._shell, text, cell=number, line=line)
        return {**result, "notes": list(NOTES.kept)}

    def _configure(self, settings: dict[str, Any]) -> None:
        self._preparations = habits.Preparations(gpu_on_processor=settings["gpu_on_processor"])
        if self._shell is not None:
            shells.be_main(self._shell, settings["module"])
            if settings["name"]:
                shells.be_file(self._shell, settings["name"], script=settings["script"])
            shells.draw_figures(self._shell, wanted=settings["figures"])

    def _value(self, named: Named) -> object:
        return self._data(named, fields=True)

    def _data(self, named: Named, *, fields: bool = False) -> object:
        """Plain data; with ``fields`` also an object's, which was asked for as data then."""
        target = named.value
        plain = as_plain(target, asked=True)
        plain = fields_of(plain) if fields else plain
        if not codec.is_plain(plain):
            raise codec.NotPlainDataError(f"an object of type {shells.kind_of(target)[:80]}")
        return plain

    def _call(self, function: Named, arguments: list[Any], by_name: dict[str, Any]) -> object:
        target: Any = function.value
        result = target(*resolved(arguments), **resolved(by_name))
        return LOOP.finish(result) if inspect.iscoroutine(result) else result

    def _set(self, named: Named, step: Step, value: object) -> None:
        owner, (kind, name) = named.value, step
        value = resolved(value)
        if isinstance(owner, Namespace):
            owner.names[name] = value
        elif kind == "attribute":
            setattr(owner, name, value)
        else:
            owner[name] = value  # whatever the student's object supports

    def _has(self, name: str) -> bool:
        namespace = self._objects[ROOT]
        return isinstance(namespace, Namespace) and name in namespace.names

    def _put(self, value: object) -> Any:
        return Kept(resolved(value))

    def _provide(self, source: str) -> Any:
        module = types.ModuleType("provided")
        code = compile(source, "<provided by the check>", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102  # the author's
        return Kept(module)

    def _module(self, name: str) -> Any:
        return Kept(importlib.import_module(name))

    def _file(self, place: str, data: bytes) -> bool:
        """Lay a file in the working directory, before any cell runs; False if it cannot lie there."""
        if place.endswith(".py"):  # it may be imported
            self._preparations.look(data.decode("utf-8", "replace"))
        return files.lay(place, data)

    def _settle(self) -> bool:
        """Whether this state can be copied: no other thread is left."""
        return self._pools.settle()

    def _fork(self, seed: int | None, done: int | None) -> int | None:
        """Make a copy of this state, on a socket of its own; returns its pid. Ends the copy ``done`` first.

        The copy's generators start from ``seed``; without one they go on from where this state's are.
        """
        if done is None:  # the first copy: the cells have run
            copies.give_back_memory()
        else:
            copies.reap(done)
        if not isinstance(self._sink, Connection):
            raise TypeError("only a session over a socket can fork")
        descriptor = self._sink.receive_descriptor()
        gc.freeze()  # what exists now is shared with the copy: the collector must not touch its pages
        state = random.getstate()  # a fork seeds `random` anew from the machine
        with self.output.undisturbed():
            child = copies.fork()
        if child:
            os.close(descriptor)
            return child
        self._pools.resume()
        self._process = os.getpid()
        # In place of the inherited connection: the copy cannot write into its parent's.
        os.dup2(descriptor, self._sink.socket.fileno(), inheritable=False)
        os.close(descriptor)
        self._request = _NO_REQUEST
        if seed is None:
            random.setstate(state)
        else:
            seed_all(seed)
        return None


class Kept:
    """Marks a value that stays inside although it is plain data."""

    def __init__(self, value: object) -> None:
        self.value = value


class Named:
    """An object of this side that a request names, and a path below it; its value is itself, no copy."""

    def __init__(self, start: object, path: Sequence[Step]) -> None:
        self._start, self._path = start, path

    @property
    def value(self) -> Any:
        """The object at the path's end; raises what the student's objects raise on the way."""
        return follow(self._start, resolved(self._path))


_OPERATIONS: dict[str, Callable[..., object]] = {
    "cell": Agent._cell,
    "configure": Agent._configure,
    "value": Agent._value,
    "data": Agent._data,
    "call": Agent._call,
    "set": Agent._set,
    "has": Agent._has,
    "put": Agent._put,
    "provide": Agent._provide,
    "module": Agent._module,
    "file": Agent._file,
    "settle": Agent._settle,
    "fork": Agent._fork,
    "reap": lambda _, pid: copies.reap(pid),
    "seed": lambda _, seed: seed_all(seed),
}


def follow(start: object, path: Sequence[Step]) -> Any:
    """The object at the end of a path of ("attribute", name) and ("key", key) steps."""
    target: Any = start
    for kind, name in path:
        if isinstance(target, Namespace):
            target = target.get(name)
        else:
            target = getattr(target, name) if kind == "attribute" else target[name]
    return target


def resolved(value: Any) -> Any:
    """What a request carries, with the objects that it names as themselves, so that changes in them are seen.

    All else is a copy already, which student code may write to.
    """
    if type(value) is Named:
        return value.value
    if type(value) is list or type(value) is tuple:
        return type(value)(map(resolved, value))
    if type(value) is dict:
        return {key: resolved(entry) for key, entry in value.items()}
    return value


def describe(error: BaseException, home: str = "", shell: Any = None) -> dict[str, Any]:
    """An exception as plain data: kind, message, the student's frames, what did not cross.

    ``place`` is where the student's own code raised it: a file below ``home``, a cell's number, a line.
    """
    place: list[Any] = []
    unsupported = str(error) if isinstance(error, codec.NotPlainDataError) else ""
    try:
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [frame for frame in frames if not frame.filename.startswith(_HERE)]
        lines = shells.readable("".join(traceback.format_list(theirs))[-MAX_TRACEBACK:])
        places = [found for frame in theirs if (found := _place_of(frame, home, shell))]
        place = places[-1] if places else []
    except BaseException:  # noqa: BLE001  # a student may have broken linecache or the error's own attributes
        lines = ""
    return {
        "kind": "NameError" if type(error) is MissingNameError else shells.kind_of(error),
        "bases": shells.bases_of(error),
        "message": shells.text_of(error),
        "traceback": lines,
        "unsupported": unsupported,
        "place": place,
        "missing": type(error) is MissingNameError,
    }


def _place_of(frame: traceback.FrameSummary, home: str, shell: Any) -> list[Any]:
    """File, cell and line of a frame of the student's; [] for other code."""
    own = None if shell is None else shell.compile.place_of(frame.filename)
    if own is None and home and frame.filename.startswith(home + "/"):
        own = frame.filename[len(home) + 1 :], 0
    return [] if own is None else [*own, frame.lineno or 0]


_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib is not needed inside


class Connection:
    """Frames over a stream socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def send(self, frame: Frame) -> None:
        """Send one frame whole."""
        total = sum(len(part) for part in frame)
        sent = self.socket.sendmsg(frame) if len(frame) <= 16 else 0  # noqa: PLR2004  # IOV_MAX is far above
        if sent < total:
            self.socket.sendall(memoryview(b"".join(frame))[sent:])

    def receive_descriptor(self) -> int:
        """The file descriptor that follows a request, on one byte of its own."""
        received, ancillary, _, _ = self.socket.recvmsg(1, socket.CMSG_LEN(4))
        if not received or not ancillary:
            raise RuntimeError("no socket came with the request")
        descriptors = array.array("i")
        descriptors.frombytes(ancillary[0][2][:4])
        return descriptors[0]

    def receive(self) -> tuple[int, bytearray, memoryview]:
        """(request id, tree, buffer) of the next request; raises EOFError when the trusted side is gone."""
        tree, size, request, _ = codec.parse_header(self._exactly(codec.HEADER.size))
        body = memoryview(self._exactly(tree + size))
        return request, bytearray(body[:tree]), body[tree:]

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self.socket.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]
        return data


@contextlib.contextmanager
def redirected(agent: Agent) -> Iterator[None]:
    """sys.stdout and sys.stderr go to the agent's output; for sessions that share their process."""
    with contextlib.redirect_stdout(agent.stdout), contextlib.redirect_stderr(agent.stderr):
        yield


def make_shell() -> shells.Shell:
    """The shell that ``serve`` uses; made in the zygote, before any fork."""
    return shells.make_shell()


def prepare(shell: shells.Shell) -> None:
    """Make it a notebook's, in the zygote once all is imported: each fork would take 10 ms for it."""
    habits.prepare(shell)
    kernel.install(shell)
    for wanted in (True, False):  # what either needs is then loaded
        shells.draw_figures(shell, wanted=wanted)


def serve(sock: socket.socket, shell: shells.Shell) -> NoReturn:
    """Answer requests until the trusted side closes the socket. Owns the process."""
    connection = Connection(sock)
    interrupts = Interrupts()
    interrupts.install()
    agent = Agent(shell.user_ns, connection, shell=shell, interrupts=interrupts)
    agent.take_streams()
    habits.begin(shell)
    sys.modules["grader"] = stand_ins.grader_module()
    sys.path.insert(0, "")  # as in Jupyter: what was given lies in the working directory
    while True:
        try:
            request, tree, buffer = connection.receive()
        except EOFError:
            os._exit(0)
        agent.handle(request, tree, buffer)
