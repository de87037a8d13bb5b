"""Programs that a notebook starts: heard while they run, ended with everything that they started."""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO

Hear = Callable[[str], object]

_CHUNK = 1 << 16
_LOOK_AGAIN = 0.05  # seconds until it is asked whether a silent program has ended


def run(arguments: Sequence[str], text: str, out: Hear, err: Hear | None = None) -> int:
    """Run a program that is given ``text`` to read; its exit status. Raises OSError if it cannot start.

    What it writes is passed on in pieces, so that none of it is kept here; ``out`` gets the errors too where
    ``err`` is None. Whatever ends this function, as a KeyboardInterrupt, ends the program first.
    """
    process = None
    try:
        with _readable(text) as given, _interrupted_afterwards():
            process = subprocess.Popen(
                arguments,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if err is None else subprocess.PIPE,
                start_new_session=True,  # a group of its own, to end what it starts as well
            )
        _listen(process, out, err or out)
        return process.wait()
    except BaseException:
        if process is not None:
            end(process)
        raise
    finally:
        for pipe in filter(None, (process.stdout, process.stderr) if process is not None else ()):
            pipe.close()


def start(arguments: Sequence[str], text: str) -> subprocess.Popen[bytes]:
    """Start a program that nobody listens to and nobody waits for."""
    with _readable(text) as given:
        return subprocess.Popen(
            arguments,
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and the group that it leads."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _interrupted_afterwards() -> Iterator[None]:
    """Let a SIGINT wait until a program that is being started is somebody's: Popen would leave it running."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield  # then nothing is raised here
        return
    waiting: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if waiting:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _readable(text: str) -> Iterator[IO[bytes] | int]:
    """What a program reads: a file, as a pipe would have to be filled while the output is read."""
    if not text:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(text.encode("utf-8", "replace"))
        file.seek(0)
        yield file


def _listen(process: subprocess.Popen[bytes], out: Hear, err: Hear) -> None:
    """Pass on what comes until the program has ended.

    Its end counts and not that of its pipes: what it left running in the background may hold them for ever.
    """
    with selectors.DefaultSelector() as waiting:
        for pipe, hear in ((process.stdout, out), (process.stderr, err)):
            if pipe is not None:
                decoder = codecs.getincrementaldecoder("utf-8")("replace")
                waiting.register(pipe, selectors.EVENT_READ, (decoder, hear))
        while waiting.get_map():
            ended = process.poll() is not None
            ready = waiting.select(0 if ended else _LOOK_AGAIN)
            if ended and not ready:
                return
            for key, _ in ready:
                decoder, hear = key.data
                data = os.read(key.fd, _CHUNK)
                if said := decoder.decode(data, final=not data):
                    hear(said)
                if not data:
                    waiting.unregister(key.fileobj)
