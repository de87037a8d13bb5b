"""One event loop for all cells, as a kernel has: tasks that one cell starts go on in the next."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import selectors
import threading
from collections.abc import Coroutine
from typing import Any


class EventLoop:
    """The notebook's loop; made when first asked for, and again if a cell has closed it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left: contextvars.Context | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """The loop, which is also what ``asyncio.get_event_loop`` gives in this thread."""
        if self._loop is None or self._loop.is_closed():
            self._loop = _new_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop

    def keep_variables(self) -> None:
        """Let what was set in this task stay set after it, as ``numpy.seterr`` or the precision of decimals.

        A kernel does so for cells that await nothing.
        """
        self._left = contextvars.copy_context()

    def finish(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine returns. While the loop runs, as in a kernel's own cell, it runs beside it."""
        return _in_a_thread(coroutine) if _is_running() else self._until_done(coroutine)

    def _until_done(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        loop = self.get()
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        except KeyboardInterrupt:  # the time was up while it awaited something
            task.cancel()
            with contextlib.suppress(BaseException):
                loop.run_until_complete(task)
            raise
        finally:
            left, self._left = self._left, None
            _set_again(left or contextvars.Context())


LOOP = EventLoop()  # one for the process, as asyncio itself has it


def _is_running() -> bool:
    """Whether a loop runs in this thread. What is raised to say so must not become part of a cell's error."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _set_again(context: contextvars.Context) -> None:
    now = contextvars.copy_context()
    for variable, value in context.items():
        if variable not in now or now[variable] is not value:
            variable.set(value)


def _new_loop() -> asyncio.AbstractEventLoop:
    """A loop whose waiting a copy of the process can go on with.

    asyncio's own choice on Linux is epoll: an object in the kernel that all copies would share and change.
    """
    poll = getattr(selectors, "PollSelector", None)
    return asyncio.SelectorEventLoop(poll()) if poll is not None else asyncio.new_event_loop()


def _in_a_thread(coroutine: Coroutine[Any, Any, Any]) -> Any:
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
