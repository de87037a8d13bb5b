"""Frames of the codec, read from a socket under a deadline."""

from __future__ import annotations

import contextlib
import select
import socket
import time

import numpy as np

from grader.inside import codec

READ_AHEAD = 1 << 16


class FrameReader:
    """Reads frames piece by piece, so that a deadline in the middle of a frame loses nothing.

    Small frames arrive whole with one read of the socket; large ones are read straight into their memory.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._chunk = memoryview(bytearray(READ_AHEAD))
        self._ahead = self._chunk[:0]
        self._header: tuple[int, int, int, int] | None = None
        self._part = memoryview(bytearray(codec.HEADER.size))
        self._filled = 0

    def read(self, deadline: float) -> tuple[int, int, memoryview, memoryview]:
        """(request, kind, tree, buffer). Raises TimeoutError, EOFError, WireError."""
        if self._header is None:
            self._fill(deadline)
            self._header = codec.parse_header(self._part)
            # np.empty takes no pages until they are written: a header that claims a gigabyte costs nothing.
            self._part, self._filled = np.empty(self._header[0] + self._header[1], np.uint8).data, 0
        self._fill(deadline)
        (tree, _, request, kind), body = self._header, self._part
        self._header, self._part, self._filled = None, memoryview(bytearray(codec.HEADER.size)), 0
        return request, kind, body[:tree], body[tree:]

    def _fill(self, deadline: float) -> None:
        """Fill the current part, first from what was read ahead, then from the socket."""
        while (missing := len(self._part) - self._filled) > 0:
            if not self._ahead and missing < READ_AHEAD:
                self._ahead = self._chunk[: self._receive(self._chunk, deadline)]
            if self._ahead:
                count = min(missing, len(self._ahead))
                self._part[self._filled : self._filled + count] = self._ahead[:count]
                self._ahead = self._ahead[count:]
            else:
                count = self._receive(self._part[self._filled :], deadline)
            self._filled += count

    def _receive(self, into: memoryview, deadline: float) -> int:
        """Receive at least one byte; how many.

        No ancillary space is offered, so the kernel drops descriptors that student code sends.
        """
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            with contextlib.suppress(BlockingIOError):
                count = self._socket.recv_into(into, 0, socket.MSG_DONTWAIT)
                if count == 0:
                    raise EOFError
                return count
