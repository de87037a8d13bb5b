"""The zygote's own program: import the libraries once, then fork a supervisor for each request.

Run as ``python -P -m grader.sandbox.warm FD ENTRY PRELOAD...`` by ``grader.sandbox.zygote``, with a clean
environment, before anybody's notebook is opened. A last PRELOAD of "+" means that the names of more modules
follow on the socket. Every sandbox is a copy of this process, so whatever it
ever held could be read by student code: no tests, no submissions, no secrets come here. It stays
single-threaded, because only then a fork is whole.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

# Imported now, because in a sandbox this package's own files are out of sight.
from grader.inside import compiling
from grader.inside.generators import seed_all
from grader.sandbox import confinement, huge_pages, supervisor
from grader.sandbox.spec import MORE

_PACKET = 1 << 17
_DESCRIPTORS = 2
_FAREWELL_SECONDS = 10.0


def main(arguments: list[str]) -> int:
    """Serve requests on the socket numbered by the first argument until the other end closes."""
    control = socket.socket(fileno=int(arguments[0]))
    try:
        serve = _prepare(entry=arguments[1], preload=arguments[2:], control=control)
    except BaseException as error:  # noqa: BLE001  # told to the host in words, whatever it is
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors that ended are reaped by the kernel
    control.send(json.dumps({"ready": os.getpid()}).encode())
    if _serve_one(control, serve):
        # After the first, while its cells run: grading a single submission does not wait for this.
        huge_pages.gather()
        while _serve_one(control, serve):
            continue
    _wait_for_children()
    return 0


def _prepare(*, entry: str, preload: list[str], control: socket.socket) -> confinement.Serve:
    """Import everything and make the shell; returns what a worker calls with its connection."""
    gc.disable()  # there is little to collect among torch's modules, and looking took a quarter of this
    more_follow = preload[-1:] == [MORE]
    preload = [name for name in preload if name != MORE]
    for name in ("fcntl", "resource", *preload):
        importlib.import_module(name)
    agent = importlib.import_module(entry)
    shell = agent.make_shell()
    if "matplotlib.pyplot" in preload:
        _warm_matplotlib()
    if more_follow:
        for name in json.loads(control.recv(_PACKET)):
            importlib.import_module(name)
    if "torch" in sys.modules:
        _warm_torch()
    agent.prepare(shell)
    confinement.prepare()
    seed_all(0)  # numpy and torch load their generators when first asked: 15 ms in every fork
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(
            f"{threads} threads after importing {', '.join(preload)}; a fork needs exactly one"
        )
    gc.freeze()  # a collection in a fork would touch, and so copy, every inherited page

    def serve(connection: socket.socket) -> NoReturn:
        agent.serve(connection, shell)
        raise AssertionError("serve returned")

    return serve


def _warm_torch() -> None:
    importlib.import_module("torch").set_num_threads(1)
    compiling.load_no_tracer()


def _warm_matplotlib() -> None:
    """Draw one figure, so that fonts and back ends are loaded; the person's own style plays no part."""
    matplotlib = importlib.import_module("matplotlib")
    backend = importlib.import_module("matplotlib.backends.backend_agg")
    matplotlib.rcdefaults()
    figure = importlib.import_module("matplotlib.figure").Figure()
    backend.FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([1, 2], label="a")
    axes.imshow([[1, 2], [3, 4]])
    axes.set_title("a")
    axes.legend()
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")


def _serve_one(control: socket.socket, serve: confinement.Serve) -> bool:
    """Fork one supervisor; False when the host is gone."""
    try:
        packet, descriptors, _, _ = socket.recv_fds(control, _PACKET, _DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return False
    if not packet:
        return False
    zygote = os.getpid()
    if os.fork() == 0:
        try:
            control.close()
            life, data = descriptors
            supervisor.supervise(
                packet, life=socket.socket(fileno=life), data=data, parent=zygote, serve=serve
            )
        finally:
            os._exit(1)  # whatever happens, this copy never goes on as a second zygote
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _wait_for_children() -> None:
    """Let the supervisors end their sandboxes and tidy up; they noticed that the host is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    deadline = time.monotonic() + _FAREWELL_SECONDS
    while time.monotonic() < deadline:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(0.005)


if __name__ == "__main__":
    # At once: taking torch apart, module by module, would keep the host waiting for 0.2 s.
    os._exit(main(sys.argv[1:]))
