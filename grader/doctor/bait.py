"""Things of the host's that the probes try themselves on: a file, services, a process. All open to everyone.

Only the sandbox stands between a probe and the bait: no file's rights, no password. Needs a Unix.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator

TOKEN_FOLDERS = ("/tmp", "/dev/shm", "/var/tmp")  # noqa: S108  # where the probe for leftovers looks


@contextlib.contextmanager
def laid_out() -> Iterator[dict[str, object]]:
    """Lay the bait out, give the probes' names for it, clear it away."""
    token = f"chainrule-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="chainrule-bait-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_remove_tokens, token)
        os.chmod(folder, 0o755)  # noqa: S103  # bait
        yield {
            "token": token,
            "folder": folder,
            "python": os.path.realpath(sys.executable),
            "process": _process(stack),
            **_files(folder),
            **_services(stack, folder, token),
        }


def _files(folder: str) -> dict[str, str]:
    paths = {name: os.path.join(folder, name) for name in ("secret", "open folder")}
    os.mkdir(paths["open folder"])
    os.chmod(paths["open folder"], 0o777)  # noqa: S103  # bait
    paths["victim"] = os.path.join(paths["open folder"], "victim")
    for name in ("secret", "victim"):
        with open(paths[name], "w", encoding="ascii") as file:
            file.write("an expected value\n")
        os.chmod(paths[name], 0o666)  # noqa: S103  # bait
    return paths


def _services(stack: contextlib.ExitStack, folder: str, token: str) -> dict[str, object]:
    tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    paths = {name: os.path.join(folder, name) for name in ("service", "datagrams")} | {
        "abstract": f"\0{token}"
    }
    for name, path in paths.items():
        kind = socket.SOCK_DGRAM if name == "datagrams" else socket.SOCK_STREAM
        service = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        service.bind(path)
        if kind is socket.SOCK_STREAM:
            service.listen()
        if name != "abstract":
            os.chmod(path, 0o777)  # noqa: S103  # bait
    return {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], **paths}


def _process(stack: contextlib.ExitStack) -> int:
    """A process of the person's own that waits for us to end."""
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]
    process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE))  # noqa: S603  # ours
    return process.pid


def _remove_tokens(token: str) -> None:
    for folder in TOKEN_FOLDERS:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, token))
